"""Wall time for stamping audio, which never runs backwards."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Returns Unix time in seconds."""


class CaptureClock:
    """Follows the system clock, but never back.

    When that is set back it runs at half speed until they agree again, so that timestamps stay
    in order; when it is set forward it follows at once.
    """

    def __init__(self, wall: Clock = time.time, monotonic: Clock = time.monotonic) -> None:
        self._wall = wall
        self._monotonic = monotonic
        # The last time given out, and when that was on the monotonic clock.
        self._last = wall()
        self._last_monotonic = monotonic()

    def __call__(self) -> float:
        """Return Unix time in seconds, never less than before."""
        now_monotonic = self._monotonic()
        slowed = self._last + 0.5 * (now_monotonic - self._last_monotonic)
        self._last = max(self._wall(), slowed)
        self._last_monotonic = now_monotonic
        return self._last
