"""Logistic regression on the ear's values: the honest yardstick, and one voice of the model."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from training.networks.fitting import NO_GENRE
from training.networks.heads import N_FURTHER, build_linear_head

if TYPE_CHECKING:
    import keras

    from training.data.dataset import FloatArray, IntArray
    from training.networks.fitting import Examples

_C = 0.001
_ITERATIONS = 60
_EVEN = 0.7
"""How much of the spread within genres counts as if it were the same in all directions."""


def fit_linear_head(examples: Examples) -> keras.Model:
    """Fit on the mean and maximum over time of windows as they are and through rooms.

    Directions in which windows of one genre differ count for less (within-class covariance
    normalisation, Hatch et al. 2006).

    Returns:
        ``(batch, n_steps, n_values)`` to logits ``(batch, n_labels + 2)``: genres, then music, then
        one of the genres.
    """
    scaler = StandardScaler()
    n_copies = len(examples.copies)
    genres = np.tile(examples.genres, n_copies)
    known = genres != NO_GENRE
    music = np.tile(examples.is_music, n_copies) > 0
    drawn = np.tile(examples.weights, n_copies)
    pooled = scaler.fit_transform(np.concatenate([_pooled(copy) for copy in examples.copies]))
    even = _evening(pooled[known], genres[known])
    pooled = pooled @ even
    n_outputs = examples.n_labels + N_FURTHER
    kernel = np.zeros((pooled.shape[1], n_outputs), np.float32)
    bias = np.zeros(n_outputs, np.float32)
    questions = (
        (slice(0, examples.n_labels), known, genres),
        (slice(-2, -1), np.ones(len(known), bool), music),
        (slice(-1, None), music, known),
    )
    for columns, rows, answers in questions:
        if len(set(answers[rows].tolist())) < 2:  # no other music: nothing tells it
            sign = 1.0 if answers[rows][0] else -1.0
            bias[columns] = sign * np.log1p(np.sum(rows))  # Laplace's rule of succession
            continue
        model = LogisticRegression(C=_C, max_iter=_ITERATIONS)
        weights = drawn[rows] / drawn[rows].mean()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(pooled[rows], answers[rows], sample_weight=weights)
        slopes, intercepts = model.coef_, model.intercept_
        if len(slopes) < len(bias[columns]):  # two genres have one slope, between them
            slopes, intercepts = (np.concatenate([-one, one]) / 2 for one in (slopes, intercepts))
        kernel[:, columns] = even @ slopes.T / scaler.scale_[:, None]
        bias[columns] = intercepts - scaler.mean_ @ kernel[:, columns]
    _, n_steps, n_values = examples.copies[0].shape
    head = build_linear_head(n_steps, n_values, n_outputs)
    head.get_layer("linear_logits").set_weights([kernel, bias])
    return head


def _pooled(steps: np.ndarray) -> FloatArray:
    values = steps.astype(np.float32)
    return np.concatenate([values.mean(axis=1), values.max(axis=1)], axis=1)


def _evening(values: FloatArray, genres: IntArray) -> FloatArray:
    """Make what brings the spread of values within genres nearer to the same in all directions.

    Args:
        values: ``(n, n_values)``, standardised.
        genres: ``(n,)``.

    Returns:
        ``(n_values, n_values)``, by which values are multiplied.
    """
    covariance = np.zeros((values.shape[1],) * 2)
    for genre in np.unique(genres):
        mine = values[genres == genre]
        off = mine - mine.mean(axis=0)
        covariance += off.T @ off / len(values)
    variance = np.trace(covariance) / len(covariance)
    covariance = (1.0 - _EVEN) * covariance + _EVEN * variance * np.eye(len(covariance))
    variances, directions = np.linalg.eigh(covariance)
    return np.asarray(directions / np.sqrt(variances / variances.mean()), np.float32)
