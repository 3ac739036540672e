"""Audio files, one after another, as they would be heard or as fast as they can be read."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from typing import TYPE_CHECKING, Literal

import numpy as np

from rtgenre.audio.samples import check_channel
from rtgenre.sources.backoff import Backoff
from rtgenre.sources.base import AudioSource, Deliver, SourceError
from rtgenre.sources.clock import CaptureClock, Clock
from rtgenre.sources.decode import AudioFile, open_audio
from rtgenre.sources.decoder import DecodeError
from rtgenre.sources.folders import expand_paths
from rtgenre.sources.names import told_path
from rtgenre.threads import SerialThread
from rtgenre.types import Block, Channel, FloatArray

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from concurrent.futures import Future
    from pathlib import Path

log = logging.getLogger(__name__)

# Read at once, by a thread; the loop is woken far less often than short blocks are delivered.
READ_SECONDS = 0.5
_SHORT_SECONDS = 0.15
MAX_SPEED_BLOCK_SECONDS = 0.1
# Further behind than this (a suspended machine, say), time begins anew instead of hurrying.
MAX_LAG_SECONDS = 1.0
# A loop of files that are over sooner than this waits before it plays them again.
SHORTEST_ROUND_SECONDS = 1.0
_MAX_NAMED = 3

_Looks = tuple[int, int] | None


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
        channel: Channel = "mix",
        clock: Clock | None = None,
    ) -> None:
        first = told_path(paths[0].name or paths[0])
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        super().__init__(f"file: {first}{more}", live=speed == "realtime")
        self._paths = paths
        self._loop = loop
        self._channel = channel
        self._clock = clock or CaptureClock()
        # None at maximum speed.
        self._pace = Pace() if speed == "realtime" else None
        # Whether anything was delivered yet.
        self._begun = False
        # What no audio could be found in, with what the file looked like then.
        self._unusable: dict[Path, _Looks] = {}
        # Damaged files, of which each is spoken of once.
        self._remarked: set[Path] = set()
        self._backoff = Backoff(first_seconds=1.0, longest_seconds=30.0)

    async def run(self, deliver: Deliver) -> None:
        """Deliver every file, again and again with ``loop``.

        Files that a loop has lost are a ``problem`` until they are back.

        Raises:
            SourceError: not one of the files could be used.
        """
        while True:
            files, failures = await asyncio.to_thread(self._find_files)
            played_seconds = 0.0
            for file in files:
                played_seconds += await self._play(file, deliver, failures)
            self._note(failures)
            if not self._begun:
                raise SourceError(f"no file could be used: {_some_of(failures)}")
            if not self._loop:
                return
            await self._rest(played_seconds, failures)

    def _find_files(self) -> tuple[list[Path], list[str]]:
        """Return what to play now, and one line for each folder without audio files."""
        files, failures = expand_paths(self._paths)
        return [file for file in files if not self._is_known_as_unusable(file)], failures

    def _is_known_as_unusable(self, file: Path) -> bool:
        return file in self._unusable and self._unusable[file] == _looks(file)

    async def _rest(self, played_seconds: float, failures: list[str]) -> None:
        """Wait before the next round as long as this one was too short to be heard."""
        if played_seconds > 0:
            self._backoff.reset()
            await asyncio.sleep(max(0.0, SHORTEST_ROUND_SECONDS - played_seconds))
            return
        self._unusable.clear()
        self.problem = failures[0] if failures else "no file is left to play"
        await asyncio.sleep(self._backoff.next_seconds())

    async def _play(self, path: Path, deliver: Deliver, failures: list[str]) -> float:
        """Deliver one file and return its seconds; what is wrong with it goes to ``failures``."""
        # One thread reads and closes, so that a file is never closed under a read.
        reader = SerialThread("file-reader")
        opening = reader.submit(lambda: open_audio(path))
        played_seconds = 0.0
        try:
            file = await asyncio.wrap_future(opening)
            self._check(file)
            self._note(failures)
            self.track = file.track
            async for block in self._blocks(file, reader):
                await self._deliver(block, file.sample_rate_hz, deliver, gap=played_seconds == 0)
                played_seconds += len(block) / file.sample_rate_hz
            self._remark(file)
        except DecodeError as error:
            failures.append(str(error))
            if not error.may_pass:
                self._unusable[path] = await asyncio.to_thread(_looks, path)
        finally:
            reader.submit(lambda: _close(opening))
            reader.end()
        return played_seconds

    def _check(self, file: AudioFile) -> None:
        try:
            check_channel(self._channel, file.n_channels)
        except ValueError as error:
            raise DecodeError(file.path, str(error)) from error

    def _note(self, failures: list[str]) -> None:
        self.failures += [failure for failure in failures if failure not in self.failures]

    def _remark(self, file: AudioFile) -> None:
        if file.remark is not None and file.path not in self._remarked:
            self._remarked.add(file.path)
            log.warning("%s: %s", told_path(file.path), file.remark)

    async def _blocks(self, file: AudioFile, reader: SerialThread) -> AsyncIterator[FloatArray]:
        """Yield the file in blocks of the length that is wanted when each of them begins."""
        rest = np.zeros((0, file.n_channels), dtype=np.float32)
        while True:
            block_frames = max(1, math.ceil(self._block_seconds() * file.sample_rate_hz))
            while (n_missing := block_frames - len(rest)) > 0:
                more = await self._read(file, reader, n_missing)
                if len(more) == 0:
                    break
                rest = np.concatenate([rest, more]) if len(rest) else more
            if len(rest) == 0:
                return
            yield rest[:block_frames]
            rest = rest[block_frames:]

    async def _read(self, file: AudioFile, reader: SerialThread, n_frames: int) -> FloatArray:
        """Read so many frames; many at once where blocks are short, to wake the thread less."""
        if n_frames < _SHORT_SECONDS * file.sample_rate_hz:
            n_frames = round(READ_SECONDS * file.sample_rate_hz)
        return await asyncio.wrap_future(reader.submit(lambda: file.read(n_frames)))

    def _block_seconds(self) -> float:
        return MAX_SPEED_BLOCK_SECONDS if self._pace is None else self.wanted_seconds()

    async def _deliver(
        self, block: FloatArray, rate_hz: int, deliver: Deliver, *, gap: bool
    ) -> None:
        if self._pace is not None:
            await self._pace.wait(len(block) / rate_hz)
        self._is_back()
        await deliver(Block(block, rate_hz, self._clock(), gap=gap and self._begun))
        self._begun = True

    def _is_back(self) -> None:
        if self.problem is not None:
            self.problem = None
            self.reopens += 1


def _some_of(failures: list[str]) -> str:
    """Name the first of them, and count those of a large folder that are left out."""
    n_more = len(failures) - _MAX_NAMED
    more = f"; and {n_more} more" if n_more > 0 else ""
    return "; ".join(failures[:_MAX_NAMED]) + more


def _looks(path: Path) -> _Looks:
    """Return what shows whether a file was changed; None where there is none."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size


def _close(opening: Future[AudioFile]) -> None:
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
