"""Which windows hold enough sound to be judged, and when silence begins and ends; pure."""

from __future__ import annotations

from itertools import groupby, takewhile
from typing import TYPE_CHECKING

from rtgenre.audio.windows import SEGMENT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST_SOUND_SHARE = 0.625
"""Of a window: with less, models take the beginning of music for something else."""
_PAUSE_SECONDS = 1.0
"""Quiet between two sounds for less than this belongs to the music."""
_MOST_QUIET_END_SECONDS = 0.5
"""A window that ends in a longer quiet says nothing that the one before did not say better."""
_END_LOUDER_DB = 3.0
"""Sound that ends silence must be so much above the limit, so that nothing flickers there."""


class SilenceFollower:
    """Follows the windows of one source, with time given by the caller in seconds."""

    def __init__(self) -> None:
        self.silent = True
        """Nothing is heard: at first, and again after quiet that has lasted."""
        # When there was sound last, and when a window was judged last; None before the first.
        self._sounded_at: float | None = None
        self._judged_at: float | None = None
        # Whether the newest window begins in quiet, and whether the end of silence was put off.
        self._begins_quiet = False
        self._put_off = False

    def update(
        self,
        levels_dbfs: Sequence[float],
        *,
        end_seconds: float,
        below_dbfs: float,
        after_seconds: float,
    ) -> bool:
        """Take in a window and say whether it may be judged.

        Args:
            levels_dbfs: of the window's segments, each ``SEGMENT_SECONDS`` long, oldest first.
            end_seconds: the window's end on the source's own clock; never decreases.
            below_dbfs: quieter segments are silent; while nothing is heard so are some louder ones.
            after_seconds: how long quiet must last to be silence.
        """
        window_seconds = len(levels_dbfs) * SEGMENT_SECONDS
        if self.silent and self._sounded_at is not None:
            below_dbfs += _END_LOUDER_DB
        quiet = [level < below_dbfs for level in levels_dbfs]
        quiet_end_seconds = _quiet_end_seconds(quiet)
        if self._sounded_at is None or quiet_end_seconds < window_seconds:
            self._sounded_at = end_seconds - quiet_end_seconds
        if self._judged_at is None:
            self._judged_at = end_seconds
        self._begins_quiet = quiet[0]
        judged = _holds_sound(quiet)
        self._put_off = self._put_off and judged
        if judged:
            self._judged_at = end_seconds
            self.silent = False
        elif quiet_end_seconds and end_seconds - self._sounded_at >= after_seconds:
            self.silent = True
        elif end_seconds - self._judged_at >= after_seconds + window_seconds:
            # Single clicks, knocks or words, never enough of them to be judged.
            self.silent = True
        return judged

    def put_off_end(self) -> None:
        """Stay silent until the next window, once, if this one begins in quiet."""
        self.silent = self._begins_quiet and not self._put_off
        self._put_off = True


def holds_sound(levels_dbfs: Sequence[float], *, below_dbfs: float) -> bool:
    """Say whether a window holds enough sound to be judged.

    Args:
        levels_dbfs: of its segments, each ``SEGMENT_SECONDS`` long, oldest first.
        below_dbfs: quieter segments are silent.
    """
    return _holds_sound([level < below_dbfs for level in levels_dbfs])


def _holds_sound(quiet: Sequence[bool]) -> bool:
    return (
        _quiet_end_seconds(quiet) <= _MOST_QUIET_END_SECONDS
        and _sound_seconds(quiet) >= _LEAST_SOUND_SHARE * len(quiet) * SEGMENT_SECONDS
    )


def _quiet_end_seconds(quiet: Sequence[bool]) -> float:
    """Return how long it has been quiet at the end."""
    return sum(takewhile(bool, reversed(quiet))) * SEGMENT_SECONDS


def _sound_seconds(quiet: Sequence[bool]) -> float:
    """Add up what sounds, short pauses included."""
    runs = [(is_quiet, sum(1 for _ in run)) for is_quiet, run in groupby(quiet)]
    sounding = 0
    for place, (is_quiet, n_segments) in enumerate(runs):
        is_pause = 0 < place < len(runs) - 1 and n_segments * SEGMENT_SECONDS < _PAUSE_SECONDS
        if not is_quiet or is_pause:
            sounding += n_segments
    return sounding * SEGMENT_SECONDS
