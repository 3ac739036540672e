"""Raw PCM from a named pipe (FIFO), into which a player writes, such as MPD or Snapcast."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import stat
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.sources.backoff import Backoff
from rtgenre.sources.base import AudioSource, Deliver, SourceError
from rtgenre.sources.clock import CaptureClock, Clock
from rtgenre.sources.live_blocks import LiveBlocks
from rtgenre.sources.live_pace import LivePace
from rtgenre.sources.names import told_path
from rtgenre.sources.pcm import PcmDecoder, PcmFormat

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
        pcm: PcmFormat,
        *,
        may_be_missing: bool = False,
        clock: Clock | None = None,
    ) -> None:
        """Take it, without opening it.

        Args:
            path: of the pipe.
            pcm: what is written into it.
            may_be_missing: wait for one that is not there at first.
            clock: stamps the blocks.

        Raises:
            SourceError: this system has no named pipes.
        """
        if not hasattr(os, "mkfifo"):
            raise SourceError(f"{told_path(path)}: this system has no named pipes")
        super().__init__(f"pipe: {told_path(path.name)}", live=True)
        self._path = path
        self._pcm = pcm
        self._may_be_missing = may_be_missing
        self._backoff = Backoff(first_seconds=0.5, longest_seconds=5.0)
        self._blocks = LiveBlocks(
            self,
            pcm.sample_rate_hz,
            pcm.n_channels,
            clock=clock or CaptureClock(),
            pace=LivePace(late_seconds=PAUSE_SECONDS),
        )
        # Whether anything was written yet.
        self._begun = False

    async def run(self, deliver: Deliver) -> None:
        """Deliver what is written, and silence in between, until cancelled.

        Raises:
            SourceError: it cannot be opened the first time, or is something else.
        """
        while True:
            try:
                with self._opened() as descriptor:
                    self._backoff.reset()
                    self.problem = await self._listen(descriptor, deliver)
            except OSError as error:
                self.problem = f"{told_path(self._path)}: cannot be opened: {error.strerror}"
                if not self._begun and not self._is_awaited(error):
                    raise SourceError(self.problem) from error
            log.debug("%s: %s", self.name, self.problem)
            self._blocks.gap = self._begun
            await asyncio.sleep(self._backoff.next_seconds())

    def _is_awaited(self, error: OSError) -> bool:
        return self._may_be_missing and isinstance(error, FileNotFoundError)

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
            if not self._begun:
                told = told_path(self._path)
                raise SourceError(f"{told} is no named pipe; remove it, then: mkfifo {told}")
            return f"{told_path(self._path)} is no named pipe any more"
        decoder = PcmDecoder(self._pcm)
        self._blocks.drop_rest()
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
                    # A player that was killed in the middle of a sample writes no more of it.
                    decoder = PcmDecoder(self._pcm)
                    await self._pause(deliver)
                    continue
                written.clear()
                try:
                    data = os.read(descriptor, READ_BYTES)
                except BlockingIOError:  # another reader was first
                    continue
                self._begun = True
                await self._blocks.push(decoder.push(data), deliver)
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
        n_samples = round(PAUSE_SECONDS * self._pcm.sample_rate_hz)
        silence = np.zeros((n_samples, self._pcm.n_channels), dtype=np.float32)
        await self._blocks.push(silence, deliver)
