"""From what was taught to what a service knows beyond its model; pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.learning.examples import Examples
from rtgenre.learning.fitting import Ground, Taught, fit_head, what_examples_say
from rtgenre.learning.taught.memory import SongMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.learning.taught.stretch import TaughtStretch
    from rtgenre.model.head import Head
    from rtgenre.types import FloatArray, Prediction

HEARS_ALIKE = 0.05
"""How far embeddings of test sounds may lie apart, relative to their size."""
_PROBE_SECONDS = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class TaughtGenres:
    """The genres after teaching, and what says which of them a window is."""

    labels: tuple[str, ...]
    """The model's, then new ones."""
    head: Head | None
    """Knows new genres; None where there are none."""
    memory: SongMemory

    @property
    def checksum(self) -> str:
        """Eight digits that are others whenever something else was taught."""
        digest = hashlib.sha256("\n".join(self.labels).encode())
        for array in (self.memory.directions, self.memory.labels):
            digest.update(array.tobytes())
        return digest.hexdigest()[:8]

    def apply(self, prediction: Prediction) -> Prediction:
        """Say anew what a window is."""
        if self.head is not None:
            (prediction,) = self.head.apply([prediction])
        return self.memory.apply(prediction)


def fit_taught(
    ground: Ground, model_labels: Sequence[str], stretches: Sequence[TaughtStretch]
) -> TaughtGenres:
    """Learn what was taught on top of what a model knows.

    Args:
        ground: what the model knows.
        model_labels: its genres.
        stretches: at least one.
    """
    new = sorted({one.genre for one in stretches} - set(model_labels))
    labels = (*model_labels, *new)
    return TaughtGenres(
        labels,
        _fit_head(ground, labels, stretches, len(new)) if new else None,
        SongMemory.of(ground.examples, stretches, labels),
    )


def _fit_head(
    ground: Ground, labels: Sequence[str], stretches: Sequence[TaughtStretch], n_new: int
) -> Head:
    index = np.concatenate([np.full(len(one.embeddings), n) for n, one in enumerate(stretches)])
    genres = np.array([labels.index(one.genre) for one in stretches], np.int64)
    examples = Examples(
        embeddings=np.concatenate([one.embeddings for one in stretches]),
        labels=genres[index],
        groups=index,
        recordings=index,
    )
    # Where other genres were asked for, what the network said then means nothing now.
    said = what_examples_say(ground, examples)
    for n, one in enumerate(stretches):
        if one.said.shape[1] == said.shape[1]:
            said[index == n] = one.said
    return fit_head(ground, Taught(examples, said), n_new)


def probe_windows(sample_rate_hz: int) -> list[FloatArray]:
    """Make test sounds, the same every time: chords, beats, noise."""
    n = round(_PROBE_SECONDS * sample_rate_hz)
    seconds = np.arange(n) / sample_rate_hz
    noise = np.random.default_rng(17).standard_normal(n)
    chord = sum(np.sin(2 * np.pi * hz * seconds) / hz for hz in (220.0, 277.2, 329.6, 440.0))
    beats = noise * np.exp(-8.0 * (seconds % 0.5))
    bass = np.sin(2 * np.pi * 55.0 * seconds) * (seconds % 0.25 < 0.1)
    mixtures = (60.0 * np.asarray(chord), 0.5 * beats, 0.1 * noise, beats * 0.3 + bass)
    return [np.asarray(0.3 * one, dtype=np.float32) for one in mixtures]


def hear_alike(one: FloatArray, other: FloatArray) -> bool:
    """Say whether two networks gave the same embeddings, ``(n_windows, embedding_size)``."""
    if one.shape != other.shape:
        return False
    apart = np.linalg.norm(one - other, axis=1)
    return bool((apart <= HEARS_ALIKE * np.linalg.norm(one, axis=1)).all())
