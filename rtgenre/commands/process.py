"""How a command runs in its process: in an event loop, until it is asked to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from rtgenre.config import ConfigError
from rtgenre.threads import SerialThread

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from rtgenre.config import Config
    from rtgenre.outputs.terminal import TerminalOutput

T = TypeVar("T")

_MOST_READINGS = 2

logger = logging.getLogger(__name__)


def run_in_event_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on a selector loop: aiomqtt needs one, on Windows too."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(coroutine)


class Stoppable(Protocol):
    """What runs until it is asked to stop, and can take other settings meanwhile."""

    async def run(self, stop: asyncio.Event, terminal: TerminalOutput | None = None) -> int:
        """Run until ``stop`` is set, or there is nothing more to do; return the exit code."""

    def reload(self, config: Config) -> None:
        """Take over what can change while running."""


async def until_stopped(
    service: Stoppable, terminal: TerminalOutput | None, read_config: Callable[[], Config]
) -> int:
    """Run a service until it ends or the process is asked to stop; SIGHUP reads settings."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:
            # Windows' event loops take no signal handlers.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    reader = SerialThread("settings")
    if hasattr(signal, "SIGHUP"):
        in_terminal = sys.stdout.isatty()
        readings: set[asyncio.Task[None]] = set()

        def hang_up() -> None:
            if in_terminal and _terminal_is_gone():
                stop.set()
            # One that waits reads what is there after this signal, too.
            elif len(readings) < _MOST_READINGS:
                task = loop.create_task(_reload(service, reader, read_config))
                readings.add(task)
                task.add_done_callback(readings.discard)

        loop.add_signal_handler(signal.SIGHUP, hang_up)
    try:
        return await service.run(stop, terminal)
    finally:
        reader.end()


async def _reload(
    service: Stoppable, reader: SerialThread, read_config: Callable[[], Config]
) -> None:
    """Read the settings again; ones that cannot be used leave the present ones in force.

    The disk may hang: they are read by a thread.
    """
    try:
        service.reload(await asyncio.wrap_future(reader.submit(read_config)))
    except (ConfigError, OSError) as error:
        for line in str(error).splitlines():
            logger.warning("the settings stay as they were: %s", line)


def _terminal_is_gone() -> bool:
    """Say whether the terminal was closed, which sends SIGHUP, too."""
    try:
        os.tcgetpgrp(sys.stdout.fileno())
    except OSError:
        return True
    return False
