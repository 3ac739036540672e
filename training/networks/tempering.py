"""Be less sure that music is of the genres, the farther it is from all that was learnt of them.

How far a window is from a genre is Mahalanobis' distance (Lee et al. 2018) in the first components
of the embedding. Each genre has a covariance of its own, drawn half-way to the one that all share
(regularised discriminant analysis, Friedman 1989).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers, ops

from training.networks.batches import predict
from training.networks.fitting import NO_GENRE

if TYPE_CHECKING:
    from training.data.dataset import FloatArray, IntArray
    from training.networks.fitting import Examples

Tensor = Any
_N_COMPONENTS = 64
_OWN_SHARE = 0.5
"""Of a genre's own covariance; the rest is the shared one."""
_RIDGE = 0.1
"""Added to each direction's variance, relative to their mean."""


def fit_tempering(
    examples: Examples, embedding: keras.Model, n_logits: int, *, weight: float, least: float
) -> keras.Model:
    """Find where the genres are.

    Args:
        examples: all copies count.
        embedding: what the ears hear of a window to ``(batch, size)``.
        n_logits: what is tempered; the last one is that of familiar.
        weight: what familiar loses for each standard deviation that a window is farther than usual.
        least: logit that it keeps: distance alone makes nothing unfamiliar, for what stands out
            farthest is often known.

    Returns:
        Logits ``(batch, n_logits)`` and embeddings ``(batch, size)`` to logits.
    """
    known = np.flatnonzero(examples.genres != NO_GENRE)
    embedded = np.concatenate([predict(embedding, copy[known]) for copy in examples.copies])
    genres = np.tile(examples.genres[known], len(examples.copies))
    distance = _fit_distance(embedded, genres)
    logits = keras.Input((n_logits,), name="logits")
    embeddings = keras.Input((embedded.shape[1],), name="embeddings")
    familiar = logits[:, -1:]
    lowered = familiar - weight * ops.relu(distance(embeddings))
    lowered = ops.maximum(lowered, ops.minimum(familiar, least))
    tempered = layers.Concatenate()([logits[:, :-1], lowered])
    return keras.Model([logits, embeddings], tempered, name="tempering")


def _fit_distance(embedded: FloatArray, genres: IntArray) -> keras.Model:
    """Measure the distance from the nearest genre.

    Returns:
        ``(batch, size)`` to ``(batch, 1)``, of mean 0 and variance 1 over ``embedded``.
    """
    size = embedded.shape[1]
    n_components = min(_N_COMPONENTS, size)
    kernel, bias = _whitening(embedded[:, :n_components], genres)
    embeddings = keras.Input((size,), name="embeddings")
    project = layers.Dense(len(bias), name="whiten")
    white = layers.Reshape((-1, n_components))(project(embeddings[:, :n_components]))
    project.set_weights([kernel, bias])
    nearest = ops.min(ops.sum(ops.square(white), axis=2), axis=1, keepdims=True)
    apart = keras.Model(embeddings, ops.sqrt(nearest))
    usual = apart.predict(embedded, batch_size=4096, verbose=0)
    spread = float(usual.std())
    standard = layers.Rescaling(1.0 / spread, offset=-float(usual.mean()) / spread)
    return keras.Model(embeddings, standard(apart.output), name="distance")


def _whitening(embedded: FloatArray, genres: IntArray) -> tuple[FloatArray, FloatArray]:
    """Map embeddings so that each genre's have mean 0 and vary alike in all directions.

    Returns:
        Kernel ``(size, n_genres * size)`` and bias ``(n_genres * size,)``, genre by genre.
    """
    numbers = np.unique(genres)
    centres = np.stack([embedded[genres == one].mean(axis=0) for one in numbers])
    apart = embedded - centres[np.searchsorted(numbers, genres)]
    shared = apart.T @ apart / len(apart)
    kernels = []
    for one in numbers:
        mine = apart[genres == one]
        covariance = _OWN_SHARE * mine.T @ mine / len(mine) + (1 - _OWN_SHARE) * shared
        covariance += _RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        kernels.append(np.linalg.inv(np.linalg.cholesky(covariance)).T)
    biases = [-centre @ kernel for centre, kernel in zip(centres, kernels, strict=True)]
    return (
        np.concatenate(kernels, axis=1).astype(np.float32),
        np.concatenate(biases).astype(np.float32),
    )
