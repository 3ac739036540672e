"""Threads that the process need not wait for when it ends.

Each of these runs work that may hang: a read, a library's call, a name that is looked up. All of
them are daemons, so that a hung one keeps nobody alive.
"""

from __future__ import annotations

import asyncio
import ctypes
import math
import os
import queue
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

_READ_AHEAD = 2
_M_ARENA_MAX = -8
_MEMBER = Path("/proc/self/cgroup")


def usable_cores(groups: Path = Path("/sys/fs/cgroup"), member: Path = _MEMBER) -> int:
    """Return how many of the machine's cores this process may use.

    What a container or a service is allowed of their time counts, rounded up (Docker's ``--cpus``,
    systemd's ``CPUQuota``).

    Args:
        groups: where Linux mounts control groups, version 2.
        member: the file that says which of them this process is in.
    """
    if sys.platform != "linux":
        return os.cpu_count() or 1
    quotas = (_core_quota(folder / "cpu.max") for folder in _control_groups(groups, member))
    return max(1, math.ceil(min([len(os.sched_getaffinity(0)), *quotas])))


def _control_groups(groups: Path, member: Path) -> list[Path]:
    """Return the folders of the group that this process is in and of those around it."""
    try:
        lines = member.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    group = next((groups / line[3:].lstrip("/") for line in lines if line[:3] == "0::"), groups)
    return [one for one in (group, *group.parents) if one.is_relative_to(groups)]


def _core_quota(file: Path) -> float:
    """Read how many cores' time a group may take; infinite where nothing says it."""
    try:
        quota, period = file.read_text(encoding="utf-8").split()
        return int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):  # "max 100000" is no limit
        return math.inf


def share_heaps() -> None:
    """Let all threads share two of glibc's heaps; call it before there are many.

    Up to eight for each core are made otherwise, of which each keeps what its threads once took:
    with 200 sources 20 to 40 MB. Other C libraries have no such limit, and nothing happens.
    """
    if sys.platform == "linux":
        limit = getattr(ctypes.CDLL(None), "mallopt", lambda *_: None)
        limit(_M_ARENA_MAX, 2)


class DaemonThreads(ThreadPoolExecutor):
    """An executor for asyncio's ``loop.set_default_executor``.

    Looking up a name or connecting to a machine that is switched off blocks its thread for
    seconds; asyncio's own executor would make a clean stop wait for it.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run ``fn`` in a thread of its own."""
        future: Future[T] = Future()
        threading.Thread(
            target=_settle,
            args=(future, lambda: fn(*args, **kwargs)),
            name="asyncio daemon",
            daemon=True,
        ).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave running threads to themselves."""


class SerialThread:
    """Runs calls one after another in one thread, for a library that allows no more."""

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._started = threading.Lock()

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Queue a call and return what will become its result."""
        with self._started:
            if not self._thread.is_alive():
                self._thread.start()
        future: Future[T] = Future()
        self._calls.put(lambda: _settle(future, call))
        return future

    def end(self) -> None:
        """Let the thread end once the calls so far are made; no more may follow."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


class LimitedCalls:
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

            def run() -> None:
                _settle(future, work)
                if not loop.is_closed():
                    loop.call_soon_threadsafe(self._places.release)

            threading.Thread(target=run, name="limited call", daemon=True).start()
            return await asyncio.wrap_future(future)


class ThreadReader:
    """Makes blocking reads for the event loop, on every system, of pipes and of processes.

    It reads at most two chunks ahead of whoever takes them.
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


def _settle(future: Future[T], call: Callable[[], T]) -> None:
    """Make a call whose result or error becomes the future's, unless nobody waits any more."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
