"""The way from the audio callback's thread to the event loop."""

from __future__ import annotations

import dataclasses
import threading
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

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
        # How much audio waits.
        self._waiting_seconds = 0.0
        self.dropped_blocks = 0

    def push(self, block: Block) -> float:
        """Append a block, and return how many seconds of audio wait."""
        with self._lock:
            self._blocks.append(block)
            self._waiting_seconds += _seconds(block)
            if len(self._blocks) > self._max_blocks:
                self._waiting_seconds -= _seconds(self._blocks.popleft())
                self.dropped_blocks += 1
                self._blocks[0] = dataclasses.replace(self._blocks[0], gap=True)
            return self._waiting_seconds

    def take(self) -> Block | None:
        """Take what waits, up to the next gap, as one block; None when there is nothing."""
        with self._lock:
            if not self._blocks:
                return None
            taken = [self._blocks.popleft()]
            while self._blocks and not self._blocks[0].gap:
                taken.append(self._blocks.popleft())
            self._waiting_seconds = sum(_seconds(block) for block in self._blocks)
        if len(taken) == 1:
            return taken[0]
        samples = np.concatenate([block.samples for block in taken])
        return dataclasses.replace(taken[-1], samples=samples, gap=taken[0].gap)


def _seconds(block: Block) -> float:
    return len(block.samples) / block.sample_rate_hz
