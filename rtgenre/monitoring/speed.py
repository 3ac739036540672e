"""Says whether the machine keeps up with the windows, and what to change if not; pure."""

from __future__ import annotations

from collections import deque

RECENT_WINDOWS = 50
"""Of a source; what was longer ago says nothing of now."""
_FEWEST_WINDOWS = 10
_FEWEST_SKIPPED = 2
_STEP_PERCENT = 5
_LONGEST_HOP_SECONDS = 4.0


class SkipWatch:
    """Notices that windows of a source are skipped because the machine is too slow."""

    def __init__(self) -> None:
        # Of the newest windows, whether each was skipped.
        self._skipped: deque[bool] = deque(maxlen=RECENT_WINDOWS)
        self.percent = 0
        """How many of the recent windows were skipped; 0 for a single one. It follows in steps, so
        that people are not told of every window."""

    def push(self, *, skipped: bool) -> None:
        """Take in what became of a window."""
        self._skipped.append(skipped)
        n_skipped = sum(self._skipped)
        if n_skipped < _FEWEST_SKIPPED:
            self.percent = 0
            return
        percent = round(100 * n_skipped / len(self._skipped))
        enough = len(self._skipped) >= _FEWEST_WINDOWS
        if enough and (self.percent == 0 or abs(percent - self.percent) >= _STEP_PERCENT):
            self.percent = percent


def skipped_percent(
    n_sources: int, *, window_seconds: float, hop_seconds: float, workers: int
) -> float:
    """Return how many of the windows workers cannot do, 0 to 100.

    Args:
        n_sources: that are live.
        window_seconds: that one worker takes for a window.
        hop_seconds: from one window of a source to the next.
        workers: windows that are worked on at once.
    """
    needed = n_sources * window_seconds / hop_seconds
    return max(0.0, 100.0 * (1.0 - workers / needed)) if needed else 0.0


def too_slow(percent: float, *, workers: int, cores: int, hop_seconds: float) -> str:
    """Say how many windows are skipped and what to change.

    Args:
        percent: of windows that are skipped.
        workers: windows that are worked on at once.
        cores: that this process may use.
        hop_seconds: from one window of a source to the next.
    """
    changes = []
    if workers < cores:
        changes.append(f"set workers to {cores} in [model]")
    if hop_seconds < _LONGEST_HOP_SECONDS:
        changes.append(f"raise hop_seconds above {hop_seconds:g} in [windows]")
    changes.append("listen to fewer sources")
    return f"too slow: {percent:.0f} % of windows skipped; {', or '.join(changes)}"
