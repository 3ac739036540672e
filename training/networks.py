"""The pretrained CRNN, in keras layers and keras.ops only: for TensorFlow, JAX and PyTorch.

Each takes ``(batch, n_frames, n_mels)`` float32, dB relative to the window's loudest bin. What is
trained gives logits, ``(batch, n_heads, n_outputs)``: heads learn independently. What is shipped
(``with_probabilities``) gives ``(batch, n_labels)`` probabilities, or one column more where the
last is that of music.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers, ops

from training.musicnn import BatchNorm, interpolation, mel_map

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rtgenre.features import FeatureParams
    from training.musicnn import Convolution, Musicnn

    FloatArray = NDArray[np.float32]

Tensor = Any
BATCH_NORM_EPSILON = 1e-3


@dataclass(frozen=True, slots=True)
class Shape:
    """What goes in and comes out."""

    n_frames: int
    n_mels: int
    n_labels: int
    music_output: bool
    """Whether one more output says how likely this is music."""

    @property
    def n_outputs(self) -> int:
        """Genres, and perhaps one more."""
        return self.n_labels + self.music_output


def build_front_end(
    shape: Shape,
    params: FeatureParams,
    net: Musicnn,
    *,
    level_db: float = 10.0,
    n_steps: int = 24,
) -> keras.Model:
    """Build musicnn's convolutions: what they say of each sixth of a second.

    Args:
        shape: of the window.
        params: the rate of its columns, and its mel bands.
        net: the pretrained network.
        level_db: what a window's loudest bin is taken to be, so that levels look to musicnn like
            those it was trained on.
        n_steps: frames are averaged to about so many steps.

    Returns:
        ``(batch, n_frames, n_mels)`` to ``(batch, n_steps, n_features)``.
    """
    window = keras.Input((shape.n_frames, shape.n_mels), name="window")
    x = _log_power(window, level_db)
    x = _linear(x, mel_map(params), "mel_map")
    rate = net.frames_per_second / params.frames_per_second
    if rate != 1.0:
        x = layers.Permute((2, 1))(x)
        x = _linear(x, interpolation(shape.n_frames, rate), "interpolate")
        x = layers.Permute((2, 1))(x)
    x = _musicnn_frames(x, net)
    x = layers.AveragePooling1D(x.shape[1] // n_steps, name="steps")(x)
    return keras.Model(window, x, name="musicnn")


def build_heads(
    n_steps: int,
    n_features: Sequence[int],
    n_outputs: int,
    *,
    dense_units: int = 96,
    lstm_units: int = 64,
    dropout: float = 0.3,
) -> keras.Model:
    """Build what is trained on the front-ends' features: dense, BiLSTM, attention.

    There is one such head for each front-end and, where there are several, one for all together:
    their mistakes differ, and their mean is better than any of them.

    Args:
        n_steps: in a window.
        n_features: of each front-end; they stand side by side.
        n_outputs: of each head.
        dense_units: values a step that a head makes of its features.
        lstm_units: in each direction.
        dropout: share of the values that are left out while training.

    Returns:
        ``(batch, n_steps, sum(n_features))`` to logits ``(batch, n_heads, n_outputs)``. Its layer
        ``standardise`` must be given the features' mean and variance.
    """
    steps = keras.Input((n_steps, sum(n_features)), name="steps")
    x = layers.BatchNormalization(center=False, scale=False, name="standardise", trainable=False)(
        steps
    )
    ends = np.cumsum(n_features)
    parts = [x[:, :, end - n : end] for n, end in zip(n_features, ends, strict=True)]
    if len(parts) > 1:
        parts.append(x)
    logits = []
    for index, part in enumerate(parts):
        name = f"head{index}"
        y = layers.Dropout(dropout / 2)(part)
        y = layers.Dense(dense_units, activation="relu", name=f"{name}_dense")(y)
        y = layers.Dropout(dropout)(y)
        logits.append(_recurrent_head(y, lstm_units, dropout, n_outputs, name))
    return keras.Model(steps, _stack(logits), name="heads")


def chain(front_ends: Sequence[keras.Model], heads: keras.Model) -> keras.Model:
    """Put the heads on the front-ends, in one network.

    Returns:
        ``(batch, n_frames, n_mels)`` to logits ``(batch, n_heads, n_outputs)``.
    """
    window = keras.Input(front_ends[0].input_shape[1:], name="window")
    features = [front_end(window) for front_end in front_ends]
    x = layers.Concatenate()(features) if len(features) > 1 else features[0]
    return keras.Model(window, heads(x), name="pretrained_crnn")


def with_probabilities(
    model: keras.Model, n_labels: int, temperature: float = 1.0, not_music_odds: float = 1.0
) -> keras.Model:
    """Make the network that is shipped: it averages the heads and gives probabilities.

    Args:
        model: gives logits ``(batch, n_heads, n_labels)`` or ``(batch, n_heads, n_labels + 1)``.
        n_labels: genres; an output more is that of music.
        temperature: divides the genres' logits, so that confidence means something.
        not_music_odds: how many times likelier than in training no music is taken to be.
    """
    window = keras.Input(model.input_shape[1:], name="window")
    logits = layers.GlobalAveragePooling1D(name="average_heads")(model(window))
    chosen = np.eye(logits.shape[-1], dtype=np.float32)
    genres = _linear(logits, chosen[:, :n_labels] / np.float32(temperature), "temperature")
    outputs = layers.Softmax(name="genres")(genres)
    if logits.shape[-1] > n_labels:
        music = _linear(logits, chosen[:, n_labels:], "music_logit")
        music = layers.Rescaling(1.0, offset=-math.log(not_music_odds), name="music_odds")(music)
        music = layers.Activation("sigmoid", name="music")(music)
        outputs = layers.Concatenate(name="genres_and_music")([outputs, music])
    return keras.Model(window, outputs, name=model.name)


def _log_power(decibels: Tensor, level_db: float) -> Tensor:
    """Give musicnn's ``log10(1 + 10000 power)``, from dB relative to the window's loudest bin."""
    ln_10 = math.log(10)
    x = layers.Rescaling(ln_10 / 10, offset=(level_db + 40.0) * ln_10 / 10)(decibels)
    x = layers.Activation("softplus", name="log_power")(x)  # log(1 + exp(x))
    return layers.Rescaling(1 / ln_10)(x)


def _recurrent_head(
    x: Tensor, lstm_units: int, dropout: float, n_outputs: int, name: str
) -> Tensor:
    """Bidirectional LSTM, a weighted mean over time with learned weights, logits."""
    lstm = layers.LSTM(lstm_units, return_sequences=True)
    x = layers.Bidirectional(lstm, name=f"{name}_bilstm")(x)
    weights = layers.Softmax(axis=1)(layers.Dense(1, name=f"{name}_attention")(x))
    x = layers.Flatten()(layers.Dot(axes=1)([x, weights]))
    x = layers.Dropout(dropout)(x)
    return layers.Dense(n_outputs, name=f"{name}_logits")(x)


def _stack(logits: Sequence[Tensor]) -> Tensor:
    """Stand heads side by side: ``(batch, n_heads, n_outputs)``."""
    rows = [layers.Reshape((1, one.shape[-1]))(one) for one in logits]
    return layers.Concatenate(axis=1)(rows) if len(rows) > 1 else rows[0]


def _linear(x: Tensor, matrix: FloatArray, name: str) -> Tensor:
    layer = layers.Dense(matrix.shape[1], use_bias=False, name=name)
    x = layer(x)
    layer.set_weights([matrix])
    return x


def _musicnn_frames(x: Tensor, net: Musicnn) -> Tensor:
    """Build one pretrained front-end: ``(n_frames, 96)`` to its features, frame by frame."""
    x = layers.Reshape((*x.shape[1:], 1))(x)
    x = _batch_norm(x, net.input_norm, f"{net.name}_input_norm")
    blocks = []
    for index, block in enumerate(net.front):
        build = _timbral_block if block.kernel.shape[1] > 1 else _temporal_block
        blocks.append(build(x, block, f"{net.name}_front{index}"))
    x = layers.Concatenate()(blocks)
    features = [x]
    for index, block in enumerate(net.middle):
        y = _middle_convolution(x, block, f"{net.name}_middle{index}")
        x = layers.Add()([x, y]) if index else y
        features.append(x)
    return layers.Concatenate(name=f"{net.name}_features")(features)


def _timbral_block(x: Tensor, block: Convolution, name: str) -> Tensor:
    """Find patterns of pitch, wherever they lie: ``(n_frames, 96, 1)`` to a value a frame.

    The frames that a kernel spans become input channels: the same sums, twice as fast.
    """
    taps = len(block.kernel)
    x = layers.ZeroPadding2D(((block.left, block.right), (0, 0)))(x)
    shifted = [layers.Cropping2D(((tap, taps - 1 - tap), (0, 0)))(x) for tap in range(taps)]
    x = layers.Concatenate()(shifted)
    kernel = block.kernel.transpose(2, 1, 0, 3)  # (1, n_bands, taps, n_filters)
    x = _convolution(x, kernel, block.bias, name)
    return ops.max(_batch_norm(x, block.norm, f"{name}_norm"), axis=2)


def _temporal_block(x: Tensor, block: Convolution, name: str) -> Tensor:
    """Find patterns in time, in any band: ``(n_frames, 96, 1)`` to a value a frame.

    Frames are worked out a few at a time, as output channels: the same sums, twice as fast.
    """
    n_frames, n_filters = x.shape[1], block.kernel.shape[-1]
    together = 4 if n_frames % 4 == 0 else 1
    x = layers.ZeroPadding2D(((block.left, block.right), (0, 0)))(x)
    copies = [
        np.pad(block.kernel, ((shift, together - 1 - shift), (0, 0), (0, 0), (0, 0)))
        for shift in range(together)
    ]
    bias = np.tile(block.bias, together)
    x = _convolution(x, np.concatenate(copies, axis=-1), bias, name, stride=together)
    norm = BatchNorm(
        *(np.tile(getattr(block.norm, one.name), together) for one in fields(BatchNorm))
    )
    x = ops.max(_batch_norm(x, norm, f"{name}_norm"), axis=2)
    return layers.Reshape((n_frames, n_filters))(x)


def _convolution(
    x: Tensor, kernel: FloatArray, bias: FloatArray, name: str, stride: int = 1
) -> Tensor:
    layer = layers.Conv2D(
        kernel.shape[-1], kernel.shape[:2], strides=(stride, 1), activation="relu", name=name
    )
    x = layer(x)
    layer.set_weights([kernel, bias])
    return x


def _middle_convolution(x: Tensor, block: Convolution, name: str) -> Tensor:
    x = layers.ZeroPadding1D((block.left, block.right))(x)
    convolution = layers.Conv1D(
        block.kernel.shape[-1], len(block.kernel), activation="relu", name=name
    )
    x = convolution(x)
    convolution.set_weights([block.kernel, block.bias])
    return _batch_norm(x, block.norm, f"{name}_norm")


def _batch_norm(x: Tensor, norm: BatchNorm, name: str) -> Tensor:
    """Add a batch normalisation that keeps the statistics it was pretrained with."""
    layer = layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=name)
    x = layer(x)
    layer.set_weights([norm.gamma, norm.beta, norm.mean, norm.variance])
    layer.trainable = False
    return x
