"""What rooms, distance and cheap speakers do to sound; pure, on mono float32 waveforms.

Every random choice comes from the generator that is passed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.data.dataset import FEATURES, FloatArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE_RATE_HZ = FEATURES.sample_rate_hz


def as_float32(values: NDArray[np.floating]) -> FloatArray:
    """Store a waveform in single precision."""
    return np.asarray(values, dtype=np.float32)


def rms(waveform: NDArray[np.floating]) -> float:
    """Root mean square, at least 1e-9 so that it can be divided by."""
    energy = float(np.sum(np.square(waveform, dtype=np.float64)))
    return max(float(np.sqrt(energy / max(len(waveform), 1))), 1e-9)


def coloured_noise(
    rng: np.random.Generator, n_samples: int, slope_db_per_octave: float
) -> FloatArray:
    """Make Gaussian noise of RMS 1: slope 0 is white, -3 pink, -6 brown.

    The slope holds above 20 Hz; below, the spectrum is flat, as loudspeakers end there.
    """
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    hz = np.maximum(np.fft.rfftfreq(n_samples, 1.0 / SAMPLE_RATE_HZ), 20.0)
    shaped = np.fft.irfft(spectrum * (hz / 20.0) ** (slope_db_per_octave / 6.02), n_samples)
    return as_float32(shaped / rms(shaped))


def band_pass(waveform: FloatArray, low_hz: float, high_hz: float) -> FloatArray:
    """Keep ``low_hz`` to ``high_hz``, with edges of 24 dB an octave."""
    hz = np.maximum(_frequencies(waveform), 1.0)
    below = np.minimum(1.0, (hz / low_hz) ** 4)
    above = np.minimum(1.0, (high_hz / hz) ** 4)
    return _filtered(waveform, below * above)


def random_equaliser(
    waveform: FloatArray, rng: np.random.Generator, range_db: float = 6.0
) -> FloatArray:
    """Colour a sound as some loudspeaker and microphone would: a smooth curve within ±range_db."""
    points_octaves = np.linspace(0.0, 9.0, 7)  # from 20 Hz to 10 kHz
    points_db = rng.uniform(-range_db, range_db, len(points_octaves))
    octaves = np.log2(np.maximum(_frequencies(waveform), 20.0) / 20.0)
    gain_db = np.interp(octaves, points_octaves, points_db)
    return _filtered(waveform, 10.0 ** (gain_db / 20.0))


def reverberate(
    waveform: FloatArray, rng: np.random.Generator, rt60_seconds: float, direct_db: float
) -> FloatArray:
    """Put a sound into a room: an exponentially decaying noise tail (Moorer 1979).

    Args:
        waveform: ``(n_samples,)``.
        rng: draws the tail.
        rt60_seconds: how long the tail takes to fall by 60 dB.
        direct_db: level of the direct sound relative to the tail's energy.

    Returns:
        ``(n_samples,)``, with the input's RMS.
    """
    n_tail = max(int(rt60_seconds * SAMPLE_RATE_HZ), 1)
    decay = 10.0 ** (-3.0 * np.arange(n_tail) / n_tail)
    tail = rng.standard_normal(n_tail) * decay
    response = tail / np.sqrt(np.sum(tail**2))
    response[0] += 10.0 ** (direct_db / 20.0)
    wet = convolve(waveform, response)
    return as_float32(wet * (rms(waveform) / rms(wet)))


def convolve(waveform: FloatArray, response: NDArray[np.floating]) -> FloatArray:
    """Convolve with an impulse response, cut to the waveform's length."""
    size = 1 << (len(waveform) + len(response) - 1).bit_length()
    product = np.fft.rfft(waveform, size) * np.fft.rfft(response, size)
    return as_float32(np.fft.irfft(product, size)[: len(waveform)])


def add_at_snr(waveform: FloatArray, noise: FloatArray, snr_db: float) -> FloatArray:
    """Add ``noise`` so that it lies ``snr_db`` below the waveform, both by RMS."""
    gain = rms(waveform) / rms(noise) * 10.0 ** (-snr_db / 20.0)
    return as_float32(waveform + gain * noise)


def _frequencies(waveform: FloatArray) -> NDArray[np.float64]:
    return np.asarray(np.fft.rfftfreq(len(waveform), 1.0 / SAMPLE_RATE_HZ), dtype=np.float64)


def _filtered(waveform: FloatArray, gain: NDArray[np.float64]) -> FloatArray:
    return as_float32(np.fft.irfft(np.fft.rfft(waveform) * gain, len(waveform)))
