"""How long to wait before trying again."""

from __future__ import annotations

import random

FIRST_SECONDS = 1.0
MOST_SECONDS = 60.0


class Backoff:
    """Exponential backoff with jitter, so that many clients do not come back all at once.

    Each wait is drawn from the upper half of a bound that doubles every time.
    """

    def __init__(
        self, first_seconds: float = FIRST_SECONDS, most_seconds: float = MOST_SECONDS
    ) -> None:
        self._first_seconds = first_seconds
        self._most_seconds = most_seconds
        self._bound_seconds = first_seconds

    def next_seconds(self) -> float:
        """Return how long to wait now, and make the next wait longer."""
        seconds = random.uniform(0.5, 1.0) * self._bound_seconds  # noqa: S311 - not a secret
        self._bound_seconds = min(self._most_seconds, 2 * self._bound_seconds)
        return seconds

    def reset(self) -> None:
        """Begin with short waits again."""
        self._bound_seconds = self._first_seconds
