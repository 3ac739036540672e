"""Multinomial logistic regression with a Gaussian prior around given coefficients; pure.

Written here in numpy: the libraries that have it (scipy, scikit-learn) are larger than all that the
service needs together, and take no prior other than nought.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtgenre.model.head import log_sum

if TYPE_CHECKING:
    from rtgenre.learning.examples import IntArray
    from rtgenre.types import FloatArray

MOST_STEPS = 60
SMALLEST_STEP = 2e-3
"""Of any coefficient: with smaller ones it has converged."""
_BIAS_FREEDOM = 1e-3
"""Of the ridge, on biases."""


def fit_coefficients(
    values: FloatArray,
    columns: IntArray,
    weights: FloatArray,
    prior: FloatArray,
    *,
    ridge: float,
    offsets: FloatArray | None = None,
) -> FloatArray:
    """Find the coefficients that explain best which column each row is of.

    Steps go by a bound on the curvature (Böhning 1992), which is the same for every column and
    step, so that one small matrix is inverted once, and are accelerated as by Nesterov.

    Args:
        values: ``(n, n_values)``, of a size near 1.
        columns: ``(n,)``, which column each row is of.
        weights: ``(n,)``, near 1.
        prior: ``(n_values + 1, n_columns)``, where coefficients stay without rows; biases last.
        ridge: how many rows' worth the prior is.
        offsets: ``(n, n_columns)``, added to the logits.

    Returns:
        As ``prior``.
    """
    rows = with_ones(values)
    ridges = np.full((len(prior), 1), ridge, np.float32)
    ridges[-1] *= _BIAS_FREEDOM
    curvature = 0.5 * (rows * weights[:, None]).T @ rows + np.diag(ridges[:, 0])
    inverse = np.linalg.inv(curvature).astype(np.float32)
    truth = np.zeros((len(rows), prior.shape[1]), np.float32)
    truth[np.arange(len(rows)), columns] = 1.0
    found = ahead = prior.astype(np.float32)
    momentum = 1.0
    for _ in range(MOST_STEPS):
        logits = rows @ ahead
        if offsets is not None:
            logits += offsets
        errors = (np.exp(logits - log_sum(logits)) - truth) * weights[:, None]
        step = inverse @ (rows.T @ errors + ridges * (ahead - prior))
        following = ahead - step
        if np.vdot(step, curvature @ (following - found)) > 0:
            momentum = 1.0  # it went too far
        faster = (1.0 + np.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
        moved = following - found
        ahead = following + np.float32((momentum - 1.0) / faster) * moved
        found, momentum = following, faster
        if np.abs(moved).max() < SMALLEST_STEP:
            break
    return found


def with_ones(values: FloatArray) -> FloatArray:
    """Put a 1 behind the values of every row, for the bias."""
    return np.concatenate([values, np.ones((len(values), 1), np.float32)], axis=1)
