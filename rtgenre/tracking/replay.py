"""The last ten minutes once more, as other smoothing would have shown them; pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rtgenre.tracking.smoothing import GenreTracker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.tracking.smoothing import TrackerParams
    from rtgenre.types import Prediction

KEPT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class JudgedWindow:
    """What the tracker was given of a window."""

    prediction: Prediction
    end_seconds: float
    """On the source's own clock."""
    levels_dbfs: Sequence[float]
    """Of each quarter of a second, oldest first."""
    captured_at: float
    """Unix time of its last sample."""
    begins: bool
    """Audio was lost before it."""
    gone: bool = False
    """So much was lost that what was shown no longer counts."""


class Shown(NamedTuple):
    """A time during which one thing is shown."""

    genre: str
    """A genre, or ``unknown`` or ``silence``."""
    started_at: float
    ended_at: float
    """Unix times, in seconds."""


class LastMinutes:
    """The windows of one source in the last ten minutes."""

    def __init__(self) -> None:
        self._windows: deque[JudgedWindow] = deque()

    def push(self, window: JudgedWindow) -> None:
        """Take in the newest window."""
        self._windows.append(window)
        while self._windows[0].end_seconds < window.end_seconds - KEPT_SECONDS:
            self._windows.popleft()

    def clear(self) -> None:
        """Forget all: the genres are others."""
        self._windows.clear()

    def windows(self) -> list[JudgedWindow]:
        """Return them, oldest first."""
        return list(self._windows)


def replay(
    windows: Sequence[JudgedWindow], labels: Sequence[str], params: TrackerParams
) -> list[Shown]:
    """Return what is shown when these windows are followed in this way, oldest first."""
    tracker = GenreTracker(labels, params)
    shown: list[Shown] = []
    for window in windows:
        if window.gone:
            tracker.begin_again()
        elif window.begins:
            tracker.reset()
        state = tracker.update(
            window.prediction, end_seconds=window.end_seconds, levels_dbfs=window.levels_dbfs
        )
        genre, time = state.genre or state.state.value, window.captured_at
        if shown:
            shown[-1] = shown[-1]._replace(ended_at=time)
        if not shown or shown[-1].genre != genre:
            shown.append(Shown(genre, time, time))
    return shown
