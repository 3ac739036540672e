"""Labelled recordings on disk, and their windows of sound.

A library is a folder with ``audio/<track>.<suffix>`` and ``tracks.csv`` (``track`` and, where
known, ``genre``, ``artist``, ``split``, ``sure``, ``source`` and ``source_rate_hz``); or any
folder of music that ``training.data.audio`` understands, GTZAN's mirrors among them.
"""

from __future__ import annotations

import csv
import hashlib
import os
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import soundfile
import soxr

from rtgenre.model.feature_params import YAMNET_FEATURES
from training.data.audio import SUFFIXES, find_audio
from training.data.dataset import TRACKS_FILE, DatasetError, FloatArray, genre_of
from training.data.splits import GTZAN_PARTITION, artist_folds, read_partition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

OTHER = "other"
"""The genre of music that is none of the labels."""
DULL_BELOW_HZ = 22050
"""Recordings of a lower sample rate lack treble: they teach, but are reported apart."""
WINDOW_SECONDS = YAMNET_FEATURES.window_seconds
HOP_SECONDS = 2.0
N_FOLDS = 5
FOLDS_SEED = 1
_HELD_OUT_FOLD = 0


@dataclass(frozen=True, slots=True)
class Recording:
    """One piece of music, and what is known about it."""

    name: str
    """Begins with its genre: ``blues.00029``."""
    path: Path
    genre: str
    artist: str
    """Its source where nobody knows; its name where not even that."""
    split: str | None = None
    sure: bool = True
    """Whether the label clearly means this genre."""
    dull: bool = False
    """Whether it was made from a file of a low sample rate."""
    collection: str = ""
    """The library it comes from."""


def read_library(folder: Path) -> list[Recording]:
    """Find the recordings of a library, sorted by name.

    Raises:
        DatasetError: there are none, or ``tracks.csv`` cannot be read.
    """
    table = folder / TRACKS_FILE
    if not table.exists():
        partition = _partition(folder)
        return [
            Recording(
                one.name,
                one.path,
                one.genre,
                one.name,
                partition.get(one.name),
                collection=folder.name,
            )
            for one in find_audio(folder)
        ]
    audio: dict[str, list[Path]] = defaultdict(list)
    for path in sorted((folder / "audio").glob("*")):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            audio[path.stem].append(path)
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file, restval="") if row["track"] in audio]
    except (OSError, UnicodeDecodeError, KeyError, csv.Error) as error:
        raise DatasetError(f"{table} cannot be read, or has no column track: {error}") from error
    if not rows:
        raise DatasetError(f"{folder} has no recordings: none of {table} is in {folder / 'audio'}")
    for track, n_rows in Counter(row["track"] for row in rows).items():
        files = ", ".join(path.name for path in audio[track])
        if n_rows > 1 or len(audio[track]) > 1:
            raise DatasetError(
                f"{folder} has {track} more than once (rows of {table.name}: {n_rows}; files: "
                f"{files}); leave one of each"
            )
    found = [_recording(row, audio[row["track"]][0], folder.name) for row in rows]
    return sorted(found, key=lambda one: one.name)


def held_out_names(recordings: Sequence[Recording]) -> set[str]:
    """Name the recordings that are kept for judging.

    They are a fifth of the artists, and all recordings whose split is ``valid``.
    """
    return {
        one.name
        for one, fold in zip(recordings, folds_of(recordings), strict=True)
        if fold == _HELD_OUT_FOLD or one.split == "valid"
    }


def teaching_names(recordings: Sequence[Recording]) -> set[str]:
    """Name the recordings that may teach where ``held_out_names`` judge: those of other artists.

    Artists of a recording whose split is ``valid`` may have others, which neither teach nor judge.
    """
    held_out = held_out_names(recordings)
    judging = {one.artist for one in recordings if one.name in held_out}
    return {one.name for one in recordings if one.artist not in judging}


def folds_of(recordings: Sequence[Recording], n_folds: int = N_FOLDS) -> list[int]:
    """Deal recordings to folds of artists, whatever the order in which libraries were named.

    Raises:
        DatasetError: there are too few artists, and a fold stays empty.
    """
    sizes = Counter(one.collection for one in recordings)

    def place(index: int) -> tuple[int | str, ...]:
        one = recordings[index]
        return -sizes[one.collection], one.collection, one.name, one.genre, one.artist

    # The first recording of an artist of several genres says where all of them go.
    order = sorted(range(len(recordings)), key=place)
    dealt = artist_folds([recordings[index] for index in order], n_folds, FOLDS_SEED)
    fold_of = dict(zip(order, dealt, strict=True))
    return [fold_of[index] for index in range(len(recordings))]


def read_sound(path: Path, sample_rate_hz: int) -> FloatArray:
    """Read a file, mono, at a sample rate.

    Raises:
        DatasetError: it cannot be decoded, or holds no sound.
    """
    try:
        # soundfile refuses names that are no UTF-8, but takes their bytes.
        samples, found_hz = soundfile.read(os.fsencode(path), dtype="float32", always_2d=True)
    except (OSError, RuntimeError) as error:
        raise DatasetError(f"{path} cannot be decoded: {error}") from error
    if not len(samples):
        raise DatasetError(f"{path} holds no sound")
    if not np.isfinite(samples).all():
        raise DatasetError(f"{path} holds samples that are not finite")
    return resample(samples.mean(axis=1), found_hz, sample_rate_hz)


def read_or_leave_out(path: Path, sample_rate_hz: int) -> FloatArray | None:
    """Read a file as ``read_sound`` does; None, and why on standard error, where it cannot be."""
    try:
        return read_sound(path, sample_rate_hz)
    except DatasetError as error:
        print(f"\nleft out: {error}", file=sys.stderr)
        return None


def sound_digest(path: Path) -> bytes:
    """Name a file by what is in it; one that cannot be read is like any other such."""
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return b""


def recordings_fingerprint(recordings: Iterable[Recording]) -> str:
    """Name recordings by name, sound and order: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for one in recordings:
        digest.update(f"{one.name}\n".encode(errors="surrogateescape") + sound_digest(one.path))
    return digest.hexdigest()[:16]


def resample(waveform: FloatArray, from_hz: float, to_hz: float) -> FloatArray:
    """Change the sample rate of ``(n_samples,)``."""
    if from_hz == to_hz:
        return waveform
    return np.asarray(soxr.resample(waveform, from_hz, to_hz, "HQ"), dtype=np.float32)


def cut_windows(
    waveform: FloatArray, sample_rate_hz: int, hop_seconds: float = HOP_SECONDS
) -> FloatArray:
    """Cut overlapping windows of 4 s; what is shorter is repeated until it fills one.

    Returns:
        ``(n_windows, 4 * sample_rate_hz)``.
    """
    length = round(WINDOW_SECONDS * sample_rate_hz)
    if len(waveform) < length:
        return np.resize(waveform, length)[None]
    hop = round(hop_seconds * sample_rate_hz)
    return np.lib.stride_tricks.sliding_window_view(waveform, length)[::hop]


def _partition(folder: Path) -> dict[str, str]:
    own = folder / "partition.csv"
    return read_partition(own if own.exists() else GTZAN_PARTITION)


def _recording(row: dict[str, str], path: Path, collection: str) -> Recording:
    name = row["track"]
    source = row.get("source", "").split("@")[0]
    rate = row.get("source_rate_hz") or "44100"
    if not rate.isdecimal():
        raise DatasetError(f"source_rate_hz of {name} is {rate!r}; a whole number is needed")
    return Recording(
        name=name,
        path=path,
        genre=row.get("genre") or genre_of(name),
        artist=(row.get("artist") or source or name).casefold(),
        split=row.get("split") or None,
        sure=row.get("sure", "1") != "0",
        dull=int(rate) < DULL_BELOW_HZ,
        collection=collection,
    )
