"""How good predictions are, and how sure one can be of that; pure functions of arrays.

Windows of one track are not independent, so intervals on windows resample whole tracks; tracks are
taken as independent draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from training.data.dataset import FloatArray, IntArray

BoolArray = NDArray[np.bool_]

_Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class GenreScores:
    """How well one genre is recognised."""

    precision: float
    """0 where the genre was never predicted."""
    recall: float
    f1: float
    n: int
    """How many there truly are."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions of about the same confidence."""

    confidence: float
    """Their mean."""
    accuracy: float
    n: int


def confusion_matrix(truth: IntArray, predicted: IntArray, n_labels: int) -> IntArray:
    """Count how often each genre (row) was taken for each (column).

    Where any was taken for none, which is predicted as ``n_labels``, a last column counts those.
    """
    n_columns = max([n_labels, *(predicted + 1)])
    counts = np.zeros((n_labels, n_columns), dtype=np.int64)
    np.add.at(counts, (truth, predicted), 1)
    return counts


def genre_scores(confusion: IntArray) -> list[GenreScores]:
    """Read precision, recall and F1 of each genre from a confusion matrix."""
    scores = []
    for index in range(len(confusion)):
        right = int(confusion[index, index])
        n_predicted, n_true = int(confusion[:, index].sum()), int(confusion[index].sum())
        precision = right / n_predicted if n_predicted else 0.0
        recall = right / n_true if n_true else 0.0
        f1 = 2 * right / (n_predicted + n_true) if n_predicted + n_true else 0.0
        scores.append(GenreScores(precision, recall, f1, n_true))
    return scores


def reliability_bins(probabilities: FloatArray, truth: IntArray, n_bins: int = 15) -> list[Bin]:
    """Group predictions by confidence, in bins of equal width; empty bins are left out."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == truth
    which = np.minimum((confidence * n_bins).astype(np.int64), n_bins - 1)
    bins = []
    for index in np.unique(which):
        inside = which == index
        bins.append(
            Bin(float(confidence[inside].mean()), float(correct[inside].mean()), int(inside.sum()))
        )
    return bins


def expected_calibration_error(bins: list[Bin]) -> float:
    """Average the gap between confidence and accuracy over the predictions (Guo et al. 2017)."""
    n = sum(one.n for one in bins)
    return sum(one.n * abs(one.confidence - one.accuracy) for one in bins) / n


def wilson_interval(n_right: int, n: int) -> tuple[float, float]:
    """Bound a share with 95 % confidence (Wilson 1927)."""
    if n == 0:
        return 0.0, 1.0
    share = n_right / n
    centre = share + _Z_95**2 / (2 * n)
    spread = _Z_95 * np.sqrt(share * (1 - share) / n + _Z_95**2 / (4 * n**2))
    scale = 1 + _Z_95**2 / n
    return float((centre - spread) / scale), float((centre + spread) / scale)


def bootstrap_interval(
    correct: BoolArray, track_index: IntArray, n_draws: int = 2000, seed: int = 1
) -> tuple[float, float]:
    """Bound the share of right windows with 95 % confidence, by drawing tracks anew.

    Args:
        correct: ``(n_windows,)``.
        track_index: ``(n_windows,)``, which track each window is from.
        n_draws: how many times as many tracks are drawn, with replacement.
        seed: makes the interval repeatable.
    """
    tracks, positions = np.unique(track_index, return_inverse=True)
    n_windows = np.bincount(positions)
    n_right = np.bincount(positions, weights=correct)
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, len(tracks), (n_draws, len(tracks)))
    shares = n_right[draws].sum(axis=1) / n_windows[draws].sum(axis=1)
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(low), float(high)
