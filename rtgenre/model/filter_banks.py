"""Mel filter banks: how the bins of a spectrum are summed up to bands; pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rtgenre.model.feature_params import FeatureParams
    from rtgenre.types import FloatArray

# Slaney's Auditory Toolbox scale: linear to 1 kHz, logarithmic above.
_HZ_PER_MEL = 200.0 / 3.0
_LOG_START_HZ = 1000.0
_LOG_START_MEL = _LOG_START_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0

# HTK's scale, which TensorFlow uses.
_HTK_MEL = 1127.0
_HTK_BREAK_HZ = 700.0

_BANDS_AT_ONCE = 16


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """A filter bank as groups of neighbouring bands, each with the bins that they hear alone.

    Most of a filter bank is nought. And for products of this size OpenBLAS wakes no helper threads,
    each of which would then wait for more in a busy loop, for a tenth of a second.
    """

    groups: tuple[tuple[slice, slice, FloatArray], ...]
    """Which bins, which bands, and ``(n_bins, n_bands)`` weights."""

    @classmethod
    def of(cls, filters: FloatArray) -> Bands:
        """Group a whole filter bank of ``(n_bins, n_mels)``."""
        groups = []
        for first in range(0, filters.shape[1], _BANDS_AT_ONCE):
            bands = slice(first, first + _BANDS_AT_ONCE)
            heard = np.flatnonzero(filters[:, bands].any(axis=1))
            bins = slice(heard[0], heard[-1] + 1) if len(heard) else slice(0)
            groups.append((bins, bands, np.ascontiguousarray(filters[bins, bands])))
        return cls(tuple(groups))

    def sum(self, spectra: FloatArray, out: FloatArray) -> None:
        """Sum the bins of ``(n, n_bins)`` up to the bands of ``(n, n_mels)``, ``out``."""
        for bins, bands, weights in self.groups:
            np.matmul(spectra[:, bins], weights, out=out[:, bands])


@lru_cache(maxsize=8)
def mel_bands(params: FeatureParams) -> Bands:
    """Group librosa's filter bank; see ``mel_filter_bank``."""
    return Bands.of(mel_filter_bank(params).T)


@lru_cache(maxsize=8)
def htk_bands(params: FeatureParams) -> Bands:
    """Group TensorFlow's filter bank; see ``htk_filter_bank``."""
    return Bands.of(htk_filter_bank(params))


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
def htk_filter_bank(params: FeatureParams) -> FloatArray:
    """Build triangular mel filters with HTK's scale, of height 1.

    The same as ``tf.signal.linear_to_mel_weight_matrix``: triangles in mel, nothing at 0 Hz.

    Returns:
        ``(fft_length // 2 + 1, n_mels)`` float32, the FFT's length the next power of two.
    """
    fft_length = next_power_of_two(params.frame_length)
    bins_mel = _hz_to_htk(np.fft.rfftfreq(fft_length, 1.0 / params.sample_rate_hz))[:, None]
    lowest, highest = _hz_to_htk(np.array([params.fmin_hz, params.fmax_hz]))
    edges = np.linspace(lowest, highest, params.n_mels + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins_mel - low) / (centre - low), (high - bins_mel) / (high - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    triangles[0] = 0.0
    return np.asarray(triangles, dtype=np.float32)


def next_power_of_two(length: int) -> int:
    """Give the length of the transform that a frame is lengthened to."""
    return 1 << (length - 1).bit_length()


def _hz_to_htk(hz: NDArray[np.floating]) -> NDArray[np.float64]:
    mel: NDArray[np.float64] = _HTK_MEL * np.log1p(hz / _HTK_BREAK_HZ)
    return mel


def _hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    logarithmic = _LOG_START_MEL + np.log(np.maximum(hz, 1e-9) / _LOG_START_HZ) / _LOG_STEP
    return np.where(hz < _LOG_START_HZ, hz / _HZ_PER_MEL, logarithmic)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    logarithmic = _LOG_START_HZ * np.exp(_LOG_STEP * (mel - _LOG_START_MEL))
    return np.where(mel < _LOG_START_MEL, mel * _HZ_PER_MEL, logarithmic)
