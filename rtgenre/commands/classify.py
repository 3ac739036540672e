"""``rtgenre classify``: what files are, over time and overall."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from rtgenre.commands.options import (
    add_config_file,
    add_model,
    add_setting,
    config_with_logging,
    given_path,
)
from rtgenre.commands.taught import taught_or_told
from rtgenre.model.classifier import Classifier
from rtgenre.model.folders import find_model_folder
from rtgenre.outputs.words import OTHER_MUSIC
from rtgenre.sources.decoder import DecodeError
from rtgenre.sources.folders import expand_paths
from rtgenre.sources.names import told_path
from rtgenre.tagging.file_verdict import classify_file

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from rtgenre.config import Config
    from rtgenre.tagging.file_verdict import FileVerdict

_REASONS = {"not_music": "no music", "unfamiliar": "unfamiliar music", "unsure": "unsure"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    parser.add_argument(
        "files", nargs="+", type=given_path, metavar="FILE", help="files, folders or playlists"
    )
    add_setting(parser, "--hop-seconds", "windows.hop_seconds", help="time between windows")
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document per file")


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    config = config_with_logging(options)
    return classify_files(options.files, config, as_json=options.json)


def classify_files(paths: Sequence[Path], config: Config, *, as_json: bool) -> int:
    """Print what each file is; return 1 if one could not be used, else 0."""
    folder = find_model_folder(config.model.folder)
    classifier = Classifier.load(folder, threads=config.model.threads)
    taught = taught_or_told(config, folder, classifier)
    files, failures = expand_paths(paths)
    console = Console(stderr=True)
    hidden = len(files) < 2 or not console.is_terminal
    # rich would otherwise print on standard error what belongs into a file or a pipe.
    shared = sys.stdout.isatty()
    with Progress(
        console=console, transient=True, disable=hidden, redirect_stdout=shared
    ) as progress:
        task = progress.add_task("classifying", total=len(files))
        for file in files:
            try:
                verdict = classify_file(
                    file,
                    classifier,
                    channel=config.source[0].channel,
                    hop_seconds=config.windows.hop_seconds,
                    tracker_params=config.smoothing,
                    taught=taught,
                )
            except DecodeError as error:
                failures.append(str(error))
            else:
                _print(verdict, as_json=as_json)
                if verdict.remark is not None:
                    _tell(f"{told_path(file)}: {verdict.remark}")
            progress.advance(task)
    for failure in failures:
        _tell(failure)
    return 1 if failures else 0


def _tell(message: str) -> None:
    print(f"rtgenre: {message}", file=sys.stderr)


def _print(verdict: FileVerdict, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(verdict.document()), flush=True)
        return
    print(f"{told_path(verdict.path)}: {_headline(verdict)}")
    for section in verdict.sections:
        times = f"{_clock(section.start_seconds)} - {_clock(section.end_seconds)}"
        print(f"    {times}  {_REASONS.get(str(section.reason), section.genre)}")


def _headline(verdict: FileVerdict) -> str:
    """Say what a file is; of one that is mostly something else, for how long it is that."""
    words = _REASONS.get(str(verdict.reason), verdict.genre)
    if verdict.confidence is None:
        return words
    if verdict.reason is None and verdict.music_seconds < verdict.seconds / 2:
        music, whole = _clock(verdict.music_seconds), _clock(verdict.seconds)
        words += f" for {music.strip()} of {whole.strip()}"
    ranked = sorted(verdict.probabilities.items(), key=lambda item: -item[1])
    likeliest = [f"{label} {share * verdict.familiar:.0%}" for label, share in ranked[:3]]
    other = f"{1 - verdict.familiar:.0%}"
    rest = "" if other == "0%" else f"; {OTHER_MUSIC} {other}"
    return f"{words}  ({', '.join(likeliest)}{rest})"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:2d}:{rest:02d}"
