"""``rtgenre tag``: a table of what the songs of a library are, made on all cores or a cluster."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rtgenre.commands.options import (
    add_config_file,
    add_model,
    add_setting,
    config_with_logging,
    flags_of,
    given_place,
)
from rtgenre.commands.taught import taught_or_told
from rtgenre.config import ConfigError
from rtgenre.history.report import duration_text
from rtgenre.learning.taught.store import taught_file
from rtgenre.model.classifier import Classifier
from rtgenre.model.folders import find_model_folder
from rtgenre.model.info import ModelError, read_model_info
from rtgenre.sources.names import told_path
from rtgenre.tagging.cluster import each_on_cluster
from rtgenre.tagging.finding import find_songs
from rtgenre.tagging.judge import Judge, model_of
from rtgenre.tagging.library import GenreWriting, take_rows, to_be_judged
from rtgenre.tagging.processes import each_in_processes
from rtgenre.tagging.song import is_url
from rtgenre.tagging.summary import genre_lines, speed_text, written_text
from rtgenre.tagging.tables.open_table import check_ending, open_table
from rtgenre.tracking.smoothing import TrackerParams

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator, Iterator, Sequence

    from rtgenre.config import Config
    from rtgenre.learning.taught.genres import TaughtGenres
    from rtgenre.tagging.song import Row, Song
    from rtgenre.tagging.tables.open_table import Table

_MOST_FAULTS_TOLD = 50


@dataclass(frozen=True, slots=True)
class TagOptions:
    """What the command line asks for."""

    places: Sequence[str]
    """Files, folders and URLs."""
    output: Path
    scheduler: str | None = None
    """Address of a Dask scheduler; None for this machine."""
    processes: int | None = None
    """None for one on each core."""
    sample_seconds: float | None = None
    """How much of each song is heard at most; None for all of it."""
    hop_seconds: float | None = None
    """Time between windows, all of which are heard; None for one after another, of which those are
    heard that differ from their neighbours."""
    write_genre: bool = False
    overwrite: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    parser.add_argument(
        "places",
        nargs="+",
        type=given_place,
        metavar="FOLDER",
        help="folders, files, playlists or URLs",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="table: .parquet, .csv or .jsonl"
    )
    parser.add_argument(
        "--sample", type=float, metavar="SECONDS", help="hear only so much of each song"
    )
    parser.add_argument(
        "--write-genre", action="store_true", help="write the genre into files that have none"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="with --write-genre: into all files"
    )
    parser.add_argument("--processes", type=int, metavar="NUMBER", help="default: one a core")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster to run on, as tcp://host:8786"
    )
    add_setting(
        parser,
        "--hop-seconds",
        "windows.hop_seconds",
        help="hear all windows, one each so many seconds; default: those that differ",
    )
    add_model(parser)


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    config = config_with_logging(options)
    # A hop in the settings is the service's, which hears each second several times.
    is_hop_asked = "hop_seconds" in flags_of(options).get("windows", {})
    asked = TagOptions(
        places=options.places,
        output=options.output,
        scheduler=options.scheduler,
        processes=options.processes,
        sample_seconds=options.sample,
        hop_seconds=config.windows.hop_seconds if is_hop_asked else None,
        write_genre=options.write_genre,
        overwrite=options.overwrite,
    )
    return tag_songs(asked, config)


def tag_songs(options: TagOptions, config: Config) -> int:
    """Judge the songs that the table does not have yet; return 1 if one could not be judged.

    Raises:
        ConfigError: the options cannot be used together.
        RtgenreError: the table cannot be written, or the scheduler does not answer.
    """
    folder = find_model_folder(config.model.folder)
    info = read_model_info(folder)
    _check(options, info.features.window_seconds)
    taught = _taught(config, folder)
    judge = Judge(
        # A shipped model has its own place on each machine; any other folder must be the same.
        model_folder=folder.name if _is_shipped(folder) else str(folder.absolute()),
        model=model_of(info),
        channel=config.source[0].channel,
        hop_seconds=options.hop_seconds,
        sample_seconds=options.sample_seconds,
        # As values alone: processes and workers need not load the settings for them.
        tracker_params=TrackerParams(**asdict(config.smoothing)),
        taught=taught,
    )
    songs, problems = find_songs(options.places)
    faults: dict[str, str] = {}
    n_failed = 0
    labels = info.labels if taught is None else taught.labels
    with closing(open_table(options.output, labels)) as table:
        try:
            for row in _judged(songs, judge, table, options):
                n_failed += row.genre is None
                if row.fault is not None:
                    faults[row.path] = row.fault
        except KeyboardInterrupt:
            problems.append("stopped; the same command goes on where it was")
        rows = [table.index[song.path] for song in songs if song.path in table.index]
    _print_summary(options.output, rows)
    failed = {row.path: row.fault for row in rows if row.genre is None and row.fault is not None}
    if options.write_genre:
        line, unwritten = written_text(rows)
        _say(line)
        problems += unwritten
    _tell_all(problems + [f"{path}: {fault}" for path, fault in (failed | faults).items()])
    return 1 if problems or failed or n_failed else 0


def _taught(config: Config, folder: Path) -> TaughtGenres | None:
    """Return what the service was taught, without loading a model where that is nothing."""
    if not config.teach.enabled or not taught_file(config.teach.file).exists():
        return None
    return taught_or_told(config, folder, Classifier.load(folder))


def _check(options: TagOptions, window_seconds: float) -> None:
    check_ending(options.output)
    if options.overwrite and not options.write_genre:
        raise ConfigError("--overwrite belongs to --write-genre; give both, or neither")
    if options.processes is not None and options.scheduler is not None:
        raise ConfigError("--processes is of this machine, --scheduler of others; give one")
    if options.processes is not None and options.processes < 1:
        raise ConfigError(f"--processes is {options.processes}; at least 1 is needed")
    sample_seconds = options.sample_seconds
    # Written so that NaN, which compares as false, is refused too.
    if sample_seconds is not None and not window_seconds <= sample_seconds < float("inf"):
        raise ConfigError(
            f"--sample is {sample_seconds:g}; at least the {window_seconds:g} s of one window "
            "are needed"
        )
    if options.hop_seconds is not None and sample_seconds is not None:
        raise ConfigError(
            "--hop-seconds is of songs that are heard whole, --sample of parts of them; give one"
        )
    urls = [place for place in options.places if is_url(place)]
    if options.write_genre and urls:
        raise ConfigError(
            f"--write-genre writes into files of this machine, not to {told_path(urls[0])}"
        )


def _judged(
    songs: Sequence[Song], judge: Judge, table: Table, options: TagOptions
) -> Iterator[Row]:
    """Judge what is missing and yield the new rows, with the progress on standard error."""
    missing = to_be_judged(songs, table, judge.row_model, judge.sample_seconds)
    writing = GenreWriting(overwrite=options.overwrite) if options.write_genre else None
    if writing is not None:
        todo = set(missing)
        yield from writing.catch_up([song for song in songs if song not in todo], table)
    if not missing:
        return
    with _Progress(len(songs), len(songs) - len(missing)) as progress:
        answers: Generator[tuple[Song, object], None, None]
        if options.scheduler is None:
            answers = each_in_processes(judge, missing, processes=options.processes)
        else:
            answers = each_on_cluster(
                judge, missing, scheduler=options.scheduler, tell_workers=progress.tell_workers
            )
        with closing(answers), closing(take_rows(answers, table, writing)) as rows:
            for row in rows:
                progress.advance(row)
                yield row


class _Progress:
    """Songs done, speed, and time left, where standard error is a terminal."""

    def __init__(self, total: int, done: int) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("tagging", total=total, completed=done, speed="")
        self._started = time.monotonic()
        self._music_seconds = 0.0
        self._n_workers: int | None = None

    def __enter__(self) -> _Progress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
        seconds = time.monotonic() - self._started
        speed = speed_text(self._music_seconds, seconds)
        if speed:
            music = duration_text(self._music_seconds)
            _say(f"judged {music} of music in {duration_text(seconds)}: {speed}")

    def advance(self, row: Row) -> None:
        """Count a song."""
        if row.genre is not None:
            self._music_seconds += row.duration_seconds or 0.0
        speed = speed_text(self._music_seconds, time.monotonic() - self._started)
        self._progress.update(self._task, advance=1, speed=speed)

    def tell_workers(self, n_workers: int) -> None:
        """Say how many workers the cluster has, and once if it has none."""
        if n_workers == 0 and self._n_workers != 0:
            _tell("the scheduler has no workers; waiting for one: start it with 'dask worker'")
        self._n_workers = n_workers
        self._progress.update(self._task, description=f"tagging on {n_workers} workers")


def _is_shipped(folder: Path) -> bool:
    try:
        return find_model_folder(folder.name).samefile(folder)
    except (ModelError, OSError):
        return False


def _print_summary(output: Path, rows: Sequence[Row]) -> None:
    n_judged = sum(row.genre is not None for row in rows)
    without = f", {len(rows) - n_judged} with a fault instead" if n_judged < len(rows) else ""
    songs = "1 song" if n_judged == 1 else f"{n_judged} songs"
    _say(f"{told_path(output)}: {songs} judged{without}")
    for line in genre_lines(rows):
        _say(line)


def _tell_all(problems: Sequence[str]) -> None:
    for problem in problems[:_MOST_FAULTS_TOLD]:
        _tell(problem)
    if len(problems) > _MOST_FAULTS_TOLD:
        more = len(problems) - _MOST_FAULTS_TOLD
        _tell(f"{more} more are in the table's columns fault and genre_tag")


def _say(line: str) -> None:
    print(line)


def _tell(message: str) -> None:
    print(f"rtgenre: {message}", file=sys.stderr)
