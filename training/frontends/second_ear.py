"""The second ear: musicnn for the Million Song Dataset, taught on with the first one.

It takes musicnn's log-mel spectrogram of a whole window and gives the 200 values before its tags.
Filters that died in its training (nine of ten vertical ones) are left out; what they always gave
becomes part of the biases behind them. While it is taught its sums are musicnn's own; where it
ships they are arranged so that LiteRT runs them fast.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers

from rtgenre.model.feature_params import MUSICNN_FEATURES
from training.data.dataset import DatasetError
from training.frontends.musicnn import build_musicnn, read_million_songs
from training.frontends.shapes import factors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from training.frontends.musicnn import Layer, Norm, Weights

    FloatArray = NDArray[np.float32]

Tensor = Any
SECOND_EAR_FILE_NAME = "second_ear.npz"
"""In the folder of a run of ``training.distil``: the arrays that teaching changes."""
BANDS_TOGETHER = 8
FRAMES_TOGETHER = 16
"""How many places side by side become channels, which keep a processor's vector units busy."""


def build_second_pupil(weights: Weights, n_samples: int) -> keras.Model:
    """Build it as it is taught: ``(batch, n_samples)`` at 16 kHz to its 200 values."""
    model = build_musicnn(weights, n_samples)
    return keras.Model(model.input, model.output[weights.name], name="second_ear")


def taught_arrays(pupil: keras.Model) -> dict[str, FloatArray]:
    """Give what its layers have become, by their names."""
    return {
        f"{layer.name}/{kind}": array
        for layer in pupil.layers
        for kind, array in zip(("kernel", "bias"), layer.get_weights(), strict=False)
    }


def with_taught(weights: Weights, arrays: Mapping[str, FloatArray]) -> Weights:
    """Put what was taught, ``taught_arrays``, in the place of what was."""

    def layer(name: str, one: Layer) -> Layer:
        kernel, bias = (arrays[f"{weights.name}_{name}/{kind}"] for kind in ("kernel", "bias"))
        alive = one.norm.is_alive if len(bias) < len(one.bias) else np.ones(len(bias), bool)
        all_kernels, all_biases = one.kernel.copy(), one.bias.copy()
        all_kernels[..., alive] = kernel.reshape(*all_kernels.shape[:-1], -1)
        all_biases[alive] = bias
        return replace(one, kernel=all_kernels, bias=all_biases)

    def several(letter: str, blocks: tuple[Layer, ...]) -> tuple[Layer, ...]:
        return tuple(layer(f"{letter}{index}", one) for index, one in enumerate(blocks))

    return replace(
        weights,
        vertical=several("v", weights.vertical),
        horizontal=several("h", weights.horizontal),
        middle=several("m", weights.middle),
        dense=layer("dense", weights.dense),
    )


def read_second_ear(run: Path) -> Weights:
    """Read what a run of ``training.distil`` made of musicnn.

    Raises:
        DatasetError: the run has none.
    """
    path = run / SECOND_EAR_FILE_NAME
    if not path.exists():
        raise DatasetError(f"{run} has no {SECOND_EAR_FILE_NAME}; make it with training.distil")
    with np.load(path, allow_pickle=False) as arrays:
        return with_taught(read_million_songs(), dict(arrays))


def build_second_ear(weights: Weights) -> keras.Model:
    """Build it as it ships.

    Returns:
        ``(batch, 251, 96)``, a log-mel spectrogram, to ``(batch, 1, 200)``.
    """
    window = keras.Input((MUSICNN_FEATURES.n_frames, MUSICNN_FEATURES.n_mels), name="window")
    x = layers.Reshape((*window.shape[1:], 1))(window)
    x = _scaled(x, weights.input_norm, "musicnn_input_norm")
    front = [*weights.vertical, *weights.horizontal]
    blocks = [
        *(_vertical(x, one, f"musicnn_v{i}") for i, one in enumerate(weights.vertical)),
        _horizontal(x, weights.horizontal),
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
    kernel, bias = folded_dense(weights, np.append(alive, np.ones(192, bool)), constants)
    dense = layers.Dense(len(bias), activation="relu", name="musicnn_dense")
    said = dense(layers.Concatenate()(pools))
    dense.set_weights([kernel, bias])
    said = _scaled(said, weights.dense.norm, "musicnn_dense_norm")
    return keras.Model(window, layers.Reshape((1, len(bias)))(said), name="second_ear")


def folded_dense(
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

    Its filters are taken for sums of a few shapes over the bands, the same for all of them, that
    come and go over the frames (low-rank filters, Jaderberg et al. 2014): a third of the work.
    """
    norm = block.norm.select(block.norm.is_alive)
    shapes, over_time = factors(block.kernel[..., 0, block.norm.is_alive])
    n_taps, n_bands, n_shapes = len(over_time), len(shapes), shapes.shape[1]
    n_places = x.shape[2] - n_bands + 1
    n_groups = -(-n_places // BANDS_TOGETHER)
    before = (n_taps - 1) // 2
    kernel = _repeated(shapes[None], BANDS_TOGETHER, axis=1)
    kernel = kernel.reshape(1, -1, BANDS_TOGETHER, kernel.shape[-1])
    x = layers.Reshape((x.shape[1], x.shape[2] // BANDS_TOGETHER, BANDS_TOGETHER))(x)
    more = n_groups - 1 + kernel.shape[1] - x.shape[2]
    x = layers.ZeroPadding2D(((before, n_taps - 1 - before), (0, more)))(x)
    no_bias = np.zeros(kernel.shape[-1], np.float32)
    x = _convolution(x, kernel, no_bias, f"{name}_shapes", activation=None)
    x = layers.Reshape((x.shape[1], n_groups * BANDS_TOGETHER, n_shapes))(x)
    x = layers.Cropping2D(((0, 0), (0, x.shape[2] - n_places)))(x)
    x = _convolution(x, over_time[:, None], block.bias[block.norm.is_alive], name)
    return _scaled_maximum(x, norm, f"{name}_norm")


def _horizontal(x: Tensor, blocks: Sequence[Layer]) -> Tensor:
    """Find patterns in time, in any band: ``(n_frames, 96, 1)`` to some values a frame.

    Some frames one after another become channels, of the input and of the output: the same sums,
    faster.
    """
    n_frames, n_bands, _ = x.shape[1:]
    n_groups = -(-n_frames // FRAMES_TOGETHER)
    n_before = -(-max(len(block.kernel) for block in blocks) // (2 * FRAMES_TOGETHER))
    n_all = n_groups + 2 * n_before
    before = n_before * FRAMES_TOGETHER
    x = layers.ZeroPadding2D(((before, n_all * FRAMES_TOGETHER - before - n_frames), (0, 0)))(x)
    x = layers.Reshape((n_all, FRAMES_TOGETHER, n_bands))(x)
    x = layers.Permute((1, 3, 2))(x)
    heard = []
    for index, block in enumerate(blocks):
        norm, name = block.norm.select(block.norm.is_alive), f"musicnn_h{index}"
        skipped, shift = divmod(before - (len(block.kernel) - 1) // 2, FRAMES_TOGETHER)
        kernel = np.pad(block.kernel[..., block.norm.is_alive], ((shift, 0), (0, 0), (0, 0)))
        kernel = _repeated(kernel, FRAMES_TOGETHER, axis=0)
        kernel = kernel.reshape(-1, 1, FRAMES_TOGETHER, kernel.shape[-1])
        unheard = n_all - skipped - (n_groups - 1 + len(kernel))
        y = layers.Cropping2D(((skipped, unheard), (0, 0)))(x)
        y = _convolution(y, kernel, np.tile(block.bias[block.norm.is_alive], FRAMES_TOGETHER), name)
        y = _scaled_maximum(y, norm.tiled(FRAMES_TOGETHER), f"{name}_norm")
        heard.append(layers.Reshape((n_groups * FRAMES_TOGETHER, len(norm.scale)))(y))
    return layers.Cropping1D((0, n_groups * FRAMES_TOGETHER - n_frames))(
        layers.Concatenate()(heard)
    )


def _repeated(kernel: FloatArray, n: int, axis: int) -> FloatArray:
    """Let a kernel work out ``n`` places side by side along an axis, as output channels.

    Its length along the axis becomes a multiple of ``n``.
    """
    length = -(-(kernel.shape[axis] + n - 1) // n) * n
    copies = []
    for shift in range(n):
        widths = [(0, 0)] * kernel.ndim
        widths[axis] = (shift, length - kernel.shape[axis] - shift)
        copies.append(np.pad(kernel, widths))
    return np.concatenate(copies, axis=-1)


def _convolution(
    x: Tensor, kernel: FloatArray, bias: FloatArray, name: str, activation: str | None = "relu"
) -> Tensor:
    layer = layers.Conv2D(kernel.shape[-1], kernel.shape[:2], activation=activation, name=name)
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


def _scaled_maximum(x: Tensor, norm: Norm, name: str) -> Tensor:
    """Normalise, and take the maximum over the bands: ``(n, bands, m)`` to ``(n, m)``.

    Of what is scaled by a positive number the maximum can come first, on a tenth of the values.
    LiteRT works out a pooling much faster than a reduction.
    """
    pool = layers.MaxPooling2D((1, x.shape[2]))
    flat = layers.Reshape((x.shape[1], x.shape[3]))
    if (norm.scale > 0).all():
        return _scaled(flat(pool(x)), norm, name)
    return flat(pool(_scaled(x, norm, name)))


def _scaled(x: Tensor, norm: Norm, name: str) -> Tensor:
    """Add a batch normalisation that keeps the statistics it was pretrained with."""
    layer = layers.BatchNormalization(epsilon=0.0, name=name, trainable=False)
    x = layer(x)
    ones, zeros = np.ones_like(norm.scale), np.zeros_like(norm.scale)
    layer.set_weights([norm.scale, norm.shift, zeros, ones])
    return x
