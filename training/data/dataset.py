"""Spectrogram datasets: a folder with one ``mel_<split>.npz`` a split and, perhaps, ``tracks.csv``.

An array ``(n_columns, n_mels)`` uint8 per track, keyed by the track's name (``blues.00029``; the
genre is what comes before the first dot). A value ``v`` means ``v * 80 / 255 - 80`` dB relative to
the loudest bin of the whole track. Columns are the frames of
``rtgenre.model.feature_params.FeatureParams``.
"""

from __future__ import annotations

import csv
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rtgenre.model.feature_params import FeatureParams

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]
IntArray = NDArray[np.int64]

TRACKS_FILE = "tracks.csv"
FEATURES = FeatureParams()
"""What the columns of every dataset were made with."""
WINDOW_HOP_COLUMNS = 48
"""Two seconds (1.99 s) from one window to the next, as in the live service."""


class DatasetError(Exception):
    """A dataset cannot be used; the message says what was found and what is needed."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One track's spectrogram and what is known about it."""

    name: str
    genre: str
    artist: str | None
    """None where nobody knows."""
    columns: ByteArray
    """``(n_columns, n_mels)``, decibels as :func:`to_decibels` reads them."""


@dataclass(frozen=True, slots=True, eq=False)
class WindowSet:
    """Windows of many tracks, one after another."""

    features: FloatArray
    """``(n_windows, n_frames, n_mels)`` dB, each relative to its own loudest bin."""
    track_index: IntArray
    """``(n_windows,)``, which of the tracks each window is from."""


def mel_file(folder: Path, split: str) -> Path:
    """Say where a split's spectrograms are."""
    return folder / f"mel_{split}.npz"


def load_tracks(folder: Path, split: str) -> list[Track]:
    """Read one split of a dataset, sorted by track name.

    ``tracks.csv`` adds artists where it has a row for the track; it may be missing.

    Raises:
        DatasetError: the split is missing, cannot be read, is empty, or an array has a wrong shape.
    """
    path = mel_file(folder, split)
    tracks_file = folder / TRACKS_FILE
    artists = read_artists(tracks_file) if tracks_file.exists() else {}
    try:
        with np.load(path, allow_pickle=False) as arrays:
            tracks = [_track(name, arrays[name], artists) for name in sorted(arrays.files)]
    except FileNotFoundError:
        raise DatasetError(
            f"{folder} has no {path.name}; splits found: {', '.join(splits_of(folder)) or 'none'}"
        ) from None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
    if not tracks:
        raise DatasetError(f"{path} holds no tracks")
    return tracks


def save_tracks(folder: Path, split: str, tracks: Iterable[Track]) -> None:
    """Write one split of a dataset; ``load_tracks`` gives its spectrograms back unchanged."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {track.name: track.columns for track in tracks}
    np.savez_compressed(mel_file(folder, split), allow_pickle=False, **arrays)


def splits_of(folder: Path) -> list[str]:
    """Name the splits that a dataset has; empty if the folder is not a dataset."""
    return sorted(path.stem.removeprefix("mel_") for path in folder.glob("mel_*.npz"))


def read_artists(path: Path) -> dict[str, str]:
    """Read who plays on which track from a CSV with the columns ``track`` and ``artist``.

    Tracks without an artist are left out.

    Raises:
        DatasetError: the file cannot be read.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"the artists in {path} cannot be read: {error}") from error
    return {row["track"]: row["artist"] for row in rows if row.get("track") and row.get("artist")}


def genre_of(track_name: str) -> str:
    """Read the genre from a track's name."""
    return track_name.split(".", 1)[0]


def labels_of(tracks: Iterable[Track]) -> tuple[str, ...]:
    """List the genres of ``tracks``, in alphabetical order: the order of a network's outputs."""
    return tuple(sorted({track.genre for track in tracks}))


def genre_indices(tracks: Sequence[Track], labels: Sequence[str]) -> IntArray:
    """Turn genres into indices of ``labels``.

    Raises:
        DatasetError: a track's genre is none of the labels.
    """
    strange = {track.genre for track in tracks} - set(labels)
    if strange:
        raise DatasetError(
            f"tracks of {', '.join(sorted(strange))} were found; allowed: {', '.join(labels)}"
        )
    return np.array([labels.index(track.genre) for track in tracks], dtype=np.int64)


def to_decibels(columns: ByteArray) -> FloatArray:
    """Decode stored bytes to decibels in ``[-top_db, 0]``, the shape unchanged."""
    top_db = np.float32(FEATURES.top_db)
    return columns.astype(np.float32) * (top_db / np.float32(255)) - top_db


def from_decibels(decibels: FloatArray) -> ByteArray:
    """Encode decibels in ``[-top_db, 0]`` as bytes, rounded to the nearest of 256 levels."""
    scaled = (decibels + FEATURES.top_db) * (255.0 / FEATURES.top_db)
    levels: ByteArray = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return levels


def window_starts(n_columns: int, hop_columns: int = WINDOW_HOP_COLUMNS) -> list[int]:
    """List the first columns of the windows that lie wholly within ``n_columns``."""
    return list(range(0, n_columns - FEATURES.n_frames + 1, hop_columns))


def cut_window(columns: ByteArray, start: int) -> FloatArray:
    """Cut one window, as the live front-end would have made it.

    Returns:
        ``(n_frames, n_mels)`` float32 dB relative to the window's own loudest bin, in
        ``[-top_db, 0]``.
    """
    return rereference(to_decibels(columns[start : start + FEATURES.n_frames]))


def rereference(decibels: FloatArray) -> FloatArray:
    """Shift one window so that its loudest bin is 0 dB, and clip it at ``-top_db``."""
    shifted: FloatArray = np.maximum(decibels - decibels.max(), np.float32(-FEATURES.top_db))
    return shifted


def windows_of(columns: ByteArray, hop_columns: int = WINDOW_HOP_COLUMNS) -> FloatArray:
    """Cut a track into overlapping windows.

    Returns:
        ``(n_windows, n_frames, n_mels)`` float32 dB; no windows if the track is too short for one.
    """
    windows = np.empty(
        (len(window_starts(len(columns), hop_columns)), FEATURES.n_frames, FEATURES.n_mels),
        dtype=np.float32,
    )
    for index, start in enumerate(window_starts(len(columns), hop_columns)):
        windows[index] = cut_window(columns, start)
    return windows


def stack_windows(tracks: Sequence[Track], hop_columns: int = WINDOW_HOP_COLUMNS) -> WindowSet:
    """Cut many tracks into windows.

    Raises:
        DatasetError: there are no tracks, or none is long enough for one window.
    """
    per_track = [windows_of(track.columns, hop_columns) for track in tracks]
    counts = [len(windows) for windows in per_track]
    if not sum(counts):
        raise DatasetError(
            f"none of {len(tracks)} tracks has the {FEATURES.n_frames} columns of one window"
        )
    return WindowSet(np.concatenate(per_track), np.repeat(np.arange(len(tracks)), counts))


def _track(name: str, columns: ByteArray, artists: dict[str, str]) -> Track:
    if columns.ndim != 2 or columns.shape[1] != FEATURES.n_mels or columns.dtype != np.uint8:
        raise ValueError(
            f"{name} is {columns.dtype} of shape {columns.shape}; "
            f"uint8 of shape (n_columns, {FEATURES.n_mels}) is needed"
        )
    return Track(name, genre_of(name), artists.get(name), columns)
