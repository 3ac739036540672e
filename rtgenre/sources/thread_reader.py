"""Blocking reads for the event loop: on every system, of pipes and of processes."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_READ_AHEAD = 2


class ThreadReader:
    """Reads in a daemon thread, at most two chunks ahead of whoever takes them.

    A read that never returns keeps nobody: the thread ends with the process.
    """

    def __init__(
        self, read: Callable[[], bytes], name: str, close: Callable[[], None] = lambda: None
    ) -> None:
        self._read = read
        # Called by the reading thread when it ends: never under a read.
        self._close = close
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self._room = threading.Semaphore(_READ_AHEAD)
        self._stopped = False
        threading.Thread(target=self._run, name=name, daemon=True).start()

    async def read(self) -> bytes:
        """Return the next chunk, or nothing at the end."""
        chunk = await self._chunks.get()
        self._room.release()
        return chunk

    def stop(self) -> None:
        """Let the thread end once its present read returns."""
        self._stopped = True
        self._room.release()

    def _run(self) -> None:
        try:
            self._read_all()
        finally:
            self._close()

    def _read_all(self) -> None:
        chunk = b"first"
        while chunk:
            self._room.acquire()
            if self._stopped:
                return
            try:
                chunk = self._read()
            except OSError:  # a broken pipe is an end like any other
                chunk = b""
            try:
                self._loop.call_soon_threadsafe(self._chunks.put_nowait, chunk)
            except RuntimeError:  # the loop was closed meanwhile
                return
