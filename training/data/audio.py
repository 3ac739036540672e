"""Music on disk: finding it, reading it, and saying what is wrong with it."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.model.features import log_mel_spectrogram
from training.data.acoustics import rms
from training.data.dataset import FEATURES, DatasetError, FloatArray, Track, from_decibels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

SUFFIXES = {".wav", ".au", ".mp3", ".ogg", ".oga", ".opus", ".flac", ".aif", ".aiff", ".m4a"}
ROOTS = ("genres_original", "genres", "audio")
"""Where GTZAN's mirrors keep the audio; anything else is taken as it is."""
MAX_SECONDS = 600.0
"""What lies beyond in a file is not used."""
SILENT_BELOW_DBFS = -60.0


@dataclass(frozen=True, slots=True)
class AudioFile:
    """A piece of music and what its place says about it."""

    path: Path
    name: str
    """The track's name, which begins with its genre: ``blues.00029``."""
    genre: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that was left out."""

    path: Path
    reason: str


def find_audio(folder: Path) -> list[AudioFile]:
    """Find music in a folder of genres: ``<genre>/<file>``, or ``<genre>.<number>.<suffix>``.

    Raises:
        DatasetError: there is none.
    """
    roots = [folder / name for name in ROOTS if (folder / name).is_dir()] or [folder]
    paths = [
        path
        for root in roots
        for path in sorted(root.rglob("*"))
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    ]
    if not paths:
        raise DatasetError(
            f"no music was found in {folder}; a folder of genres is needed, such as GTZAN's: "
            f"genres_original/blues/blues.00000.wav (of: {', '.join(sorted(SUFFIXES))})"
        )
    return [_audio_file(path, flat=path.parent in roots) for path in paths]


def read_tracks(
    files: Sequence[AudioFile],
    progress: Callable[[Sequence[AudioFile]], Iterable[AudioFile]],
    *,
    shortest_seconds: float = FEATURES.window_seconds,
) -> tuple[list[Track], list[Fault]]:
    """Turn files into spectrograms; those that cannot be used are named, and left out.

    A file that holds the very samples of an earlier one is a duplicate.

    Args:
        files: what to read.
        progress: wraps the files for iteration, to show how far it is.
        shortest_seconds: see ``read_audio``.
    """
    tracks: list[Track] = []
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    names: set[str] = set()
    for file in progress(files):
        try:
            waveform = read_audio(file.path, shortest_seconds=shortest_seconds)
        except DatasetError as error:
            faults.append(Fault(file.path, str(error)))
            continue
        digest = hashlib.sha256(np.rint(waveform * 32767.0).astype("<i2").tobytes()).hexdigest()
        if digest in seen:
            faults.append(Fault(file.path, f"a duplicate of {seen[digest]}"))
        elif file.name in names:
            faults.append(Fault(file.path, f"another file is called {file.name} too"))
        else:
            seen[digest] = file.path.name
            names.add(file.name)
            tracks.append(Track(file.name, file.genre, None, spectrogram(waveform)))
    return tracks, faults


def read_audio(path: Path, *, shortest_seconds: float = FEATURES.window_seconds) -> FloatArray:
    """Read a file with librosa: mono, at the features' rate, at most ``MAX_SECONDS``.

    Args:
        path: the file.
        shortest_seconds: what is shorter is refused; what is shorter than a window is repeated
            until it fills one.

    Raises:
        DatasetError: it cannot be decoded, is silent, or is too short.
    """
    import librosa

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            waveform, _ = librosa.load(
                path, sr=FEATURES.sample_rate_hz, mono=True, duration=MAX_SECONDS
            )
    except Exception as error:
        raise DatasetError(f"cannot be decoded: {error or type(error).__name__}") from error
    seconds = len(waveform) / FEATURES.sample_rate_hz
    if seconds < shortest_seconds:
        raise DatasetError(
            f"has {seconds:.1f} s of audio; at least {shortest_seconds:g} s is needed"
        )
    if not np.isfinite(waveform).all():
        raise DatasetError("holds samples that are not finite")
    level_dbfs = 20.0 * np.log10(rms(waveform))
    if level_dbfs < SILENT_BELOW_DBFS:
        raise DatasetError(f"is silent: its level is {level_dbfs:.0f} dBFS")
    if len(waveform) < FEATURES.window_samples:
        waveform = np.resize(waveform, FEATURES.window_samples)
    return np.asarray(waveform, dtype=np.float32)


def spectrogram(waveform: FloatArray) -> np.ndarray:
    """Turn a whole track into what a dataset stores: ``(n_columns, n_mels)`` uint8."""
    return from_decibels(log_mel_spectrogram(waveform, FEATURES))


def _audio_file(path: Path, *, flat: bool) -> AudioFile:
    """Name a track after its genre; files that GTZAN named keep their names."""
    stem, folder = _text(path.stem), _text(path.parent.name)
    if flat:
        return AudioFile(path, stem, stem.split(".", 1)[0])
    genre = folder.replace(".", "_")
    name = stem if stem.startswith(f"{genre}.") else f"{genre}.{stem}"
    return AudioFile(path, name, genre)


def _text(name: str) -> str:
    """Replace what is no UTF-8, as in names from older systems: tables and datasets are."""
    return name.encode(errors="surrogateescape").decode(errors="replace")
