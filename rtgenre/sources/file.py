"""Audio files, one after another, as they would be heard or as fast as they can be read."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

from rtgenre.sources.base import AudioSource, Deliver, SourceError
from rtgenre.sources.clock import CaptureClock, Clock
from rtgenre.sources.decode import AudioDecoder, DecodeError, expand_paths, open_audio
from rtgenre.types import Block, FloatArray

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

# Read at once, by a thread; the loop is woken far less often than blocks are delivered.
READ_SECONDS = 0.5
# A window is complete at most this long before the block that completes it.
REALTIME_BLOCK_SECONDS = 0.02
MAX_SPEED_BLOCK_SECONDS = 0.1
# Further behind than this (a suspended machine, say), time begins anew instead of hurrying.
MAX_LAG_SECONDS = 1.0


class FileSource(AudioSource):
    """Files and folders of them, in the order given.

    A file that cannot be used is written down in ``failures`` and the others go on; each file
    begins with a gap, so that no window reaches from one into the next. At real time the blocks
    come when they would have been heard; at maximum speed each waits for the one before.
    """

    def __init__(
        self,
        paths: tuple[Path, ...],
        *,
        speed: Literal["realtime", "max"] = "realtime",
        loop: bool = False,
        clock: Clock | None = None,
    ) -> None:
        first = paths[0].name or str(paths[0])
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        super().__init__(f"file: {first}{more}", live=speed == "realtime")
        self._paths = paths
        self._loop = loop
        self._clock = clock or CaptureClock()
        # None at maximum speed.
        self._pace = Pace() if speed == "realtime" else None
        self._block_seconds = REALTIME_BLOCK_SECONDS if self._pace else MAX_SPEED_BLOCK_SECONDS
        # Whether anything was delivered yet.
        self._begun = False

    async def run(self, deliver: Deliver) -> None:
        """Deliver every file, again and again with ``loop``.

        Raises:
            SourceError: not one of the files could be used.
        """
        files, failures = expand_paths(self._paths)
        self.failures += failures
        while files:
            usable = [file for file in files if await self._play(file, deliver)]
            if not self._loop or not usable:
                break
            files = usable
        if not self._begun:
            raise SourceError("no file could be used: " + "; ".join(self.failures))

    async def _play(self, file: Path, deliver: Deliver) -> bool:
        """Deliver one file and return whether there was any audio in it."""
        # One thread reads and closes, so that a file is never closed under a read.
        reader = ThreadPoolExecutor(1, thread_name_prefix="file-reader")
        loop = asyncio.get_running_loop()
        opening = reader.submit(open_audio, file)
        delivered = False
        try:
            decoder = await asyncio.wrap_future(opening)
            self.title = decoder.title
            read_frames = max(1, round(READ_SECONDS * decoder.sample_rate_hz))
            while True:
                samples = await loop.run_in_executor(reader, decoder.read, read_frames)
                if len(samples) == 0:
                    break
                await self._deliver_blocks(samples, decoder, deliver, gap=not delivered)
                delivered = True
        except DecodeError as error:
            if str(error) not in self.failures:
                self.failures.append(str(error))
        finally:
            reader.submit(_close, opening)
            reader.shutdown(wait=False)
        return delivered

    async def _deliver_blocks(
        self, samples: FloatArray, decoder: AudioDecoder, deliver: Deliver, *, gap: bool
    ) -> None:
        rate = decoder.sample_rate_hz
        block_frames = max(1, round(self._block_seconds * rate))
        for start in range(0, len(samples), block_frames):
            block = samples[start : start + block_frames]
            if self._pace is not None:
                await self._pace.wait(len(block) / rate)
            after_gap = gap and start == 0 and self._begun
            await deliver(Block(block, rate, self._clock(), gap=after_gap))
            self._begun = True


def _close(opening: Future[AudioDecoder]) -> None:
    """Close what was opened, though nobody may have waited for it."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


class Pace:
    """Holds back what was read until it would have been heard, without drifting."""

    def __init__(
        self,
        monotonic: Clock = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        # When, on the monotonic clock, all that came so far has been heard; None at first.
        self._heard_until: float | None = None

    async def wait(self, seconds: float) -> None:
        """Wait until the next ``seconds`` of audio have been heard."""
        now = self._monotonic()
        if self._heard_until is None or now - self._heard_until > MAX_LAG_SECONDS:
            self._heard_until = now
        self._heard_until += seconds
        await self._sleep(max(0.0, self._heard_until - now))
