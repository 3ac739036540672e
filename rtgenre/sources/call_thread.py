"""A thread that makes one call after another, for a library that may hang."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


class CallThread:
    """Runs calls one after another in a daemon thread, so that a hung one keeps nobody alive."""

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._started = threading.Lock()

    def submit(self, call: Callable[[], Result]) -> Future[Result]:
        """Queue a call and return what will become its result."""
        with self._started:
            if not self._thread.is_alive():
                self._thread.start()
        future: Future[Result] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                future.set_exception(error)

        self._calls.put(run)
        return future

    def end(self) -> None:
        """Let the thread end once the calls so far are made; no more may follow."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
