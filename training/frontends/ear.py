"""The ear: YAMNet's convolutions, taught to hear in music what several teachers hear.

It takes YAMNet's log-mel spectrogram of a whole window and gives a row of values for each sixth of
a second. ``training.distil`` teaches it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers, ops

from rtgenre.model.feature_params import YAMNET_FEATURES
from training.data.dataset import DatasetError
from training.frontends.spectra import yamnet_log_mel
from training.frontends.yamnet import PATCH_FRAMES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from training.frontends.yamnet import Convolution

Tensor = Any
EAR_FILE_NAME = "ear.keras"
"""In the folder of a run of ``training.distil``."""
N_KEPT = 23
"""Convolutions of YAMNet's 27 that stay: those before its last two layers, which hold half of all
weights and halve the frames once more."""
N_VALUES = 384
"""Of a step."""


def build_ear(convolutions: Sequence[Convolution], n_values: int = N_VALUES) -> keras.Model:
    """Build it, beginning with YAMNet's weights.

    Returns:
        ``(batch, 398, 64)``, a log-mel spectrogram, to ``(batch, 25, n_values)``.
    """
    window = keras.Input((YAMNET_FEATURES.n_frames, YAMNET_FEATURES.n_mels), name="window")
    x = layers.Reshape((*window.shape[1:], 1))(window)
    x = convolve(x, convolutions[:N_KEPT])
    # Where a pattern lies in frequency means something: each band has weights of its own.
    x = layers.Conv2D(n_values, (1, x.shape[2]), activation="relu", name="bands")(x)
    steps = layers.Reshape((x.shape[1], n_values), name="steps")(x)
    return keras.Model(window, steps, name="ear")


def read_ear(run: Path) -> keras.Model:
    """Read the ear that a run of ``training.distil`` taught.

    Raises:
        DatasetError: the run has none.
    """
    path = run / EAR_FILE_NAME
    if not path.exists():
        raise DatasetError(f"{run} has no {EAR_FILE_NAME}; make it with training.distil")
    return keras.models.load_model(path, compile=False)


def build_pupil(ear: keras.Model, second_ear: keras.Model, n_taught: int) -> keras.Model:
    """Let both ears together say what teachers say.

    Args:
        ear: of ``build_ear``.
        second_ear: ``(batch, n_samples)`` at 16 kHz to some values of the whole window.
        n_taught: how many values teachers say.

    Returns:
        ``(batch, n_samples)`` at 16 kHz, at a usual level, to ``(batch, n_taught)``.
    """
    sound = keras.Input(second_ear.input_shape[1:], name="sound_16k")
    steps = ear(yamnet_log_mel(sound))
    pools = [layers.GlobalAveragePooling1D()(steps), layers.GlobalMaxPooling1D()(steps)]
    heard = layers.Concatenate()([*pools, second_ear(sound)])
    said = layers.Dense(n_taught, name="said", dtype="float32")(heard)
    return keras.Model(sound, said, name="pupil")


def build_yamnet(convolutions: Sequence[Convolution], n_samples: int) -> keras.Model:
    """Build YAMNet as it was, a teacher: ``(batch, n_samples)`` at 16 kHz to 1,024 values.

    It hears patches of 0.96 s; what it says of them is averaged.
    """
    sound = keras.Input((n_samples,), name="sound_16k")
    log_mel = yamnet_log_mel(sound)
    n_patches = log_mel.shape[1] // PATCH_FRAMES
    patches = ops.reshape(
        log_mel[:, : n_patches * PATCH_FRAMES], (-1, PATCH_FRAMES, log_mel.shape[2], 1)
    )
    heard = layers.GlobalAveragePooling2D()(convolve(patches, convolutions))
    said = ops.mean(ops.reshape(heard, (-1, n_patches, heard.shape[-1])), axis=1)
    return keras.Model(sound, {"yamnet": said}, name="yamnet")


def convolve(x: Tensor, convolutions: Sequence[Convolution]) -> Tensor:
    """Put YAMNet's convolutions on ``(batch, n_frames, n_bands, 1)``."""
    for index, one in enumerate(convolutions):
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
        layer.set_weights([np.asarray(one.kernel), np.asarray(one.bias)])
    return x
