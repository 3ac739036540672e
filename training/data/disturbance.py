"""What stands between music and a microphone: noise, a room, a small loudspeaker; on sound itself.

``training.data.rooms`` does likewise on spectrograms and is faster; this is truer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from training.data.acoustics import (
    add_at_snr,
    band_pass,
    coloured_noise,
    random_equaliser,
    reverberate,
)

if TYPE_CHECKING:
    import numpy as np

    from training.data.dataset import FloatArray


@dataclass(frozen=True, slots=True)
class Disturbance:
    """How often each change is made, and how far it goes."""

    noise: float = 0.75
    snr_db: tuple[float, float] = (3.0, 20.0)
    slope_db_per_octave: tuple[float, float] = (-6.0, 0.5)
    """Of the noise: 0 is white, -3 pink, -6 brown."""
    narrow: float = 0.3
    low_hz: tuple[float, float] = (60.0, 400.0)
    high_hz: tuple[float, float] = (3000.0, 8000.0)
    room: float = 0.3
    rt60_seconds: tuple[float, float] = (0.2, 0.8)
    direct_db: tuple[float, float] = (-3.0, 6.0)


def disturb(
    waveform: FloatArray, rng: np.random.Generator, options: Disturbance | None = None
) -> FloatArray:
    """Change ``(n_samples,)`` at ``acoustics.SAMPLE_RATE_HZ`` at random; its length stays."""
    chosen = options or Disturbance()
    heard = random_equaliser(waveform, rng)
    if rng.random() < chosen.room:
        seconds, direct_db = rng.uniform(*chosen.rt60_seconds), rng.uniform(*chosen.direct_db)
        heard = reverberate(heard, rng, seconds, direct_db)
    if rng.random() < chosen.narrow:
        heard = band_pass(heard, rng.uniform(*chosen.low_hz), rng.uniform(*chosen.high_hz))
    if rng.random() < chosen.noise:
        noise = coloured_noise(rng, len(heard), rng.uniform(*chosen.slope_db_per_octave))
        heard = add_at_snr(heard, noise, rng.uniform(*chosen.snr_db))
    return heard
