"""Raw PCM from a named pipe (FIFO), into which a player writes, such as MPD or Snapcast."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import stat
from typing import TYPE_CHECKING, Literal

import numpy as np

from rtgenre.sources.backoff import Backoff
from rtgenre.sources.base import AudioSource, Deliver, SourceError
from rtgenre.sources.clock import CaptureClock, Clock
from rtgenre.sources.live_pace import LivePace
from rtgenre.sources.names import told_path
from rtgenre.sources.pcm import PcmDecoder
from rtgenre.types import Block

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

# As much as a pipe holds.
READ_BYTES = 65536
# A player that writes nothing for this long pauses: what it plays is silence.
PAUSE_SECONDS = 1.0


class NamedPipeSource(AudioSource):
    """A named pipe, into which players write for as long as they like.

    It is held open for writing, too, so that it does not end with a player; once anything was
    written, a pause is silence. It is read no faster than it sounds, so that a player that only
    waits for its reader keeps time. A pipe that is put in its place is opened anew.
    """

    def __init__(
        self,
        path: Path,
        *,
        sample_rate_hz: int,
        n_channels: int,
        pcm_format: Literal["s16le", "f32le"],
        clock: Clock | None = None,
    ) -> None:
        super().__init__(f"pipe: {told_path(path.name)}", live=True)
        self._path = path
        self._sample_rate_hz = sample_rate_hz
        self._n_channels = n_channels
        self._format = pcm_format
        self._clock = clock or CaptureClock()
        self._pace = LivePace(late_seconds=PAUSE_SECONDS)
        self._backoff = Backoff(first_seconds=0.5, longest_seconds=5.0)
        # Whether anything was written yet.
        self._begun = False
        # Whether the next block comes after lost audio.
        self._gap = False
        # What has come and is less than is wanted at once.
        self._rest = np.zeros((0, n_channels), dtype=np.float32)

    async def run(self, deliver: Deliver) -> None:
        """Deliver what is written, and silence in between, until cancelled.

        Raises:
            SourceError: it cannot be opened the first time.
        """
        while True:
            try:
                with self._opened() as descriptor:
                    self._backoff.reset()
                    self.problem = await self._listen(descriptor, deliver)
            except OSError as error:
                self.problem = f"{told_path(self._path)}: cannot be opened: {error.strerror}"
                if not self._begun:
                    raise SourceError(self.problem) from error
            log.debug("%s: %s", self.name, self.problem)
            self._gap = self._begun
            await asyncio.sleep(self._backoff.next_seconds())

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        # Without waiting for a writer, for whom a reader is there from now on.
        descriptor = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    async def _listen(self, descriptor: int, deliver: Deliver) -> str:
        """Deliver until another file is in the pipe's place, and say so."""
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return f"{told_path(self._path)} is no named pipe any more"
        decoder = PcmDecoder(self._format, self._n_channels)
        written = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(descriptor, written.set)
        try:
            while True:
                try:
                    async with asyncio.timeout(PAUSE_SECONDS):
                        await written.wait()
                except TimeoutError:
                    if not self._is_in_place(descriptor):
                        return f"{told_path(self._path)} was removed"
                    await self._pause(deliver)
                    continue
                written.clear()
                with contextlib.suppress(BlockingIOError):
                    samples = decoder.push(os.read(descriptor, READ_BYTES))
                    self._rest = np.concatenate([self._rest, samples])
                    self._begun = True
                await self._deliver_rest(deliver)
        finally:
            loop.remove_reader(descriptor)

    def _is_in_place(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(descriptor))
        except OSError:
            return False

    async def _pause(self, deliver: Deliver) -> None:
        if not self._begun:
            self.problem = (
                f"nothing was written into {told_path(self._path)} yet; does the player that "
                "writes into it play?"
            )
            return
        n_samples = round(PAUSE_SECONDS * self._sample_rate_hz)
        silence = np.zeros((n_samples, self._n_channels), dtype=np.float32)
        self._rest = np.concatenate([self._rest, silence])
        await self._deliver_rest(deliver)

    async def _deliver_rest(self, deliver: Deliver) -> None:
        """Deliver the blocks that have come as a whole, each when it has been heard."""
        rate_hz = self._sample_rate_hz
        while len(self._rest) >= (n := max(1, math.ceil(self.wanted_seconds() * rate_hz))):
            block, self._rest = self._rest[:n], self._rest[n:]
            await self._pace.wait(n / rate_hz)
            if self.problem is not None:
                self.problem = None
                self.reopens += self._gap
            await deliver(Block(block, rate_hz, self._clock(), gap=self._gap))
            self._gap = False
