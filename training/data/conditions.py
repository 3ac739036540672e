"""What stands between music and the model in a living room; pure, on mono float32 waveforms.

Each condition takes the clean waveform and a generator, at the features' rate.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.data.acoustics import add_at_snr, as_float32, band_pass, coloured_noise
from training.data.coding import through_mp3
from training.data.dataset import FloatArray

Condition = Callable[[FloatArray, np.random.Generator], FloatArray]


def clean(waveform: FloatArray, _rng: np.random.Generator) -> FloatArray:
    """Change nothing."""
    return waveform


def pink_noise_10db(waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Add pink noise at 10 dB SNR."""
    return add_at_snr(waveform, coloured_noise(rng, len(waveform), -3.0), 10.0)


def white_noise_10db(waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Add white noise at 10 dB SNR."""
    return add_at_snr(waveform, coloured_noise(rng, len(waveform), 0.0), 10.0)


def gain_minus_30db(waveform: FloatArray, _rng: np.random.Generator) -> FloatArray:
    """Turn it down by 30 dB, and round to 16 bits as a sound card does."""
    quiet = waveform * 10.0 ** (-30.0 / 20.0)
    return as_float32(np.rint(quiet * 32768.0) / 32768.0)


def phone_band(waveform: FloatArray, _rng: np.random.Generator) -> FloatArray:
    """Keep 300 Hz to 3.4 kHz."""
    return band_pass(waveform, 300.0, 3400.0)


def mp3_64kbps(waveform: FloatArray, _rng: np.random.Generator) -> FloatArray:
    """Encode as MP3 at 64 kbit/s, constant bit rate, and decode again."""
    return through_mp3(waveform, 64)


CONDITIONS: dict[str, Condition] = {
    condition.__name__: condition
    for condition in (
        clean,
        pink_noise_10db,
        white_noise_10db,
        gain_minus_30db,
        phone_band,
        mp3_64kbps,
    )
}
