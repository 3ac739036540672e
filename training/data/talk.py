"""People who talk while music plays, on sound itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.data.acoustics import as_float32, rms
from training.data.library import read_or_leave_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from training.data.dataset import FloatArray
    from training.data.library import Recording


_SILENT_RMS = 1e-4


@dataclass(frozen=True, slots=True)
class Talk:
    """How loud it is, and how long nobody speaks."""

    snr_db: tuple[float, float] = (0.0, 15.0)
    """How far a voice lies below the music while somebody speaks."""
    pause_seconds: tuple[float, float] = (0.2, 2.0)


def audible(voices: Iterable[FloatArray]) -> list[FloatArray]:
    """Leave out those that say nothing."""
    return [one for one in voices if rms(one) > _SILENT_RMS]


def read_voices(recordings: Iterable[Recording], rate_hz: int) -> list[FloatArray]:
    """Read speech; what cannot be read, or says nothing, is left out."""
    sounds = (read_or_leave_out(one.path, rate_hz) for one in recordings)
    return audible(one for one in sounds if one is not None)


def talked_over(
    waveform: FloatArray,
    voices: Sequence[FloatArray],
    rate_hz: int,
    rng: np.random.Generator,
    options: Talk | None = None,
) -> FloatArray:
    """Let people talk over music, one after another.

    Args:
        waveform: ``(n_samples,)`` of music; so is what is returned.
        voices: speech, of any length but not silent, at the same rate.
        rate_hz: of both.
        rng: draws who speaks, when, and how loud.
        options: how loud that may be.
    """
    chosen = options or Talk()
    spoken: list[FloatArray] = []
    n_spoken = 0
    while n_spoken < len(waveform):
        voice = voices[int(rng.integers(len(voices)))]
        n_pause = round(rng.uniform(*chosen.pause_seconds) * rate_hz)
        spoken += [voice / np.float32(rms(voice)), np.zeros(n_pause, np.float32)]
        n_spoken += len(voice) + n_pause
    first = int(rng.integers(n_spoken - len(waveform) + 1))
    talk = np.concatenate(spoken)[first:][: len(waveform)]
    level = rms(waveform) * 10.0 ** (-rng.uniform(*chosen.snr_db) / 20.0)
    return as_float32(waveform + talk * np.float32(level))
