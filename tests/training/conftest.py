"""Generated music: a tone of its own for every genre, so that anything can learn them apart."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from training.data.audio import spectrogram
from training.data.dataset import FEATURES, Track, save_tracks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


GENRE_HZ = {"high": 3000.0, "low": 200.0, "middle": 900.0}


def tone(hz: float, seconds: float, seed: int = 0) -> np.ndarray:
    """A pulsing tone with some noise, at the features' rate."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * FEATURES.sample_rate_hz)) / FEATURES.sample_rate_hz
    pulse = 0.6 + 0.4 * np.sin(2 * np.pi * (2.0 + seed % 3) * times)
    noise = 0.003 * rng.standard_normal(len(times))
    return (0.3 * pulse * np.sin(2 * np.pi * hz * times) + noise).astype(np.float32)


def write_wav(path: Path, waveform: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, waveform, FEATURES.sample_rate_hz)
    return path


def make_track(genre: str, number: int, seconds: float = 8.0, artist: str | None = None) -> Track:
    waveform = tone(GENRE_HZ[genre] * (1.0 + 0.02 * number), seconds, seed=number)
    return Track(f"{genre}.{number:05d}", genre, artist, spectrogram(waveform))


@pytest.fixture
def uncompiled() -> Iterator[None]:
    """To compile networks takes longer than their few batches; of each training one test does."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Three genres, two tracks each of 8 seconds, as the split ``valid``."""
    tracks = [make_track(genre, number) for genre in GENRE_HZ for number in range(2)]
    save_tracks(tmp_path / "dataset", "valid", tracks)
    return tmp_path / "dataset"


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A folder of genres: three tracks each, 8 seconds long."""
    for genre, hz in GENRE_HZ.items():
        for number in range(3):
            waveform = tone(hz * (1.0 + 0.02 * number), 8.0, seed=number)
            write_wav(tmp_path / "music" / genre / f"{genre}.{number:05d}.wav", waveform)
    return tmp_path / "music"


def pytest_fixture_setup() -> None:
    """Let networks that a fixture makes be the same in every run, whatever ran before it."""
    _seed()


def pytest_runtest_call() -> None:
    """Let networks that a test makes be the same in every run."""
    _seed()


def _seed() -> None:
    # Of small networks with weights of chance one in a hundred says nothing whatever it hears.
    if keras := sys.modules.get("keras"):
        keras.utils.set_random_seed(1)
