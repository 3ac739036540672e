"""Log-mel spectrograms, the one implementation for training and for live audio.

A network hears what it was pretrained on, so there are several recipes:

- ``librosa``: equal to ``power_to_db(melspectrogram(y, center=False), ref=np.max, amin=1e-20)``
  without librosa's slow first call.
- ``yamnet``: equal to YAMNet's own (Plakal and Ellis 2020), of a waveform brought to one level.
- ``musicnn``: equal to musicnn's own (Pons and Serra 2019), of such a waveform.
- ``yamnet+musicnn``: both, one behind the other, for a network with two ears.

All give the same for loud and quiet sound.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from rtgenre.model.feature_params import MUSICNN_FEATURES, FeatureParams
from rtgenre.model.filter_banks import htk_bands, mel_bands, next_power_of_two

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtgenre.types import FloatArray

YAMNET_LOG_OFFSET = 0.001
"""Added to mel magnitudes before the logarithm."""
YAMNET_RMS = 0.1
"""Root mean square that a waveform is brought to: -20 dBFS, a usual level of music."""
_MUSICNN_GAIN = np.float32(10000.0)
_QUIETEST_RMS = 1e-4
"""Quieter waveforms are raised no further: they are silence."""

_FRAMES_AT_ONCE = 32

_POWER_FLOOR = 1e-20
"""librosa's ``amin``, but so low that it binds for digital silence alone, not for quiet music."""


def log_mel_spectrogram(waveform: FloatArray, params: FeatureParams) -> FloatArray:
    """Turn a waveform into what a network hears.

    Gain does not change the result, down to -80 dBFS, nor does a constant where the recipe is
    YAMNet's or musicnn's.

    Args:
        waveform: ``(n_samples,)``, mono, full scale ±1, at ``params.sample_rate_hz``.
        params: the model's feature settings.

    Returns:
        ``params.shape`` float32. By librosa's recipe decibels relative to the loudest bin, in
        ``[-top_db, 0]``, all 0 for digital silence; by YAMNet's the natural logarithm of mel
        magnitudes plus ``YAMNET_LOG_OFFSET``; by musicnn's ``log10(1 + 10000 power)``.

    Raises:
        ValueError: the waveform is not one-dimensional or shorter than one frame.
    """
    match params.recipe:
        case "yamnet":
            return _yamnet_log_mel(at_usual_level(waveform), params)
        case "musicnn":
            return _musicnn_log_mel(at_usual_level(waveform), params)
        case "yamnet+musicnn":
            level = at_usual_level(waveform)
            both = _yamnet_log_mel(level, params), _musicnn_log_mel(level, MUSICNN_FEATURES)
            return np.concatenate([one.ravel() for one in both])
    power = mel_power_spectrogram(waveform, params)
    decibels = 10.0 * np.log10(np.maximum(power, _POWER_FLOOR))
    decibels -= decibels.max()
    return np.maximum(decibels, -params.top_db).astype(np.float32)


def mel_power_spectrogram(
    waveform: FloatArray, params: FeatureParams, *, single: bool = False
) -> FloatArray:
    """Compute mel band powers, frame by frame, without padding the ends.

    Args:
        waveform: ``(n_samples,)``, mono, full scale ±1, at ``params.sample_rate_hz``.
        params: the model's feature settings.
        single: transform in single precision, in half the time; enough where what is 80 dB
            below the loudest does not matter.

    Returns:
        ``(n_frames, n_mels)`` float32, powers, at least 0.

    Raises:
        ValueError: the waveform is not one-dimensional or shorter than one frame.
    """
    bands = np.empty((_n_frames(waveform, params), params.n_mels), dtype=np.float32)
    for rows, magnitudes in _magnitudes(waveform, params, params.frame_length, single=single):
        np.square(magnitudes, out=magnitudes)
        mel_bands(params).sum(magnitudes, bands[rows])
    return bands


def at_usual_level(waveform: FloatArray) -> FloatArray:
    """Scale ``(n_samples,)`` to a root mean square of ``YAMNET_RMS`` around a mean of nought."""
    # Cheap converters add a constant, which would be taken for most of quiet music's level.
    n_samples = max(len(waveform), 1)
    swing = waveform - np.float32(waveform.sum(dtype=np.float64) / n_samples)
    mean_square = float(np.dot(swing, swing)) / n_samples
    gain = YAMNET_RMS / max(np.sqrt(mean_square), _QUIETEST_RMS)
    return np.asarray(swing * np.float32(gain), dtype=np.float32)


def _yamnet_log_mel(waveform: FloatArray, params: FeatureParams) -> FloatArray:
    # Not in single precision: the logarithm shows its last digits where bands are nearly silent,
    # and processors differ in them.
    fft_length = next_power_of_two(params.frame_length)
    bands = np.empty((_n_frames(waveform, params), params.n_mels), dtype=np.float32)
    for rows, magnitudes in _magnitudes(waveform, params, fft_length, single=False):
        htk_bands(params).sum(magnitudes, bands[rows])
    bands += np.float32(YAMNET_LOG_OFFSET)
    return np.log(bands, out=bands)


def _musicnn_log_mel(waveform: FloatArray, params: FeatureParams) -> FloatArray:
    centred = np.pad(waveform, params.frame_length // 2, mode="reflect")
    power = mel_power_spectrogram(centred, params, single=True)
    power *= _MUSICNN_GAIN
    power += 1.0
    return np.log10(power, out=power)


def _n_frames(waveform: FloatArray, params: FeatureParams) -> int:
    """Return how many frames lie wholly inside the waveform.

    Raises:
        ValueError: none does.
    """
    if waveform.ndim != 1 or len(waveform) < params.frame_length:
        raise ValueError(
            f"a waveform of shape {waveform.shape} was given; features need a mono waveform of at "
            f"least {params.frame_length} samples"
        )
    return 1 + (len(waveform) - params.frame_length) // params.hop_length


def _magnitudes(
    waveform: FloatArray, params: FeatureParams, fft_length: int, *, single: bool
) -> Iterator[tuple[slice, FloatArray]]:
    """Transform the frames, a few at a time, ends not padded.

    What a few take stays in the cache; the memory that all take at once comes anew from the
    system every time, which takes longer than the transforms.

    Yields:
        Which frames they are, and the magnitudes of their spectra, ``(n, fft_length // 2 + 1)``,
        in memory that the next ones take over.
    """
    frames = np.lib.stride_tricks.sliding_window_view(waveform, params.frame_length)
    frames = frames[:: params.hop_length]
    # numpy computes in single precision only where it is to divide by the length: the window
    # multiplies by it. It transforms several frames at a time where none has to be lengthened.
    norm: Literal["forward", "backward"] = "forward" if single else "backward"
    window = hann_window(params.frame_length) * np.float32(fft_length if single else 1)
    windowed = np.zeros((_FRAMES_AT_ONCE, fft_length), dtype=np.float32)
    magnitudes = np.empty((_FRAMES_AT_ONCE, fft_length // 2 + 1), dtype=np.float32)
    for first in range(0, len(frames), _FRAMES_AT_ONCE):
        some = frames[first : first + _FRAMES_AT_ONCE]
        n = len(some)
        np.multiply(some, window, out=windowed[:n, : params.frame_length])
        np.abs(np.fft.rfft(windowed[:n], norm=norm), out=magnitudes[:n])
        yield slice(first, first + n), magnitudes[:n]


@lru_cache(maxsize=8)
def hann_window(length: int) -> FloatArray:
    """Give the periodic Hann window of a transform: ``(length,)``."""
    phase = 2.0 * np.pi * np.arange(length) / length
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)
