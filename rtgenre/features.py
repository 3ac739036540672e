"""Log-mel spectrograms, the one implementation for training and for live audio.

Equal to librosa's ``power_to_db(melspectrogram(y, center=False), ref=np.max, amin=1e-20)`` without
librosa's slow first call.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

# Slaney's Auditory Toolbox scale: linear to 1 kHz, logarithmic above.
_HZ_PER_MEL = 200.0 / 3.0
_LOG_START_HZ = 1000.0
_LOG_START_MEL = _LOG_START_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0

_POWER_FLOOR = 1e-20
"""librosa's ``amin``, but so low that it binds for digital silence alone, not for quiet music."""


@dataclass(frozen=True, slots=True)
class FeatureParams:
    """What a model's weights fix about its input; stored in ``model.json``, never configured."""

    sample_rate_hz: int = 22050
    frame_length: int = 2048
    """Samples in one STFT frame, under a periodic Hann window."""
    hop_length: int = 914
    """Samples from one frame to the next."""
    n_mels: int = 128
    fmin_hz: float = 0.0
    fmax_hz: float = 11025.0
    top_db: float = 80.0
    """Dynamic range kept below the loudest bin of the window."""
    window_seconds: float = 4.0

    def __post_init__(self) -> None:
        if not 0 < self.hop_length <= self.frame_length:
            raise ValueError(
                f"hop_length is {self.hop_length}; it must lie between 1 and the frame length, "
                f"{self.frame_length}"
            )
        if not 0 <= self.fmin_hz < self.fmax_hz <= self.sample_rate_hz / 2:
            raise ValueError(
                f"mel bands from {self.fmin_hz:g} to {self.fmax_hz:g} Hz do not fit between 0 Hz "
                f"and half the sample rate, {self.sample_rate_hz / 2:g} Hz"
            )
        if self.window_samples < self.frame_length:
            raise ValueError(
                f"a window of {self.window_seconds:g} s has {self.window_samples} samples; "
                f"one frame alone needs {self.frame_length}"
            )
        if self.n_mels < 1 or self.top_db <= 0:
            raise ValueError(
                f"n_mels is {self.n_mels} and top_db is {self.top_db:g}; both must be positive"
            )

    @property
    def window_samples(self) -> int:
        """Samples in one window."""
        return round(self.window_seconds * self.sample_rate_hz)

    @property
    def n_frames(self) -> int:
        """Frames that lie wholly inside one window."""
        return 1 + (self.window_samples - self.frame_length) // self.hop_length

    @property
    def frames_per_second(self) -> float:
        """Spectrogram columns per second."""
        return self.sample_rate_hz / self.hop_length


def log_mel_spectrogram(waveform: FloatArray, params: FeatureParams) -> FloatArray:
    """Turn a waveform into decibels relative to its own loudest mel bin.

    Because the reference is the waveform's own maximum, gain does not change the result.

    Args:
        waveform: ``(n_samples,)``, mono, full scale ±1, at ``params.sample_rate_hz``.
        params: the model's feature settings.

    Returns:
        ``(n_frames, n_mels)`` float32 in ``[-top_db, 0]`` dB; all 0 for digital silence.

    Raises:
        ValueError: the waveform is not one-dimensional or shorter than one frame.
    """
    power = mel_power_spectrogram(waveform, params)
    decibels = 10.0 * np.log10(np.maximum(power, _POWER_FLOOR))
    decibels -= decibels.max()
    return np.maximum(decibels, -params.top_db).astype(np.float32)


def mel_power_spectrogram(waveform: FloatArray, params: FeatureParams) -> FloatArray:
    """Compute mel band powers, frame by frame, without padding the ends.

    Args:
        waveform: ``(n_samples,)``, mono, full scale ±1, at ``params.sample_rate_hz``.
        params: the model's feature settings.

    Returns:
        ``(n_frames, n_mels)`` float32, powers, at least 0.

    Raises:
        ValueError: the waveform is not one-dimensional or shorter than one frame.
    """
    if waveform.ndim != 1 or len(waveform) < params.frame_length:
        raise ValueError(
            f"a waveform of shape {waveform.shape} was given; features need a mono waveform of at "
            f"least {params.frame_length} samples"
        )
    frames = np.lib.stride_tricks.sliding_window_view(waveform, params.frame_length)
    windowed = frames[:: params.hop_length] * _hann_window(params.frame_length)
    spectrum = np.fft.rfft(windowed, axis=1)  # (n_frames, frame_length // 2 + 1) complex
    power = spectrum.real**2 + spectrum.imag**2
    return np.asarray(power @ mel_filter_bank(params).T, dtype=np.float32)


@lru_cache(maxsize=8)
def mel_filter_bank(params: FeatureParams) -> FloatArray:
    """Build triangular mel filters with Slaney's scale and area normalisation.

    The same as ``librosa.filters.mel(htk=False, norm="slaney")``.

    Returns:
        ``(n_mels, frame_length // 2 + 1)`` float32.
    """
    fft_hz = np.fft.rfftfreq(params.frame_length, 1.0 / params.sample_rate_hz)
    lowest_mel, highest_mel = _hz_to_mel(np.array([params.fmin_hz, params.fmax_hz]))
    edges_hz = _mel_to_hz(np.linspace(lowest_mel, highest_mel, params.n_mels + 2))
    widths_hz = np.diff(edges_hz)
    distance_hz = edges_hz[:, None] - fft_hz[None, :]
    rising = -distance_hz[:-2] / widths_hz[:-1, None]
    falling = distance_hz[2:] / widths_hz[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    area_norm = 2.0 / (edges_hz[2:] - edges_hz[:-2])
    return (triangles * area_norm[:, None]).astype(np.float32)


@lru_cache(maxsize=8)
def _hann_window(length: int) -> FloatArray:
    phase = 2.0 * np.pi * np.arange(length) / length
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


def _hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    logarithmic = _LOG_START_MEL + np.log(np.maximum(hz, 1e-9) / _LOG_START_HZ) / _LOG_STEP
    return np.where(hz < _LOG_START_HZ, hz / _HZ_PER_MEL, logarithmic)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    logarithmic = _LOG_START_HZ * np.exp(_LOG_STEP * (mel - _LOG_START_MEL))
    return np.where(mel < _LOG_START_MEL, mel * _HZ_PER_MEL, logarithmic)
