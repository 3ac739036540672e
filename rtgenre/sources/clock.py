"""Wall time for stamping audio, which runs backwards only when the system clock was set."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from rtgenre.types import CLOCK_STEP_SECONDS

Clock = Callable[[], float]
"""Returns Unix time in seconds."""


logger = logging.getLogger(__name__)


class CaptureClock:
    """Follows the system clock, and back only when that was set.

    While that is behind by up to ``CLOCK_STEP_SECONDS`` it runs at half speed until they agree
    again, so that timestamps stay in order.
    """

    def __init__(self, wall: Clock = time.time, monotonic: Clock = time.monotonic) -> None:
        self._wall = wall
        self._monotonic = monotonic
        # The last time given out, and when that was on the monotonic clock.
        self._last = wall()
        self._last_monotonic = monotonic()

    def __call__(self) -> float:
        """Return Unix time in seconds."""
        now, now_monotonic = self._wall(), self._monotonic()
        elapsed = now_monotonic - self._last_monotonic
        step = now - (self._last + elapsed)
        slowed = self._last + 0.5 * elapsed
        if slowed - now > CLOCK_STEP_SECONDS:
            logger.warning("the system clock was set back by %s: times follow it", _length(-step))
            self._last = now
        else:
            if step > CLOCK_STEP_SECONDS:
                logger.warning("the system clock went ahead by %s: times follow it", _length(step))
            self._last = max(now, slowed)
        self._last_monotonic = now_monotonic
        return self._last


def _length(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
