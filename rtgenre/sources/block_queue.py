"""The way from the audio callback's thread to the event loop."""

from __future__ import annotations

import dataclasses
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtgenre.types import Block


class BlockQueue:
    """Blocks on their way from one thread to another, a bounded number of them.

    When it is full the oldest block is dropped and counted, and the one after it has a gap.
    """

    def __init__(self, max_blocks: int) -> None:
        self._max_blocks = max_blocks
        self._blocks: deque[Block] = deque()
        self._lock = threading.Lock()
        self.dropped_blocks = 0

    def push(self, block: Block) -> None:
        """Append a block."""
        with self._lock:
            self._blocks.append(block)
            if len(self._blocks) > self._max_blocks:
                self._blocks.popleft()
                self.dropped_blocks += 1
                self._blocks[0] = dataclasses.replace(self._blocks[0], gap=True)

    def pop(self) -> Block | None:
        """Take the oldest block, or None when there is none."""
        with self._lock:
            return self._blocks.popleft() if self._blocks else None
