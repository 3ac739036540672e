"""Logistic regression on the ear's values: the honest yardstick, and one voice of the model."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from training.frontends.hearing import AS_IT_IS, TALK
from training.networks.fitting import NO_GENRE
from training.networks.heads import N_FURTHER, build_linear_head

if TYPE_CHECKING:
    from collections.abc import Sequence

    import keras
    from numpy.typing import NDArray

    from training.data.dataset import FloatArray, IntArray
    from training.networks.fitting import Examples

_C = 0.001
_ITERATIONS = 60
_EVEN = 0.7
"""How much of the spread within genres counts as if it were the same in all directions."""
_OTHERS_WEIGHT = 0.5
"""Of copies that a verdict is not about, relative to the one that it is about."""
_TALK_ODDS = 0.35
"""Odds of talk over music, relative to those among what is learnt: in life it is rarer."""


def fit_linear_head(examples: Examples) -> keras.Model:
    """Fit on the mean and maximum over time of windows.

    What people talk over is judged by other weights, which are learnt from all copies: learnt
    together with the rest it would cost music that nobody talks over. Where it is not among the
    copies, all is judged alike.

    Returns:
        ``(batch, n_steps, n_values)`` to logits ``(batch, n_labels + 2)``: genres, then music, then
        one of the genres.
    """
    _, n_steps, n_values = examples.copies[0].shape
    head = build_linear_head(n_steps, n_values, examples.n_labels + N_FURTHER)
    pooled = [_pooled(copy) for copy in examples.copies]
    alone = _fit_verdicts(pooled[:TALK], examples, about=AS_IT_IS)
    talked_over, talk = alone, [np.zeros((len(alone[0]), 1), np.float32), np.zeros(1, np.float32)]
    if len(pooled) > TALK:
        talked_over = _fit_verdicts(pooled, examples, about=TALK)
        talk = _fit_talk(pooled, examples)
    for name, weights in (("alone", alone), ("talked_over", talked_over), ("talk", talk)):
        head.get_layer(name).set_weights(weights)
    return head


def _fit_verdicts(
    copies: Sequence[FloatArray], examples: Examples, *, about: int
) -> list[FloatArray]:
    """Tell genres apart, music from what is not, and the genres' music from other music.

    Directions in which windows of one genre differ count for less (within-class covariance
    normalisation, Hatch et al. 2006).

    Args:
        copies: each ``(n_windows, n_pooled)``.
        examples: what the windows are.
        about: which copy counts most.

    Returns:
        Kernel ``(n_pooled, n_labels + 2)`` and bias ``(n_labels + 2,)``.
    """
    scaler = StandardScaler()
    genres = np.tile(examples.genres, len(copies))
    known = genres != NO_GENRE
    music = np.tile(examples.is_music, len(copies)) > 0
    copy_weights = np.where(np.arange(len(copies)) == about, 1.0, _OTHERS_WEIGHT)
    drawn = np.outer(copy_weights.astype(np.float32), examples.weights).ravel()
    pooled = scaler.fit_transform(np.concatenate(copies))
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
        slopes, intercepts = _regress(pooled[rows], answers[rows], drawn[rows])
        if len(slopes) < len(bias[columns]):  # two genres have one slope, between them
            slopes, intercepts = (np.concatenate([-one, one]) / 2 for one in (slopes, intercepts))
        kernel[:, columns], bias[columns] = _of_raw_values(scaler, even @ slopes.T, intercepts)
    return [kernel, bias]


def _fit_talk(copies: Sequence[FloatArray], examples: Examples) -> list[FloatArray]:
    """Tell music that people talk over from other music, and from talk alone.

    Returns:
        Kernel ``(n_pooled, 1)`` and bias ``(1,)``.
    """
    scaler = StandardScaler()
    pooled = scaler.fit_transform(np.concatenate(copies))
    talk = np.arange(len(copies)).repeat(len(examples.genres)) == TALK
    talk &= np.tile(examples.is_music, len(copies)) > 0
    slopes, intercepts = _regress(pooled, talk, np.tile(examples.weights, len(copies)))
    kernel, bias = _of_raw_values(scaler, slopes.T, intercepts)
    return [kernel, bias + np.log(_TALK_ODDS)]


def _regress(
    values: FloatArray, answers: NDArray[Any], weights: FloatArray
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Fit logistic regression; weights count relative to their mean."""
    model = LogisticRegression(C=_C, max_iter=_ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(values, answers, sample_weight=weights / weights.mean())
    return model.coef_, model.intercept_


def _of_raw_values(
    scaler: StandardScaler, kernel: NDArray[Any], bias: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Make what weighs standardised values weigh values as they are."""
    raw = kernel / scaler.scale_[:, None]
    return raw, bias - scaler.mean_ @ raw


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
