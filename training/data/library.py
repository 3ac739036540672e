"""Labelled recordings on disk, and their windows of sound.

A library is a folder with ``audio/<track>.<suffix>`` and ``tracks.csv`` (``track`` and, where
known, ``genre``, ``artist``, ``split``, ``sure``, ``source`` and ``source_rate_hz``); or any
folder of music that ``training.data.audio`` understands, GTZAN's mirrors among them.
"""

from __future__ import annotations

import csv
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
    from collections.abc import Sequence
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
    audio = {
        path.stem: path
        for path in (folder / "audio").glob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    }
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["track"] in audio]
    except (OSError, UnicodeDecodeError, KeyError) as error:
        raise DatasetError(f"{table} cannot be read, or has no column track: {error}") from error
    if not rows:
        raise DatasetError(f"{folder} has no recordings: none of {table} is in {folder / 'audio'}")
    found = [_recording(row, audio[row["track"]], folder.name) for row in rows]
    return sorted(found, key=lambda one: one.name)


def held_out_names(recordings: Sequence[Recording]) -> set[str]:
    """Name the recordings that are kept for judging.

    They are a fifth of the artists, and all recordings whose split is ``valid``.
    """
    folds = artist_folds(recordings, N_FOLDS, FOLDS_SEED)
    return {
        one.name
        for one, fold in zip(recordings, folds, strict=True)
        if fold == _HELD_OUT_FOLD or one.split == "valid"
    }


def read_sound(path: Path, sample_rate_hz: int) -> FloatArray:
    """Read a file, mono, at a sample rate.

    Raises:
        DatasetError: it cannot be decoded.
    """
    try:
        samples, found_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, RuntimeError) as error:
        raise DatasetError(f"{path} cannot be decoded: {error}") from error
    return resample(samples.mean(axis=1), found_hz, sample_rate_hz)


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
