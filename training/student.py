"""YAMNet as a student that learns to hear our spectrograms, and as its own teacher.

Our columns come 24 times a second from frames of 93 ms; YAMNet's own come 100 times a second from
frames of 25 ms. Interpolated columns look blurred to it, so it is taught to say of them what it
says of the sound itself (``training.distil``).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers, ops

from training import yamnet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rtgenre.features import FeatureParams
    from training.yamnet import Convolution

    FloatArray = NDArray[np.float32]

Tensor = Any
N_PATCHES = 4
"""Of YAMNet's patches in a window: 3.84 of its 4 seconds."""
N_KEPT = 23
"""Convolutions that stay in the student: those before the last two layers, which have half of all
weights and are only there to reach the teacher's embedding."""
LEVEL_DB = 27.8
"""What a window's loudest bin is taken to be: the median of GTZAN's recordings."""


def build_student(
    params: FeatureParams, convolutions: Sequence[Convolution]
) -> tuple[keras.Model, keras.Model]:
    """Build the student twice, with shared weights: as it is used, and as it is taught.

    Args:
        params: the window's columns and bands.
        convolutions: YAMNet's, which the student begins with.

    Returns:
        ``(batch, n_frames, n_mels)`` dB to ``(batch, 24, 512)``, six steps a patch; and to the
        teacher's ``(batch, 4, 1024)``.
    """
    window = keras.Input((params.n_frames, params.n_mels), name="window")
    x = _heard(window, params)
    x = _convolve(x, convolutions[:N_KEPT], first=0)
    steps = layers.Reshape(x.shape[1:2] + x.shape[3:])(layers.AveragePooling2D((1, x.shape[2]))(x))
    x = _convolve(x, convolutions[N_KEPT:], first=N_KEPT)
    x = layers.AveragePooling2D((x.shape[1] // N_PATCHES, x.shape[2]))(x)
    embeddings = layers.Reshape((N_PATCHES, x.shape[-1]))(x)
    return keras.Model(window, steps, name="student"), keras.Model(window, embeddings)


def build_teacher(convolutions: Sequence[Convolution]) -> keras.Model:
    """Build YAMNet as it was: ``(batch, 96, 64)`` patches to embeddings ``(batch, 1024)``."""
    patch = keras.Input((yamnet.PATCH_FRAMES, yamnet.N_MELS), name="patch")
    x = layers.Reshape((yamnet.PATCH_FRAMES, yamnet.N_MELS, 1))(patch)
    x = _convolve(x, convolutions, first=0)
    return keras.Model(patch, layers.GlobalAveragePooling2D()(x), name="teacher")


def _heard(decibels: Tensor, params: FeatureParams) -> Tensor:
    """Turn our window into frames such as YAMNet hears: ``(384, 64, 1)``."""
    level = np.float32(10.0 ** (LEVEL_DB / 20.0))
    x = layers.Rescaling(math.log(10.0) / 20.0)(decibels)
    x = layers.Activation("exponential", name="amplitude")(x)
    x = _linear(x, yamnet.amplitude_map(params) * level, "yamnet_mel_map")
    x = ops.log(x + yamnet.LOG_OFFSET)
    x = layers.Permute((2, 1))(x)
    x = _linear(x, _interpolation(params), "yamnet_frames")
    x = layers.Permute((2, 1))(x)
    return layers.Reshape((*x.shape[1:], 1))(x)


def _interpolation(params: FeatureParams) -> FloatArray:
    """Read columns between their centres, linearly: ``(n_frames, 384)``."""
    columns = np.arange(params.n_frames) * params.hop_length + params.frame_length / 2
    theirs = yamnet.frame_centres_seconds(N_PATCHES * yamnet.PATCH_FRAMES)
    seconds = columns / params.sample_rate_hz
    rows = [np.interp(theirs, seconds, one) for one in np.eye(params.n_frames)]
    return np.stack(rows).astype(np.float32)


def _convolve(x: Tensor, convolutions: Sequence[Convolution], first: int) -> Tensor:
    for index, one in enumerate(convolutions, start=first):
        options = {
            "kernel_size": one.kernel.shape[:2],
            "strides": one.stride,
            "padding": "same",
            "activation": "relu",
            "name": f"yamnet{index}",
        }
        layer = (
            layers.DepthwiseConv2D(**options)
            if one.depthwise
            else layers.Conv2D(one.kernel.shape[-1], **options)
        )
        x = layer(x)
        layer.set_weights([one.kernel, one.bias])
    return x


def _linear(x: Tensor, matrix: FloatArray, name: str) -> Tensor:
    layer = layers.Dense(matrix.shape[1], use_bias=False, name=name, trainable=False)
    x = layer(x)
    layer.set_weights([matrix])
    return x
