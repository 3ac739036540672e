"""Runs blocking work in a daemon thread, so that a disk that hangs never keeps the process."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class DaemonCalls:
    """At most ``limit`` calls at once; one that hangs keeps its place until it returns."""

    def __init__(self, limit: int) -> None:
        self._places = asyncio.Semaphore(limit)

    async def call(self, work: Callable[[], T], timeout_seconds: float) -> T:
        """Wait for what ``work`` returns or raises.

        Raises:
            TimeoutError: it took longer than ``timeout_seconds``, waiting for a place included.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(timeout_seconds):
            await self._places.acquire()
            future: Future[T] = Future()
            future.set_running_or_notify_cancel()

            def run() -> None:
                try:
                    future.set_result(work())
                except Exception as error:  # noqa: BLE001 - raised again where it is awaited
                    future.set_exception(error)
                if not loop.is_closed():
                    loop.call_soon_threadsafe(self._places.release)

            threading.Thread(target=run, name="daemon-call", daemon=True).start()
            return await asyncio.wrap_future(future)
