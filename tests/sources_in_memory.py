"""Sources that play what a test gives them."""

import asyncio

from rtgenre.sources.base import AudioSource
from rtgenre.types import Block


class MemorySource(AudioSource):
    """Delivers blocks from memory, as a file does, then ends."""

    def __init__(self, blocks, *, live=False):
        super().__init__("memory", live=live)
        self._blocks = list(blocks)

    async def run(self, deliver):
        for block in self._blocks:
            await deliver(block)


class HandSource(AudioSource):
    """Delivers what the test hands it, when it hands it, as a device does."""

    def __init__(self, *, is_microphone=False, name="hand"):
        super().__init__(name, live=True)
        self._queue = asyncio.Queue()
        self._is_microphone = is_microphone

    @property
    def is_microphone(self):
        return self._is_microphone

    async def run(self, deliver):
        while (block := await self._queue.get()) is not None:
            await deliver(block)
            self._queue.task_done()
        self._queue.task_done()

    def play(self, samples, rate_hz=22050, *, gap=False, captured_at=1000.0):
        if samples.ndim == 1:
            samples = samples[:, None]
        self._queue.put_nowait(Block(samples, rate_hz, captured_at, gap))

    async def drained(self):
        """Wait until everything that was played has been delivered."""
        await self._queue.join()

    def end(self):
        self._queue.put_nowait(None)
