"""What every command needs of its process: standard streams that are open, and an event loop."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from rtgenre.config import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from rtgenre.config import Config
    from rtgenre.outputs.terminal import TerminalOutput

T = TypeVar("T")

logger = logging.getLogger(__name__)


def replace_closed_streams() -> frozenset[str]:
    """Open those that are closed on the null device, and return their names in ``sys``.

    Otherwise the next file that is opened, the history say, would take the place of one, and get
    what libraries write to it.
    """
    replaced = set()
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is given out, which is this one.
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(descriptor, mode, closefd=False))
            replaced.add(name)
    return frozenset(replaced)


def escape_what_cannot_be_written() -> None:
    """Let standard output write what its encoding lacks as escapes, as standard error does."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


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
    if hasattr(signal, "SIGHUP"):
        in_terminal = sys.stdout.isatty()

        def hang_up() -> None:
            if in_terminal and _terminal_is_gone():
                stop.set()
            else:
                _reload(service, read_config)

        loop.add_signal_handler(signal.SIGHUP, hang_up)
    return await service.run(stop, terminal)


def _reload(service: Stoppable, read_config: Callable[[], Config]) -> None:
    """Read the settings again; ones that cannot be used leave the present ones in force."""
    try:
        service.reload(read_config())
    except ConfigError as error:
        for line in str(error).splitlines():
            logger.warning("the settings stay as they were: %s", line)


def _terminal_is_gone() -> bool:
    """Say whether the terminal was closed, which sends SIGHUP, too."""
    try:
        os.tcgetpgrp(sys.stdout.fileno())
    except OSError:
        return True
    return False
