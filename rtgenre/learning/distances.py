"""From the examples of a model to the distance from all its genres; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.model.distance import GenreDistance

if TYPE_CHECKING:
    from rtgenre.learning.examples import Examples

EVENNESS = 0.1
"""Of the mean variance, what is added to all: directions that hardly vary would decide else."""
WEIGHT = 3.0
"""Spread of the distance beside values of spread 1: regression holds on to what is small."""
_LEAST = 1e-6


def fit_distance(examples: Examples, n_labels: int) -> GenreDistance:
    """Learn where genres are, and how music of one genre varies.

    Args:
        examples: at least one window of every genre.
        n_labels: how many genres there are.
    """
    genres = [examples.embeddings[examples.labels == label] for label in range(n_labels)]
    centres = np.stack([one.mean(axis=0) for one in genres])
    apart = np.concatenate([one - centre for one, centre in zip(genres, centres, strict=True)])
    spread = apart.T @ apart / len(apart)
    even = max(EVENNESS * float(np.trace(spread)) / len(spread), _LEAST)
    root = np.linalg.cholesky(spread + even * np.eye(len(spread)))
    whitening = np.asarray(np.linalg.inv(root).T, np.float32)
    centres = np.asarray(centres @ whitening, np.float32)
    distance = GenreDistance(whitening, centres, np.array([0.0, 1.0], np.float32))
    found = distance.plain(np.concatenate(genres))
    standard = np.array([found.mean(), WEIGHT / max(float(found.std()), _LEAST)], np.float32)
    return replace(distance, standard=standard)
