"""What lossy files keep of sound; pure, on mono float32 waveforms at the features' rate."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from training.data.acoustics import SAMPLE_RATE_HZ, as_float32

if TYPE_CHECKING:
    from training.data.dataset import FloatArray

MP3_KBPS = (8, 160)
"""Lowest and highest bit rate of MP3 at ``SAMPLE_RATE_HZ`` (ISO/IEC 13818-3, layer III)."""

_DELAY_SAMPLES = 576 + 529
"""Of encoder and decoder (LAME's technical FAQ); files of less than 56 kbit/s do not say it."""


def through_mp3(waveform: FloatArray, kbps: float) -> FloatArray:
    """Encode as MP3 with a constant bit rate, and decode again: ``(n_samples,)``, not delayed.

    Args:
        waveform: ``(n_samples,)``.
        kbps: within ``MP3_KBPS``; the encoder takes the nearest bit rate that the format has.
    """
    import soundfile

    low, high = MP3_KBPS
    coded = io.BytesIO()
    with soundfile.SoundFile(
        coded,
        "w",
        SAMPLE_RATE_HZ,
        channels=1,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=(high - kbps) / (high - low),
    ) as file:
        file.write(waveform)
    coded.seek(0)
    decoded, _ = soundfile.read(coded, dtype="float32")
    delay = _DELAY_SAMPLES if len(decoded) > len(waveform) else 0
    return as_float32(decoded[delay : delay + len(waveform)])
