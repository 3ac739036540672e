"""What stands between music and the model in a living room; pure, on mono float32 waveforms.

Each condition takes the clean waveform and a generator, at the features' rate.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np

from training.data.acoustics import (
    SAMPLE_RATE_HZ,
    add_at_snr,
    as_float32,
    band_pass,
    coloured_noise,
)
from training.data.dataset import FloatArray

_MP3_64KBPS_LEVEL = 0.62
"""libsndfile's compression level that means 64 kbit/s at 22,050 Hz, mono (measured)."""

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
    import soundfile

    coded = io.BytesIO()
    with soundfile.SoundFile(
        coded,
        "w",
        SAMPLE_RATE_HZ,
        channels=1,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=_MP3_64KBPS_LEVEL,
    ) as file:
        file.write(waveform)
    coded.seek(0)
    decoded, _ = soundfile.read(coded, dtype="float32")
    return as_float32(np.resize(decoded, len(waveform)))


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
