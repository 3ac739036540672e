"""A small library of labelled tones, an ear that is quick, and a classifier that is right."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import keras
import numpy as np

from rtgenre.model.classifier import Classifier
from rtgenre.model.feature_params import MUSICNN_FEATURES, YAMNET_FEATURES
from rtgenre.model.info import ModelInfo
from tests.training.conftest import GENRE_HZ, tone, write_wav
from training.data.library import OTHER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from training.data.dataset import FloatArray

LABELS = tuple(sorted(GENRE_HZ))
_OTHER_HZ = 6000.0


def write_library(
    folder: Path,
    *,
    n_artists: int = 5,
    seconds: float = 8.0,
    genres: Sequence[str] = (*LABELS, OTHER),
) -> Path:
    """Write one recording by each artist of each genre, as ``tracks.csv`` and ``audio``."""
    rows = []
    for genre in genres:
        for number in range(n_artists):
            name = f"{genre}.{folder.name}{number}"
            hz = GENRE_HZ.get(genre, _OTHER_HZ) * (1.0 + 0.02 * number)
            write_wav(folder / "audio" / f"{name}.wav", tone(hz, seconds, seed=number))
            rows.append((name, genre, f"{genre} {number}", ""))
    return _write_table(folder, rows)


def write_negatives(folder: Path, kind: str = "noise") -> Path:
    """Write noise, as ``training.negatives`` does, and call it so."""
    rng = np.random.default_rng(1)
    rows = []
    for split in ("train", "valid"):
        for number in range(3):
            name = f"{split}.{kind}.{number}"
            noise = rng.normal(scale=0.1, size=5 * 22050).astype(np.float32)
            write_wav(folder / "audio" / f"{name}.wav", noise)
            rows.append((name, kind, "", split))
    return _write_table(folder, rows)


def _write_table(folder: Path, rows: Sequence[tuple[str, ...]]) -> Path:
    with (folder / "tracks.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("track", "genre", "artist", "split"), *rows])
    return folder


def quick_ear(seed: int = 1) -> keras.Model:
    """Build an ear that gives each step the loudness of eight groups of bands, and little else."""
    window = keras.Input((YAMNET_FEATURES.n_frames, YAMNET_FEATURES.n_mels), name="window")
    convolution = keras.layers.Conv1D(8, 32, strides=32)
    steps = convolution(window)
    kernel = np.kron(np.eye(8), np.ones((8, 1)))[None] / (8 * 32)
    kernel = kernel + np.random.default_rng(seed).normal(scale=1e-4, size=(32, 64, 8))
    convolution.set_weights([kernel.astype(np.float32), np.zeros(8, np.float32)])
    return keras.Model(window, steps, name="ear")


def second_ear() -> keras.Model:
    """Build an ear that gives the whole window's loudness in eight groups of bands."""
    window = keras.Input((MUSICNN_FEATURES.n_frames, MUSICNN_FEATURES.n_mels), name="window")
    loudness = keras.layers.AveragePooling1D(MUSICNN_FEATURES.n_frames)(window)
    groups = keras.layers.Reshape((8, 12))(loudness)
    mean = keras.layers.Dense(1, kernel_initializer="ones", use_bias=False)(groups)
    return keras.Model(window, keras.layers.Reshape((1, 8))(mean), name="second_ear")


class RightNetwork:
    """Finds a tone by its loudest band; noise is no music, and the highest tone is unfamiliar."""

    def run(self, features: FloatArray) -> FloatArray:
        levels = features.mean(axis=1)
        heard = np.digitize(levels.argmax(axis=1), [8, 24, 50])  # low, middle, high, other
        genres = np.eye(4, 3, dtype=np.float32)[np.array([1, 2, 0, 3])[heard]] + 1e-3
        is_music = np.ptp(levels, axis=1) > 3.0
        return np.column_stack([genres, is_music, heard != 3]).astype(np.float32)


def right_classifier() -> Classifier:
    info = ModelInfo(
        "right", "1", LABELS, YAMNET_FEATURES, has_music_output=True, has_familiar_output=True
    )
    return Classifier(info, RightNetwork())
