"""Spectrograms inside a network, for teachers that take sound itself; in keras.ops.

Every one takes ``(batch, n_samples)`` and gives ``(batch, n_frames, n_bands)``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from rtgenre.model.feature_params import YAMNET_FEATURES, FeatureParams
from rtgenre.model.features import YAMNET_LOG_OFFSET, hann_window
from rtgenre.model.filter_banks import htk_filter_bank

Tensor = Any
FloatArray = NDArray[np.float32]


def yamnet_log_mel(sound: Tensor, params: FeatureParams = YAMNET_FEATURES) -> Tensor:
    """Hear as ``rtgenre.model.features.log_mel_spectrogram`` does, at the level the sound has."""
    filters = htk_filter_bank(params)
    fft_length = 2 * (len(filters) - 1)
    power = power_spectrogram(
        sound, hann_window(params.frame_length), params.hop_length, fft_length
    )
    return ops.log(ops.matmul(ops.sqrt(power), ops.convert_to_tensor(filters)) + YAMNET_LOG_OFFSET)


def power_spectrogram(
    sound: Tensor, window: FloatArray, hop_length: int, fft_length: int, *, centred: bool = False
) -> Tensor:
    """Transform frames under a window.

    Args:
        sound: ``(batch, n_samples)``.
        window: of a frame.
        hop_length: samples from one frame to the next.
        fft_length: frames are padded to it.
        centred: mirror half a transform at both ends, so that the first frame lies around 0.
    """
    if centred:
        sound = ops.pad(sound, ((0, 0), (fft_length // 2, fft_length // 2)), mode="reflect")
    frames = ops.extract_sequences(sound, len(window), hop_length)
    real, imaginary = ops.rfft(
        ops.multiply(frames, ops.convert_to_tensor(window)), fft_length=fft_length
    )
    return ops.square(real) + ops.square(imaginary)


def centred_hann(length: int, fft_length: int) -> FloatArray:
    """Give a symmetric Hann window with zeros on both sides, as PyTorch centres it in a frame."""
    window = np.zeros(fft_length, np.float32)
    left = (fft_length - length) // 2
    window[left : left + length] = np.hanning(length)
    return window
