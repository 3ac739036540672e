"""How long to wait before trying again."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


STEADY_SECONDS = 30.0
"""What worked for this long was good: the next wait is short again."""


class Backoff:
    """Delays that double from the first to the longest, each up to a quarter shorter by chance.

    The chance keeps many clients that lost the same server from coming back all at once.
    """

    def __init__(
        self,
        first_seconds: float,
        longest_seconds: float,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._first_seconds = first_seconds
        self._longest_seconds = longest_seconds
        self._uniform = uniform
        self._next_seconds = first_seconds

    def next_seconds(self) -> float:
        """Return how long to wait now; it grows with every call."""
        seconds = self._next_seconds
        self._next_seconds = min(2 * seconds, self._longest_seconds)
        return seconds * self._uniform(0.75, 1.0)

    def lasted(self, seconds: float) -> None:
        """Begin again with the first delay if what was tried last worked for long."""
        if seconds > STEADY_SECONDS:
            self.reset()

    def reset(self) -> None:
        """Begin again with the first delay: it worked."""
        self._next_seconds = self._first_seconds
