"""Fewer shapes: the second ear's patterns of pitch as sums of a few shapes over the bands.

Each of its vertical filters spans some frames and many bands. Written as shapes over the bands, the
same for all filters, that come and go over the frames (low-rank filters, Jaderberg et al. 2014),
they take a third of the multiplications.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.frontends.musicnn import Layer, Weights

    FloatArray = NDArray[np.float32]
    DoubleArray = NDArray[np.float64]

N_SHAPES = 16
_LEAST_VARIANCE = 1e-6
"""Of any direction, as a share of the mean."""


def factors(kernel: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Write filters as sums of at most ``N_SHAPES`` shapes over the bands, as closely as can be.

    Args:
        kernel: ``(n_taps, n_bands, n_filters)``.

    Returns:
        The shapes, ``(n_bands, n_shapes)``, and how they make the filters up over time,
        ``(n_taps, n_shapes, n_filters)``. Exact where so few make them up.
    """
    weights, shapes = _strongest(_rows(kernel))
    over_time = weights.reshape(len(kernel), -1, len(shapes)).transpose(0, 2, 1)
    return shapes.T.astype(np.float32), over_time.astype(np.float32)


def of_few_shapes(weights: Weights, log_mels: FloatArray) -> Weights:
    """Make all living vertical filters of few shapes, so that they hear of music what they heard.

    What the shapes leave out of what a filter says on average stands in its bias.

    Args:
        weights: of a musicnn.
        log_mels: ``(n_windows, n_frames, 96)``, of music.
    """
    frames = log_mels.reshape(-1, log_mels.shape[-1]).astype(float)
    frames = frames * weights.input_norm.scale + weights.input_norm.shift
    mean, moments = frames.mean(axis=0), frames.T @ frames / len(frames)
    vertical = tuple(_simplified(one, mean, moments) for one in weights.vertical)
    return replace(weights, vertical=vertical)


def _simplified(block: Layer, mean: DoubleArray, moments: DoubleArray) -> Layer:
    """Minimise what changes of its sums, given mean and second moments of the 96 bands."""
    alive = block.norm.is_alive
    kernel = block.kernel[..., 0, alive].astype(float)
    n_taps, n_bands, n_filters = kernel.shape
    places = range(len(mean) - n_bands + 1)
    heard = np.mean([mean[p : p + n_bands] for p in places], axis=0)
    covariance = np.mean([moments[p : p + n_bands, p : p + n_bands] for p in places], axis=0)
    covariance -= np.outer(heard, heard)
    variances, directions = np.linalg.eigh(covariance)
    spread = np.sqrt(np.maximum(variances, _LEAST_VARIANCE * variances.mean()))
    # Where all directions vary alike the closest filters are those with the strongest factors.
    weights, shapes = _strongest(_rows(kernel) @ directions * spread)
    rows = weights @ (shapes / spread @ directions.T)
    simple = rows.reshape(n_taps, n_filters, n_bands).transpose(0, 2, 1)
    kernels, biases = block.kernel.copy(), block.bias.copy()
    kernels[..., 0, alive] = simple
    biases[alive] += np.einsum("tbn,b->n", kernel - simple, heard)
    return replace(block, kernel=kernels, bias=biases)


def _strongest(rows: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    """Factor rows into weights and at most ``N_SHAPES`` shapes, which share their strength."""
    weights, strengths, shapes = np.linalg.svd(rows, full_matrices=False)
    roots = np.sqrt(strengths[:N_SHAPES])
    return weights[:, :N_SHAPES] * roots, roots[:, None] * shapes[:N_SHAPES]


def _rows(kernel: FloatArray) -> DoubleArray:
    """Let each tap of each filter be a row over the bands."""
    return kernel.transpose(0, 2, 1).reshape(-1, kernel.shape[1]).astype(float)
