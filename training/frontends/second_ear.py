"""The second ear: musicnn for the Million Song Dataset, as it was, ready to ship.

It takes musicnn's log-mel spectrogram of a whole window and gives the 200 values before its tags.
Filters that died in its training (nine of ten vertical ones) are left out; what they always gave
becomes part of the biases behind them. Sums are arranged so that LiteRT runs them fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers, ops

from rtgenre.model.features import MUSICNN_FEATURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.frontends.musicnn import Layer, Norm, Weights

    FloatArray = NDArray[np.float32]

Tensor = Any
_TOGETHER = 4
"""Frames that a horizontal block works out at once, as output channels."""


def build_second_ear(weights: Weights) -> keras.Model:
    """Build it.

    Returns:
        ``(batch, 251, 96)``, a log-mel spectrogram, to ``(batch, 1, 200)``.
    """
    window = keras.Input((MUSICNN_FEATURES.n_frames, MUSICNN_FEATURES.n_mels), name="window")
    x = layers.Reshape((*window.shape[1:], 1))(window)
    x = _scaled(x, weights.input_norm, "musicnn_input_norm")
    front = [*weights.vertical, *weights.horizontal]
    blocks = [
        *(_vertical(x, one, f"musicnn_v{i}") for i, one in enumerate(weights.vertical)),
        *(_horizontal(x, one, f"musicnn_h{i}") for i, one in enumerate(weights.horizontal)),
    ]
    x = layers.Concatenate()(blocks)
    alive = np.concatenate([one.norm.is_alive for one in front])
    constants = np.concatenate([one.norm.shift for one in front])
    frames = [x]
    for index, one in enumerate(weights.middle):
        kernel, bias = one.kernel, one.bias
        if index == 0:
            bias = bias + constants[~alive] @ kernel[:, ~alive].sum(axis=0)
            kernel = kernel[:, alive]
        y = _middle(x, kernel, bias, one.norm, f"musicnn_m{index}")
        x = layers.Add()([x, y]) if index else y
        frames.append(x)
    heard = layers.Concatenate()(frames)
    pools = [layers.GlobalMaxPooling1D()(heard), layers.GlobalAveragePooling1D()(heard)]
    kernel, bias = _folded_dense(weights, np.append(alive, np.ones(192, bool)), constants)
    dense = layers.Dense(len(bias), activation="relu", name="musicnn_dense")
    said = dense(layers.Concatenate()(pools))
    dense.set_weights([kernel, bias])
    said = _scaled(said, weights.dense.norm, "musicnn_dense_norm")
    return keras.Model(window, layers.Reshape((1, len(bias)))(said), name="second_ear")


def _folded_dense(
    weights: Weights, alive: NDArray[np.bool_], constants: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Fold the normalisation before the dense layer, and what dead filters gave, into it.

    Maximum and mean of a value stand side by side in musicnn, and behind each other here.
    """
    if weights.pooled_norm is None:
        raise ValueError(f"{weights.name} has no normalisation of its pools: it is not musicnn's")
    kernel = weights.dense.kernel * weights.pooled_norm.scale[:, None]
    bias = weights.dense.bias + weights.pooled_norm.shift @ weights.dense.kernel
    always = np.append(constants, np.zeros(len(alive) - len(constants), np.float32))
    of_maxima, of_means = kernel[0::2], kernel[1::2]
    bias = bias + always[~alive] @ (of_maxima + of_means)[~alive]
    return np.concatenate([of_maxima[alive], of_means[alive]]), bias.astype(np.float32)


def _vertical(x: Tensor, block: Layer, name: str) -> Tensor:
    """Find patterns of pitch, wherever they lie: ``(n_frames, 96, 1)`` to a value a frame.

    The frames that a kernel spans become input channels: the same sums, faster.
    """
    alive = block.norm.is_alive
    taps = len(block.kernel)
    before = (taps - 1) // 2
    x = layers.ZeroPadding2D(((before, taps - 1 - before), (0, 0)))(x)
    shifted = [layers.Cropping2D(((tap, taps - 1 - tap), (0, 0)))(x) for tap in range(taps)]
    kernel = block.kernel[..., alive].transpose(2, 1, 0, 3)  # (1, n_bands, taps, n_filters)
    x = _convolution(layers.Concatenate()(shifted), kernel, block.bias[alive], name)
    return ops.max(_scaled(x, block.norm.select(alive), f"{name}_norm"), axis=2)


def _horizontal(x: Tensor, block: Layer, name: str) -> Tensor:
    """Find patterns in time, in any band: ``(n_frames, 96, 1)`` to a value a frame.

    Frames are worked out a few at a time, as output channels: the same sums, faster.
    """
    alive = block.norm.is_alive
    n_frames, n_filters = x.shape[1], int(alive.sum())
    more = -n_frames % _TOGETHER
    taps = len(block.kernel)
    before = (taps - 1) // 2
    x = layers.ZeroPadding2D(((before, taps - 1 - before + more), (0, 0)))(x)
    kernel = block.kernel[:, None][..., alive]  # (taps, 1, 1, n_filters)
    copies = [
        np.pad(kernel, ((shift, _TOGETHER - 1 - shift), (0, 0), (0, 0), (0, 0)))
        for shift in range(_TOGETHER)
    ]
    bias = np.tile(block.bias[alive], _TOGETHER)
    x = _convolution(x, np.concatenate(copies, axis=-1), bias, name, stride=_TOGETHER)
    x = ops.max(_scaled(x, block.norm.select(alive).tiled(_TOGETHER), f"{name}_norm"), axis=2)
    x = layers.Reshape((n_frames + more, n_filters))(x)
    return layers.Cropping1D((0, more))(x)


def _convolution(
    x: Tensor, kernel: FloatArray, bias: FloatArray, name: str, stride: int = 1
) -> Tensor:
    layer = layers.Conv2D(
        kernel.shape[-1], kernel.shape[:2], strides=(stride, 1), activation="relu", name=name
    )
    x = layer(x)
    layer.set_weights([kernel, bias])
    return x


def _middle(x: Tensor, kernel: FloatArray, bias: FloatArray, norm: Norm, name: str) -> Tensor:
    before = (len(kernel) - 1) // 2
    x = layers.ZeroPadding1D((before, len(kernel) - 1 - before))(x)
    layer = layers.Conv1D(kernel.shape[-1], len(kernel), activation="relu", name=name)
    x = layer(x)
    layer.set_weights([kernel, bias])
    return _scaled(x, norm, f"{name}_norm")


def _scaled(x: Tensor, norm: Norm, name: str) -> Tensor:
    """Add a batch normalisation that keeps the statistics it was pretrained with."""
    layer = layers.BatchNormalization(epsilon=0.0, name=name, trainable=False)
    x = layer(x)
    ones, zeros = np.ones_like(norm.scale), np.zeros_like(norm.scale)
    layer.set_weights([norm.scale, norm.shift, zeros, ones])
    return x
