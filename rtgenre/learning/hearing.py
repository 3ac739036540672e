"""What a model hears in a song, kept by the file's content so that no song is heard twice."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.model.arrays import ArraysError, read_arrays, write_arrays
from rtgenre.model.classifier import Classifier
from rtgenre.model.head import embeddings_of
from rtgenre.sources.decode import check_file
from rtgenre.sources.decoder import DecodeError
from rtgenre.sources.names import told_path
from rtgenre.tagging.hearing import predict_sample
from rtgenre.tagging.song_tags import read_tags
from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.types import Prediction

if TYPE_CHECKING:
    from pathlib import Path

    from rtgenre.model.info import ModelInfo

SAMPLE_SECONDS = 40.0
"""Of each song, spread over it: more windows say little more."""

_KINDS = {
    "probabilities": ("float32", 2),
    "music": ("float32", 1),
    "familiar": ("float32", 1),
    "embeddings": ("float32", 2),
}
_MAX_BYTES = 2**22


@dataclass(frozen=True, slots=True)
class SongRequest:
    """A song that is to be heard, as it goes to another process."""

    path: Path
    model_folder: Path
    cache_folder: Path
    """Holds what the same model heard before."""


@dataclass(frozen=True, slots=True)
class HeardSong:
    """What a model says of a song's windows that hold music."""

    predictions: tuple[Prediction, ...]
    """Each with an embedding; at least one."""
    artist: str
    """From its tags, else empty."""
    digest: str
    """SHA-256 of what was heard: the same for a copy that only its tags tell apart."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why nothing can be learnt from a file."""

    problem: str


def hear_song(request: SongRequest) -> HeardSong | Fault:
    """Hear a song, unless it was heard before."""
    classifier = _classifier(request.model_folder)
    try:
        check_file(request.path)
        with request.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except DecodeError as error:
        return Fault(str(error))
    except OSError as error:
        return Fault(f"{told_path(request.path)}: cannot be read: {error.strerror}")
    kept = request.cache_folder / f"{digest}.npz"
    predictions = _read(kept, classifier.info)
    if predictions is None:
        try:
            song = predict_sample(request.path, classifier, sample_seconds=SAMPLE_SECONDS)
        except DecodeError as error:
            return Fault(str(error))
        predictions = song.predictions
        # A full disk costs the next run some time, and this one nothing.
        with suppress(OSError):
            _write(kept, predictions)
    else:
        # It was needed: others go first.
        with suppress(OSError):
            os.utime(kept)
    return _judged(request.path, predictions)


def _judged(path: Path, predictions: tuple[Prediction, ...]) -> HeardSong | Fault:
    if not predictions:
        return Fault(f"{told_path(path)}: is silent")
    music = tuple(one for one in predictions if one.music >= TrackerParams().music_below)
    if not music:
        return Fault(f"{told_path(path)}: holds speech or noise, but no music")
    digest = hashlib.sha256(embeddings_of(predictions).tobytes()).hexdigest()
    return HeardSong(music, read_tags(path).artist.casefold(), digest)


@cache
def _classifier(folder: Path) -> Classifier:
    """Load a model once for each process."""
    return Classifier.load(folder)


def _read(path: Path, info: ModelInfo) -> tuple[Prediction, ...] | None:
    """Read what was heard before; None where nothing was, or the file is damaged."""
    try:
        kept = read_arrays(path, _KINDS, max_bytes=_MAX_BYTES)
    except ArraysError:
        return None
    n = len(kept["music"])
    if (
        kept["probabilities"].shape != (n, len(info.labels))
        or kept["embeddings"].shape != (n, info.embedding_size)
        or kept["familiar"].shape != (n,)
    ):
        return None
    return tuple(
        Prediction(probabilities, float(music), float(familiar), embedding)
        for probabilities, music, familiar, embedding in zip(
            kept["probabilities"], kept["music"], kept["familiar"], kept["embeddings"], strict=True
        )
    )


def _write(path: Path, predictions: tuple[Prediction, ...]) -> None:
    if not predictions:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_arrays(
        path,
        {
            "probabilities": np.stack([one.probabilities for one in predictions]),
            "music": np.array([one.music for one in predictions], np.float32),
            "familiar": np.array([one.familiar for one in predictions], np.float32),
            "embeddings": embeddings_of(predictions),
        },
    )
