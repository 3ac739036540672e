"""Collect music under free licences, from which the ears learn without labels.

``python -m training.free_music OUT --packages PACKAGES`` fetches games' music from Debian's archive
(6.4 GB; it installs nothing) and writes a library, ``OUT/audio`` and ``OUT/tracks.csv``, whose
genre is ``other``: for ``training.distil``, not for ``training.train``, as nobody labelled it.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from training.data.acoustics import SAMPLE_RATE_HZ
from training.data.dataset import TRACKS_FILE, DatasetError
from training.data.library import OTHER, resample
from training.data.music_packages import MUSIC_PACKAGES
from training.data.recordings import fetch_packages
from training.data.whole_file import written_whole
from training.release.runs import claim_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from training.data.dataset import FloatArray

EXCERPT_SECONDS = 28.0
_LEAST_SECONDS = 45.0
"""Shorter files are fanfares and effects."""
_MOST_OF_A_FILE = 4
_MOST_OF_A_PACKAGE = 40
_SUFFIXES = {".ogg", ".mp3", ".flac", ".opus"}


def collect(packages: Iterable[Path], folder: Path, seed: int) -> int:
    """Write excerpts of the music in unpacked packages, and return how many there are.

    Args:
        packages: the folder of each.
        folder: written; what is there already is not written again.
        seed: of which excerpts of packages with many are taken.
    """
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    rows = []
    for package in sorted(packages):
        found = [
            (path, start_seconds)
            for path in sorted(package.rglob("*"))
            if path.suffix.lower() in _SUFFIXES
            for start_seconds in _starts(path)
        ]
        chosen = sorted(rng.permutation(len(found))[:_MOST_OF_A_PACKAGE])
        for number, index in enumerate(chosen):
            path, start_seconds = found[index]
            track = f"{OTHER}.{package.name}.{number:02}"
            target = folder / "audio" / f"{track}.ogg"
            if not target.exists():
                _write(target, _excerpt(path, start_seconds))
            rows.append((track, OTHER, path.relative_to(package.parent).as_posix(), package.name))
    with (folder / TRACKS_FILE).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("track", "genre", "source", "artist"), *rows])
    return len(rows)


def _starts(path: Path) -> Iterator[float]:
    """Spread excerpts over a file, one a minute at most."""
    try:
        seconds = soundfile.info(path).duration
    except (OSError, RuntimeError):
        return
    if seconds < _LEAST_SECONDS:
        return
    n_excerpts = min(_MOST_OF_A_FILE, 1 + int(seconds // 60))
    for number in range(n_excerpts):
        yield (number + 0.5) * seconds / n_excerpts - EXCERPT_SECONDS / 2


def _excerpt(path: Path, start_seconds: float) -> FloatArray:
    with soundfile.SoundFile(path) as file:
        file.seek(max(0, round(start_seconds * file.samplerate)))
        samples = file.read(
            round(EXCERPT_SECONDS * file.samplerate), dtype="float32", always_2d=True
        )
        return resample(samples.mean(axis=1), file.samplerate, SAMPLE_RATE_HZ)


def _write(path: Path, waveform: FloatArray) -> None:
    with (
        written_whole(path) as part,
        soundfile.SoundFile(part, "w", SAMPLE_RATE_HZ, 1, "VORBIS", format="OGG") as file,
    ):
        for start in range(0, len(waveform), SAMPLE_RATE_HZ):  # libsndfile fails with long blocks
            file.write(waveform[start : start + SAMPLE_RATE_HZ])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="training.free_music",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="the library to write")
    parser.add_argument(
        "--packages", type=Path, required=True, help="unpacked Debian packages; fetched if missing"
    )
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(arguments)
    try:
        claim_folder(args.folder, {"seed": args.seed}, "audio/*.ogg")
        fetch_packages(args.packages, MUSIC_PACKAGES)
        unpacked = [args.packages / name for name in MUSIC_PACKAGES]
        n_excerpts = collect(unpacked, args.folder, args.seed)
    except (DatasetError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    print(f"{args.folder}: {n_excerpts} excerpts of {EXCERPT_SECONDS:.0f} s")


if __name__ == "__main__":
    main()
