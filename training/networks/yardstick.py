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

    from training.data.dataset import FloatArray
    from training.networks.fitting import Examples

_C = 0.003
_ITERATIONS = 60


def fit_linear_head(examples: Examples) -> keras.Model:
    """Fit on the mean and maximum over time of windows as they are and through rooms.

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
    n_outputs = examples.n_labels + N_FURTHER
    kernel = np.zeros((pooled.shape[1], n_outputs), np.float32)
    bias = np.zeros(n_outputs, np.float32)
    questions = (
        (slice(0, examples.n_labels), known, genres),
        (slice(-2, -1), np.ones(len(known), bool), music),
        (slice(-1, None), music, known),
    )
    for columns, rows, answers in questions:
        model = LogisticRegression(C=_C, max_iter=_ITERATIONS)
        weights = drawn[rows] / drawn[rows].mean()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(pooled[rows], answers[rows], sample_weight=weights)
        slopes, intercepts = model.coef_, model.intercept_
        if len(slopes) < len(bias[columns]):  # two genres have one slope, between them
            slopes, intercepts = (np.concatenate([-one, one]) / 2 for one in (slopes, intercepts))
        kernel[:, columns] = slopes.T / scaler.scale_[:, None]
        bias[columns] = intercepts - (slopes / scaler.scale_) @ scaler.mean_
    _, n_steps, n_values = examples.copies[0].shape
    head = build_linear_head(n_steps, n_values, n_outputs)
    head.get_layer("linear_logits").set_weights([kernel, bias])
    return head


def _pooled(steps: np.ndarray) -> FloatArray:
    values = steps.astype(np.float32)
    return np.concatenate([values.mean(axis=1), values.max(axis=1)], axis=1)
