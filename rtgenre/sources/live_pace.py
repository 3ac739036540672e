"""Time for sound that is sent as it is heard, more or less."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rtgenre.sources.clock import Clock

# A sender's clock may be a little faster than ours.
_MOST_SPEED = 1.02


class LivePace:
    """Holds back what was sent ahead until it is heard; a block that comes late passes at once."""

    def __init__(
        self,
        late_seconds: float = 0.0,
        *,
        monotonic: Clock = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Begin; of what comes late so much passes at once, at least one block."""
        self._late_seconds = late_seconds
        self._monotonic = monotonic
        self._sleep = sleep
        # When, on the monotonic clock, all that has passed so far has been heard.
        self._heard_until = 0.0

    async def wait(self, seconds: float) -> None:
        """Wait until the next ``seconds`` of audio have been heard."""
        now = self._monotonic()
        # What comes late was heard meanwhile.
        heard_from = max(self._heard_until, now - max(seconds, self._late_seconds))
        self._heard_until = heard_from + seconds / _MOST_SPEED
        await self._sleep(max(0.0, self._heard_until - now))
