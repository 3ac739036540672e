"""What others say plays in a room whose source does not know."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtgenre.types import Track

TOLD_SECONDS = 3 * 3600.0
"""Longer than nearly all music: who said it has gone, and what he said with him."""


class ToldTracks:
    """What programs told of each room, until they tell something else or it is old."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        # By node, what plays there and when that was said.
        self._told: dict[str, tuple[Track, float]] = {}

    def tell(self, node: str, track: Track | None) -> None:
        """Take what plays in a room; None: nothing that is known."""
        if track is None:
            self._told.pop(node, None)
        else:
            self._told[node] = (track, self._monotonic())

    def now(self, node: str) -> Track | None:
        """Return what plays in a room, as far as that was said."""
        track, told_at = self._told.get(node, (None, 0.0))
        return track if self._monotonic() - told_at <= TOLD_SECONDS else None
