"""``rtgenre learn``: own genres from folders of songs."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platformdirs import user_cache_path
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from rtgenre.commands.options import (
    add_config_file,
    add_model,
    config_with_logging,
    given_path,
)
from rtgenre.learning.cache import prune_cache
from rtgenre.learning.cross_validation import Validation, cross_validate, learn_all
from rtgenre.learning.folds import N_FOLDS
from rtgenre.learning.hearing import SAMPLE_SECONDS, Fault, HeardSong, SongRequest, hear_song
from rtgenre.learning.lesson import Lesson, Song
from rtgenre.learning.own_model import (
    find_ground_folder,
    read_ground_examples,
    write_own_model,
)
from rtgenre.learning.report import Report, report, wilson_interval
from rtgenre.learning.songs import SongFile, check_enough, find_songs
from rtgenre.model.folders import new_model_folder
from rtgenre.model.info import read_model_info
from rtgenre.sources.names import told_path
from rtgenre.tagging.processes import ProcessDied, each_in_processes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from rtgenre.config import Config
    from rtgenre.learning.examples import Examples
    from rtgenre.model.info import ModelInfo


@dataclass(frozen=True, slots=True)
class LearnOptions:
    """What the command line asks for."""

    folder: Path
    """Holds one folder for each genre."""
    name: str
    """Of the model that is made."""
    keep: bool
    """The known genres stay."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    parser.add_argument(
        "folder", type=given_path, metavar="FOLDER", help="holds a folder per genre"
    )
    parser.add_argument("--name", default="mine", help="of the model that is made: mine")
    parser.add_argument(
        "--keep", action="store_true", help="keep the genres that the model knows, and add to them"
    )
    add_model(parser)


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    config = config_with_logging(options)
    return learn(LearnOptions(options.folder, options.name, options.keep), config)


def learn(options: LearnOptions, config: Config) -> int:
    """Make a model of the songs in a folder and say how good it is; return the exit code.

    Raises:
        LearningError: the folder cannot be learnt from, or the model cannot be written.
        ModelError: the model that is learnt on cannot be used, or the new one be called so.
    """
    target = new_model_folder(options.name)
    ground_folder = find_ground_folder(config.model.folder)
    info = read_model_info(ground_folder)
    examples = read_ground_examples(ground_folder, info)
    files = find_songs(options.folder, info.labels, keep=options.keep, tell=_tell_left_out)
    with _progress() as progress:
        songs, left_out = _hear_all(files, info, ground_folder, progress)
        for line in left_out:
            _tell_left_out(line)
        check_enough([file for file, _ in songs], [file.genre for file in files])
        lesson = Lesson(
            tuple(_song(file, heard) for file, heard in songs),
            info.labels if options.keep else (),
        )
        validation = _validate(lesson, examples, info, progress)
    found = report(lesson, validation)
    head = learn_all(lesson, examples, len(info.labels), validation)
    write_own_model(target, ground_folder, lesson, head, found.document())
    # Afterwards: whoever reads it may leave early.
    _print_report(found)
    print(f"\nmade the model {options.name}: rtgenre run --model {options.name}")
    return 0


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _hear_all(
    files: Sequence[SongFile], info: ModelInfo, ground_folder: Path, progress: Progress
) -> tuple[list[tuple[SongFile, HeardSong]], list[str]]:
    """Hear songs on all cores; return those that can be learnt from, and what is left out."""
    cache = user_cache_path("rtgenre", appauthor=False) / "heard"
    kept = cache / f"{info.name}-{info.short_checksum or info.version}-{SAMPLE_SECONDS:g}s"
    requests = {SongRequest(file.path, ground_folder, kept): file for file in files}
    task = progress.add_task("listening", total=len(files))
    heard: dict[SongFile, HeardSong] = {}
    left_out = []
    for request, outcome in each_in_processes(hear_song, list(requests)):
        if isinstance(outcome, HeardSong):
            heard[requests[request]] = outcome
        elif isinstance(outcome, Fault):
            left_out.append(outcome.problem)
        elif isinstance(outcome, ProcessDied):
            left_out.append(f"{told_path(request.path)}: {outcome}")
        progress.advance(task)
    prune_cache(cache, time.time())
    songs = [(file, heard[file]) for file in files if file in heard]
    twice = list(_duplicates(songs))
    left_out += [line for _, line in twice]
    dropped = {file for file, _ in twice}
    return [(file, song) for file, song in songs if file not in dropped], sorted(left_out)


def _duplicates(songs: Sequence[tuple[SongFile, HeardSong]]) -> list[tuple[SongFile, str]]:
    """Name copies; of one that lies in two genres nobody knows which it is, so all go."""
    by_digest: dict[str, list[SongFile]] = {}
    for file, song in songs:
        by_digest.setdefault(song.digest, []).append(file)
    twice = []
    for copies in by_digest.values():
        first, *others = copies
        if len({file.genre for file in copies}) > 1:
            where = " and ".join(dict.fromkeys(file.genre for file in copies))
            twice += [(f, f"{told_path(f.path)}: is in {where}") for f in copies]
        else:
            twice += [
                (f, f"{told_path(f.path)}: is a copy of {told_path(first.path)}") for f in others
            ]
    return twice


def _song(file: SongFile, heard: HeardSong) -> Song:
    """Take the artist from the tags, else the album's folder for one, else the song itself."""
    place = file.path.parent if file.album else file.path
    return Song(
        name=told_path(file.path),
        genre=file.genre,
        artist=heard.artist or str(place),
        predictions=heard.predictions,
    )


def _validate(
    lesson: Lesson, examples: Examples, info: ModelInfo, progress: Progress
) -> Validation:
    task = progress.add_task("judging", total=N_FOLDS)
    for outcome in cross_validate(lesson, examples, len(info.labels)):
        if isinstance(outcome, Validation):
            return outcome
        progress.update(task, completed=outcome)
    raise AssertionError("a cross-validation ends with its outcome")


def _print_report(found: Report) -> None:
    width = max(len(one.genre) for one in found.scores) + 2
    lines = [f"{'genre':<{width}}{'songs':>6}{'artists':>9}   found again, by other artists"]
    for one in found.scores:
        low, high = one.interval
        lines.append(
            f"{one.genre:<{width}}{one.n_songs:>6}{one.n_artists:>9}   "
            f"{one.recall:.0%} (95 %: {low:.0%} to {high:.0%})"
        )
    lines.append(f"{'all':<{width}}{found.n_songs:>6}{'':>9}   {found.accuracy:.0%}")
    if found.points_lost is not None:
        lines.append(f"the genres that stay lose {max(found.points_lost, 0.0):.1f} points")
    if found.n_unfamiliar is not None:
        low, high = wilson_interval(found.n_unfamiliar, found.n_songs)
        lines.append(
            f"called unfamiliar: {found.n_unfamiliar / found.n_songs:.0%} of these songs "
            f"(95 %: {low:.0%} to {high:.0%})"
        )
    for first, second, count in found.mixed_up:
        lines.append(f"mixed up: {first} and {second}, {count} songs")
    lines += [
        f"misfiled? {song.name}: in {song.genre}, sounds like {song.sounds_like} "
        f"({song.confidence:.0%})"
        for song in found.misfiled
    ]
    print("\n".join([*lines, *found.remarks]))


def _tell_left_out(what: str) -> None:
    print(f"rtgenre: left out: {what}", file=sys.stderr)
