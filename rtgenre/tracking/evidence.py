"""Probabilities as logarithms, in which what windows say adds up; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rtgenre.types import FloatArray

_PROBABILITY_FLOOR = 1e-4
"""Keeps one confident mistake from outweighing many right windows."""


def log_probabilities(probabilities: FloatArray) -> FloatArray:
    """Turn probabilities of any shape into their logarithms, none of them below a floor."""
    return np.asarray(np.log(np.maximum(probabilities, _PROBABILITY_FLOOR)), dtype=np.float32)


def normalised(log_probabilities: FloatArray) -> FloatArray:
    """Turn ``(n,)`` logarithms, up to a common summand, into probabilities that sum to one."""
    likelihoods = np.exp(log_probabilities - log_probabilities.max())
    return np.asarray(likelihoods / likelihoods.sum(), dtype=np.float32)
