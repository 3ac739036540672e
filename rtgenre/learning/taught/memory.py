"""Knows taught songs again by their sound, and favours their genre in songs like them; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.learning.examples import Examples, IntArray
    from rtgenre.learning.taught.stretch import TaughtStretch
    from rtgenre.types import FloatArray, Prediction

STRANGE, FAMILIAR = 0.45, 0.65
"""Cosines between windows: of what was never taught, and of what certainly was.

Measured with held-out artists: another song's window reaches the first in 7 of 1,000 cases, the
same song's window the second in 95 of 100.
"""
SAME = 0.75
"""Cosine that only a window of the very song reaches: none of 12,000 of other songs did, and nine
in ten of the same song, heard two seconds apart.
"""
N_RIVALS, SLACK, FLOOR, STRENGTH = 5, 0.1, 0.1, 16.0
"""What is more like a taught window than like the fifth-nearest example of other genres less
``SLACK``, and than ``FLOOR``, is of its genre: by so many natural units for a whole cosine.

Chosen by `python -m training.taught` and a cross-validation over the model's examples: most songs
of a corrected artist that come right for at most three in a thousand others that go wrong.
"""
_N_NEAREST = 200
"""Of the examples among which rivals are looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class SongMemory:
    """The windows that were taught."""

    centre: FloatArray
    """``(embedding_size,)``, of all music."""
    scale: FloatArray
    """``(embedding_size,)``, what makes every value vary alike over all music."""
    directions: FloatArray
    """``(n_windows, embedding_size)``, of length 1, those last that were taught last."""
    labels: IntArray
    """``(n_windows,)``."""
    known_directions: FloatArray
    """``(n_examples, embedding_size)``, of the model's examples, of length 1."""
    known_labels: IntArray
    """``(n_examples,)``."""

    @classmethod
    def of(
        cls, examples: Examples, stretches: Sequence[TaughtStretch], labels: Sequence[str]
    ) -> SongMemory:
        """Remember stretches.

        Args:
            examples: of the model: all kinds of music.
            stretches: what to remember; of the same music the one that was taught last counts.
            labels: all genres, the model's first.
        """
        # With those in rooms as rivals, too, twice as many right songs went wrong.
        examples = examples.select(examples.as_it_is)
        centre = examples.embeddings.mean(axis=0)
        scale = 1.0 / np.maximum(examples.embeddings.std(axis=0), 1e-6)
        in_turn = sorted(stretches, key=lambda one: one.ended_at)
        embeddings = np.concatenate([one.embeddings for one in in_turn])
        genres = [np.full(len(one.embeddings), labels.index(one.genre)) for one in in_turn]
        return cls(
            centre,
            scale,
            _directions(embeddings, centre, scale),
            np.concatenate(genres),
            _directions(examples.embeddings, centre, scale),
            examples.labels,
        )

    def apply(self, prediction: Prediction) -> Prediction:
        """Let what is known again be what it was said to be, and what is like it more likely so.

        Args:
            prediction: with all genres, and an embedding.
        """
        if prediction.embedding is None:
            return prediction
        direction = _directions(prediction.embedding[None], self.centre, self.scale)[0]
        cosines = _cosines(self.directions, direction)
        # How like each genre's most similar taught window it is.
        alike = np.full(len(prediction.probabilities), -1.0, np.float32)
        np.maximum.at(alike, self.labels, cosines)
        favoured = self._favoured(prediction, alike, direction)
        same = np.flatnonzero(cosines >= SAME)
        if len(same):
            # Whoever corrects a correction means the last word.
            alike[np.arange(len(alike)) != self.labels[same[-1]]] = -1.0
        return _known_again(favoured, alike)

    def _favoured(
        self, prediction: Prediction, alike: FloatArray, direction: FloatArray
    ) -> Prediction:
        """Make genres likelier that are taught by music more like this than their rivals."""
        evidence = STRENGTH * np.maximum(alike - self._rivals(direction, alike), 0.0)
        if not evidence.any():
            return prediction
        genres = prediction.probabilities * np.exp(evidence)
        total = float(genres.sum())
        share = prediction.familiar * total
        return replace(
            prediction,
            probabilities=np.asarray(genres / total, np.float32),
            familiar=share / (share + 1.0 - prediction.familiar),
        )

    def _rivals(self, direction: FloatArray, alike: FloatArray) -> FloatArray:
        """Say how alike a taught window must be to count, ``(n_labels,)``."""
        rivals = np.full(len(alike), FLOOR, np.float32)
        candidates = np.flatnonzero(alike > FLOOR)
        if not len(candidates):
            return rivals
        cosines = _cosines(self.known_directions, direction)
        n_nearest = min(_N_NEAREST, len(cosines))
        nearest = np.argpartition(-cosines, n_nearest - 1)[:n_nearest]
        nearest = nearest[np.argsort(-cosines[nearest])]
        for genre in candidates:
            others = cosines[nearest][self.known_labels[nearest] != genre]
            if len(others):
                rivals[genre] = max(FLOOR, others[min(N_RIVALS, len(others)) - 1] - SLACK)
        return rivals


def _cosines(directions: FloatArray, direction: FloatArray) -> FloatArray:
    """Give the cosine of each of ``(n, embedding_size)`` and one more, all of length 1."""
    # A product of this size wakes OpenBLAS's helper threads; see rtgenre.model.filter_banks.
    cosines: FloatArray = np.einsum("nd,d->n", directions, direction)
    return cosines


def _known_again(prediction: Prediction, alike: FloatArray) -> Prediction:
    """Let a window of a taught song be what it was said to be."""
    votes = np.clip((alike - STRANGE) / (FAMILIAR - STRANGE), 0.0, 1.0)
    weight = float(votes.max())
    if weight == 0.0:
        return prediction
    probabilities = (1.0 - weight) * prediction.probabilities + weight * votes / votes.sum()
    return replace(
        prediction,
        probabilities=np.asarray(probabilities, np.float32),
        music=max(prediction.music, weight),
        familiar=(1.0 - weight) * prediction.familiar + weight,
    )


def _directions(embeddings: FloatArray, centre: FloatArray, scale: FloatArray) -> FloatArray:
    values = (embeddings - centre) * scale
    sizes = np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)
    return np.asarray(values / sizes, dtype=np.float32)
