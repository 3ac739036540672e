"""Turn a collection of music into a dataset of spectrograms.

``python -m training.prepare MUSIC OUT`` reads GTZAN as people have it (``genres_original/``,
``genres/``) or any folder with one folder per genre, makes spectrograms with the code that runs
live, and writes ``mel_<split>.npz``, ``tracks.csv`` and ``faults.csv``. Training and judging cut
their windows from these: 4 seconds, every 2 seconds. A folder that is a dataset already is checked
and copied.

Splits come from a partition file (for GTZAN the fault-filtered one is found by itself), else from
the artists where ``--artists`` names them, else from the tracks; never from windows.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import track as progress_bar

from training.data.audio import AudioFile, Fault, find_audio, read_tracks
from training.data.dataset import (
    FEATURES,
    TRACKS_FILE,
    DatasetError,
    Track,
    load_tracks,
    mel_file,
    read_artists,
    save_tracks,
    splits_of,
)
from training.data.splits import GTZAN_PARTITION, read_partition, split_by_artist

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FAULTS_FILE = "faults.csv"
SHARES = {"train": 0.7, "valid": 0.15, "test": 0.15}
"""Of the tracks, where no partition says otherwise."""


def prepare(
    source: Path, folder: Path, *, partition: Path | None, artists: Path | None, seed: int
) -> list[Fault]:
    """Make the dataset ``folder`` of the music, or of the dataset, in ``source``.

    Returns:
        What was left out, and why.

    Raises:
        DatasetError: there is nothing to use, a file of names cannot be read, or the folder holds
            splits that this dataset has not.
    """
    faults: list[Fault] = []
    if splits_of(source):
        by_split = {split: load_tracks(source, split) for split in splits_of(source)}
    else:
        tracks, faults = read_tracks(find_audio(source), show_progress)
        known_artists = read_artists(artists) if artists else {}
        if artists and not any(one.name in known_artists for one in tracks):
            raise DatasetError(
                f"{artists} names the artist of no track; it needs: track,artist, with tracks "
                f"such as {tracks[0].name if tracks else 'blues.00029'}"
            )
        tracks = [replace(one, artist=known_artists.get(one.name)) for one in tracks]
        by_split, unlisted = _deal(tracks, partition, seed)
        faults += [Fault(Path(name), "is not in the partition") for name in unlisted]
    if not by_split:
        raise DatasetError(f"nothing in {source} can be used; of {len(faults)} files none is left")
    left = {split for split in splits_of(folder) if not split.startswith("negatives_")}
    if left - set(by_split):
        found = ", ".join(mel_file(folder, split).name for split in sorted(left - set(by_split)))
        raise DatasetError(
            f"{folder} holds {found} of another dataset, in which tracks may be that are on "
            "another side now; remove it, or name another folder"
        )
    for split, some in by_split.items():
        save_tracks(folder, split, some)
    _write_tables(folder, by_split, faults)
    return faults


def show_progress(files: Sequence[AudioFile]) -> Iterable[AudioFile]:
    """Show a progress bar on standard error while files are read."""
    return progress_bar(files, "reading", console=Console(stderr=True))


def _deal(
    tracks: list[Track], partition: Path | None, seed: int
) -> tuple[dict[str, list[Track]], list[str]]:
    """Put tracks into splits; also name those that the partition does not list."""
    if partition is None and _is_gtzan(tracks):
        partition = GTZAN_PARTITION
    splits = read_partition(partition) if partition else split_by_artist(tracks, SHARES, seed)
    by_split: dict[str, list[Track]] = {}
    for one in tracks:
        if one.name in splits:
            by_split.setdefault(splits[one.name], []).append(one)
    return by_split, [one.name for one in tracks if one.name not in splits]


def _is_gtzan(tracks: list[Track]) -> bool:
    """Tell GTZAN by its track names, which its partition lists nearly all of."""
    listed = read_partition(GTZAN_PARTITION)
    return sum(one.name in listed for one in tracks) > len(tracks) / 2


def _write_tables(folder: Path, by_split: dict[str, list[Track]], faults: list[Fault]) -> None:
    with (folder / TRACKS_FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("track", "genre", "split", "artist", "seconds"))
        for split, tracks in by_split.items():
            for one in tracks:
                seconds = len(one.columns) / FEATURES.frames_per_second
                writer.writerow((one.name, one.genre, split, one.artist or "", f"{seconds:.1f}"))
    faults_file = folder / FAULTS_FILE
    # Names of files may be no UTF-8.
    with faults_file.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        rows = [(str(fault.path), fault.reason) for fault in faults]
        csv.writer(file).writerows([("file", "reason"), *rows])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="training.prepare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, help="the music, or a dataset")
    parser.add_argument("folder", type=Path, help="where the dataset goes")
    parser.add_argument("--partition", type=Path, help="CSV: track,split")
    parser.add_argument("--artists", type=Path, help="CSV: track,artist")
    parser.add_argument("--seed", type=int, default=1, help="of the split, without a partition")
    args = parser.parse_args(arguments)
    try:
        faults = prepare(
            args.source,
            args.folder,
            partition=args.partition,
            artists=args.artists,
            seed=args.seed,
        )
        for fault in faults:
            print(f"left out: {fault.path}: {fault.reason}", file=sys.stderr)
        for split in splits_of(args.folder):
            genres = Counter(one.genre for one in load_tracks(args.folder, split))
            counts = ", ".join(f"{genre} {count}" for genre, count in sorted(genres.items()))
            print(f"{split}: {sum(genres.values())} tracks ({counts})")
    except (DatasetError, OSError) as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
