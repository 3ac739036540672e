"""How recordings follow one another where people play them: faded, or with talk between; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from training.data.acoustics import rms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.data.dataset import FloatArray

Piece: TypeAlias = "tuple[str | None, FloatArray]"
"""A genre, None for talk, and a waveform."""
FADE_SECONDS = 4.0
_TALK_SECONDS = (3.0, 9.0)
_TALK_SHARE = 0.6


def faded(pieces: Sequence[Piece], rate_hz: int) -> list[Piece]:
    """Let each fade into the next at equal power; the music counts as changed from the middle on.

    What is shorter than two fades is not faded.
    """
    n_samples = round(FADE_SECONDS * rate_hz)
    ramp = np.linspace(0.0, np.pi / 2, n_samples, dtype=np.float32)
    joined: list[Piece] = []
    for genre, sound in pieces:
        coming = sound
        if joined and min(len(joined[-1][1]), len(sound)) > 2 * n_samples:
            before, going = joined[-1]
            both = going[-n_samples:] * np.cos(ramp) + sound[:n_samples] * np.sin(ramp)
            middle = n_samples // 2
            joined[-1] = (before, np.concatenate([going[:-n_samples], both[:middle]]))
            coming = np.concatenate([both[middle:], sound[n_samples:]])
        joined.append((genre, coming))
    return joined


def with_talk(
    pieces: Sequence[Piece],
    speech: Sequence[FloatArray],
    rate_hz: int,
    rng: np.random.Generator,
) -> list[Piece]:
    """Put 3 to 9 s of talk, as loud as the music behind it, between three of five pairs."""
    joined: list[Piece] = []
    for genre, sound in pieces:
        if joined and rng.random() < _TALK_SHARE:
            said = speech[int(rng.integers(len(speech)))]
            said = said[: round(rng.uniform(*_TALK_SECONDS) * rate_hz)]
            joined.append((None, said * np.float32(rms(sound) / rms(said))))
        joined.append((genre, sound))
    return joined
