"""Blocks out of live sound that comes in pieces of any size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.types import Block

if TYPE_CHECKING:
    from rtgenre.sources.base import AudioSource, Deliver
    from rtgenre.sources.clock import Clock
    from rtgenre.sources.live_pace import LivePace
    from rtgenre.types import FloatArray


class LiveBlocks:
    """Cuts sound into blocks as long as they are wanted, and delivers each when it was heard.

    With a block the source's problem is over; if audio was lost before, it was opened again.
    """

    def __init__(
        self,
        source: AudioSource,
        sample_rate_hz: int,
        n_channels: int,
        *,
        clock: Clock,
        pace: LivePace,
    ) -> None:
        self._source = source
        self._sample_rate_hz = sample_rate_hz
        self._clock = clock
        self._pace = pace
        # What has come and is less than is wanted at once.
        self._rest = np.zeros((0, n_channels), dtype=np.float32)
        # Whether the next block comes after lost audio.
        self.gap = False
        # How much was delivered so far.
        self.delivered_seconds = 0.0

    def drop_rest(self) -> None:
        """Forget what was pushed and not delivered."""
        self._rest = self._rest[:0]

    async def push(self, samples: FloatArray, deliver: Deliver) -> None:
        """Take ``(n_samples, n_channels)`` and deliver the blocks that have come as a whole."""
        self._rest = np.concatenate([self._rest, samples])
        while len(self._rest) >= (n_samples := self._wanted_samples()):
            block, self._rest = self._rest[:n_samples], self._rest[n_samples:]
            await self._deliver(block, deliver)

    async def finish(self, deliver: Deliver) -> None:
        """Deliver what is left, as a shorter block, since no more comes."""
        rest, self._rest = self._rest, self._rest[:0]
        if len(rest):
            await self._deliver(rest, deliver)

    def _wanted_samples(self) -> int:
        return max(1, math.ceil(self._source.wanted_seconds() * self._sample_rate_hz))

    async def _deliver(self, samples: FloatArray, deliver: Deliver) -> None:
        seconds = len(samples) / self._sample_rate_hz
        await self._pace.wait(seconds)
        if self._source.problem is not None:
            self._source.problem = None
            self._source.reopens += self.gap
        await deliver(Block(samples, self._sample_rate_hz, self._clock(), gap=self.gap))
        self.gap = False
        self.delivered_seconds += seconds
