"""The values that cross from one stage to the next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


Channel = Literal["mix", "left", "right"] | int
"""The mean of all channels, the first, the second, or a number counted from 1."""


CLOCK_STEP_SECONDS = 60.0
"""A system clock that moves by more at once was set: it is followed. Smaller steps are smoothed."""

GONE_SECONDS = 10.0
"""After so long without any audio what was heard before no longer counts. A stream that stumbles is
back sooner; lamps need not follow."""


@dataclass(frozen=True, slots=True)
class Block:
    """Audio as a source delivers it."""

    samples: FloatArray
    """``(n_samples, n_channels)``, full scale ±1, at the source's own rate."""
    sample_rate_hz: int
    captured_at: float
    """Unix time at which the last sample was heard, in seconds."""
    gap: bool = False
    """Audio was lost just before this block: windows must not reach across."""


@dataclass(frozen=True, slots=True)
class Track:
    """What a source plays, by its own account or by that of what plays it."""

    title: str
    """Never empty; a file's name where it has no title."""
    artist: str | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of audio that one prediction is made from."""

    samples: FloatArray
    """``(window_samples,)``, mono, at the model's rate."""
    start_sample: int
    """Counted at the model's rate from the source's first sample, gaps left out."""
    end_sample: int
    captured_at: float
    """Unix time at which the last sample was heard, in seconds."""
    level_dbfs: float
    """RMS of the newest hop; a full-scale square wave is 0 dBFS, digital silence -120."""
    levels_dbfs: FloatArray
    """``(n_segments,)``, RMS of each quarter of a second, oldest first."""
    track: Track | None = None
    """What was said to play when the last sample was heard."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model says of one window, before any smoothing."""

    probabilities: FloatArray
    """``(n_labels,)``, one per genre, summing to one."""
    music: float
    """Probability that the window holds music at all; 1.0 from a model without that output."""
    familiar: float = 1.0
    """Probability that the music is of one of the genres; 1.0 from a model that does not say."""
    embedding: FloatArray | None = None
    """``(embedding_size,)``, what the model heard, whatever it calls it; values are near 0, most
    within ±3. Windows that sound alike lie near each other. None from a model without it."""


class PlayState(StrEnum):
    """What kind of thing is being heard."""

    MUSIC = "music"
    UNKNOWN = "unknown"
    SILENCE = "silence"


class UnknownReason(StrEnum):
    """Why no genre is shown though something is heard."""

    NOT_MUSIC = "not_music"
    UNFAMILIAR = "unfamiliar"
    """Music, but probably of none of the genres."""
    UNSURE = "unsure"
    """Music, but no genre is likely enough."""


@dataclass(frozen=True, slots=True)
class GenreState:
    """What is shown after smoothing."""

    state: PlayState
    genre: str | None
    """One of the labels while ``state`` is music, else None."""
    reason: UnknownReason | None
    """Why no genre is shown while ``state`` is unknown, else None."""
    confidence: float | None
    """How likely it is that this is the shown genre, or the likeliest one where none is shown: its
    probability times ``familiar``. None in silence, and where there is no music."""
    held_seconds: float
    """How long this state and genre have been shown, on the source's own clock."""
    probabilities: FloatArray
    """``(n_labels,)``, smoothed, summing to one, if it is one of the genres; all the same in
    silence."""
    music: float
    """Smoothed probability that this is music; 0 in silence."""
    familiar: float
    """Smoothed probability that the music is of one of the genres; 1 in silence."""
