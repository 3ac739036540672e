"""Make windows sound as they would in a room, on their spectrograms.

Everything works on mel power, so that noise adds and reverberation smears as they do in air. A
window goes in and comes out as the live front-end gives it: dB relative to its own loudest bin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.model.filter_banks import mel_filter_bank
from training.data.dataset import FEATURES, FloatArray

if TYPE_CHECKING:
    from collections.abc import Sequence

_CENTRES_HZ = (mel_filter_bank(FEATURES) @ np.fft.rfftfreq(2048, 1 / 22050)) / np.maximum(
    mel_filter_bank(FEATURES).sum(axis=1), 1e-12
)
_WIDTHS_HZ = np.gradient(_CENTRES_HZ)
"""Mel filters are normalised by area: a band's power times its width is what it contributes."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How often each change is made to a window, and how far it goes."""

    tempo_pitch: float = 0.5
    max_tempo: float = 0.08
    """Columns are read this much faster or slower at most."""
    max_pitch_bands: float = 2.5
    reverb: float = 0.4
    max_reverb_seconds: float = 0.9
    """Until the tail has fallen by 60 dB."""
    noise: float = 0.6
    snr_db: tuple[float, float] = (0.0, 25.0)
    equaliser: float = 0.8
    max_equaliser_db: float = 8.0
    band_limit: float = 0.25
    mask: float = 0.3
    max_masked_bands: int = 16
    max_masked_columns: int = 16


def augment(
    windows: FloatArray,
    rng: np.random.Generator,
    options: Augmentation,
    babble: FloatArray | None = None,
) -> FloatArray:
    """Change each window at random.

    Args:
        windows: ``(n, n_frames, n_mels)`` dB relative to each window's loudest bin.
        rng: what chance is drawn from.
        options: how often and how much.
        babble: other windows, of speech and noise, some of which are mixed in.

    Returns:
        The same shape, float32, in ``[-top_db, 0]`` dB.
    """
    power = np.stack([_tempo_pitch(10 ** (window / 10), rng, options) for window in windows])
    _reverberate(power, rng, options)
    _add_noise(power, rng, options, babble)
    decibels = 10 * np.log10(np.maximum(power, 1e-12))
    n = len(windows)
    decibels += _equaliser(n, rng, options)[:, None, :]
    decibels += _band_limits(n, rng, options)[:, None, :]
    decibels -= decibels.max(axis=(1, 2), keepdims=True)
    _mask(decibels, rng, options)
    return np.asarray(np.maximum(decibels, -FEATURES.top_db), dtype=np.float32)


def _tempo_pitch(power: FloatArray, rng: np.random.Generator, options: Augmentation) -> np.ndarray:
    """Read one window's columns faster or slower and its bands higher or lower."""
    if rng.random() >= options.tempo_pitch:
        return power
    rate = 1 + rng.uniform(-options.max_tempo, options.max_tempo)
    shift = rng.uniform(-options.max_pitch_bands, options.max_pitch_bands)
    columns = np.arange(len(power)) * rate
    columns = np.where(columns > len(power) - 1, 2 * (len(power) - 1) - columns, columns)
    bands = np.arange(power.shape[1]) + shift
    retimed = _interpolate(power, columns)
    return np.asarray(_interpolate(retimed.T, bands).T)


def _interpolate(rows: np.ndarray, positions: np.ndarray) -> np.ndarray:
    positions = np.clip(positions, 0, len(rows) - 1)
    below = np.minimum(positions.astype(int), len(rows) - 2)
    share = (positions - below)[:, None]
    return np.asarray(rows[below] * (1 - share) + rows[below + 1] * share)


def _reverberate(power: np.ndarray, rng: np.random.Generator, options: Augmentation) -> None:
    """Add an exponentially falling tail to some windows, in place."""
    chosen = np.flatnonzero(rng.random(len(power)) < options.reverb)
    seconds = rng.uniform(0.15, options.max_reverb_seconds, len(chosen))
    decay = 10 ** (-6.0 / (seconds * FEATURES.frames_per_second))
    wet = 10 ** (rng.uniform(-12, 0, len(chosen)) / 10) * (1 - decay)
    tail = np.zeros_like(power[chosen, 0])
    for column in range(power.shape[1]):
        dry = power[chosen, column]
        power[chosen, column] = dry + wet[:, None] * tail
        tail = decay[:, None] * (tail + dry)


def _add_noise(
    power: np.ndarray, rng: np.random.Generator, options: Augmentation, babble: FloatArray | None
) -> None:
    """Add steady coloured noise, or babble, to some windows, in place."""
    for index in np.flatnonzero(rng.random(len(power)) < options.noise):
        if babble is not None and rng.random() < 0.4:
            noise = 10 ** (babble[rng.integers(len(babble))] / 10)
        else:
            colour = np.maximum(_CENTRES_HZ, 60.0) ** -rng.uniform(0.0, 2.0)
            noise = colour * rng.gamma(2.0, size=power.shape[1:])
        snr_db = rng.uniform(*options.snr_db)
        ratio = np.sum(power[index] * _WIDTHS_HZ) / max(np.sum(noise * _WIDTHS_HZ), 1e-12)
        power[index] += noise * (ratio * 10 ** (-snr_db / 10))


def _equaliser(n: int, rng: np.random.Generator, options: Augmentation) -> np.ndarray:
    """Draw smooth gains over frequency, ``(n, n_mels)`` dB: tilt, bass, presence."""
    phase = np.linspace(0, np.pi, FEATURES.n_mels)
    waves = np.stack([np.cos((order + 1) * phase) for order in range(5)])
    gains = rng.normal(size=(n, 5)) * np.array([1.0, 0.8, 0.6, 0.4, 0.3])
    curves = gains @ waves
    largest = np.abs(curves).max(axis=1, keepdims=True)
    depth = rng.uniform(0, options.max_equaliser_db, (n, 1))
    return np.where(rng.random((n, 1)) < options.equaliser, curves / largest * depth, 0.0)


def _band_limits(n: int, rng: np.random.Generator, options: Augmentation) -> np.ndarray:
    """Draw what small loudspeakers, telephones and codecs leave out, ``(n, n_mels)`` dB."""
    low_hz = np.exp(rng.uniform(np.log(60), np.log(400), (n, 1)))
    high_hz = np.exp(rng.uniform(np.log(3000), np.log(10000), (n, 1)))
    low_slope, high_slope = rng.uniform(12, 72, (2, n, 1))  # dB an octave
    octaves_below = np.maximum(np.log2(low_hz / _CENTRES_HZ), 0)
    octaves_above = np.maximum(np.log2(_CENTRES_HZ / high_hz), 0)
    low = np.where(rng.random((n, 1)) < options.band_limit, low_slope * octaves_below, 0)
    high = np.where(rng.random((n, 1)) < options.band_limit, high_slope * octaves_above, 0)
    phone = rng.random((n, 1)) < options.band_limit / 3
    both = 48 * (
        np.maximum(np.log2(300 / _CENTRES_HZ), 0) + np.maximum(np.log2(_CENTRES_HZ / 3400), 0)
    )
    return -np.minimum(np.where(phone, both, low + high), FEATURES.top_db)


def _mask(decibels: np.ndarray, rng: np.random.Generator, options: Augmentation) -> None:
    """Silence some bands and some columns (SpecAugment, Park et al. 2019), in place."""
    axes: Sequence[tuple[int, int]] = (
        (2, options.max_masked_bands),
        (1, options.max_masked_columns),
    )
    for axis, most in axes:
        for index in np.flatnonzero(rng.random(len(decibels)) < options.mask):
            width = int(rng.integers(1, most + 1))
            start = int(rng.integers(0, decibels.shape[axis] - width + 1))
            masked = decibels[index].swapaxes(0, axis - 1)  # a view
            masked[start : start + width] = -FEATURES.top_db
