"""Every TCP connection of the port, counted and limited before TLS and before any request."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import time
from typing import TYPE_CHECKING, Any, NoReturn

from rtgenre.outputs.web.lobby import Lobby

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

    from rtgenre.monitoring.metrics import Metrics

MAX_WAITING = 256
"""Connections that are no clients yet."""
MIN_FREE_FILES = 64
"""At least so many of the files that the process may open are left to audio and history."""
TELL_EVERY_SECONDS = 600.0

_OUT_OF_FILES = frozenset({errno.EMFILE, errno.ENFILE})
_MANY_FILES = 65536

logger = logging.getLogger(__name__)


class Connections:
    """All that are open, and how many of them became clients."""

    def __init__(self, metrics: Metrics, max_clients: int) -> None:
        """Begin with none.

        Args:
            metrics: counts clients and those refused.
            max_clients: how many clients the settings allow; the limit on open files may allow
                fewer.
        """
        self.metrics = metrics
        self._max_files = max_open_files()
        self._max_open = max(2, self._max_files - max(MIN_FREE_FILES, self._max_files // 8))
        max_waiting = min(MAX_WAITING, max(1, self._max_open // 3))
        self.max_clients = min(max_clients, self._max_open - max_waiting)
        self._lobby: Lobby[Visitor] = Lobby(max_waiting)
        # By file descriptor, by which a transport's socket is recognised.
        self._open: dict[int, Visitor] = {}
        self._n_clients = 0
        # Given up for a moment to take a connection off the queue when no other file is left.
        self._spare_file: int | None = None
        self._told_at = float("-inf")

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._open)

    def has_room(self) -> bool:
        """Say whether one more client may be taken."""
        return self._n_clients < self.max_clients

    def visitor(self, transport: asyncio.BaseTransport) -> Visitor:
        """Return the connection that a transport belongs to."""
        return self._open[transport.get_extra_info("socket").fileno()]

    def has_asked(self, visitor: Visitor) -> None:
        """Note that a connection has sent a whole request."""
        self._lobby.has_asked(visitor)

    @contextlib.contextmanager
    def admitted(self, visitor: Visitor) -> Iterator[None]:
        """Count a connection as a client for the length of a ``with`` block."""
        self._lobby.leave(visitor)
        self._count_clients(1)
        try:
            yield
        finally:
            self._count_clients(-1)

    def let_in(self, accept: Callable[[], tuple[socket.socket, Any]]) -> tuple[Visitor, Any]:
        """Take the next connection, and cut off another one where there are too many.

        Raises:
            BlockingIOError: there is none.
            ConnectionAbortedError: it was turned away.
        """
        self._keep_spare_file()
        try:
            accepted, address = accept()
        except OSError as error:
            if error.errno not in _OUT_OF_FILES:
                raise
            self._turn_away(accept)
        if len(self._open) >= self._max_open:
            accepted.close()
            self._refuse(f"{self._max_open} connections are open")
        visitor = Visitor(self, accepted)
        self._open[visitor.fileno()] = visitor
        leaver = self._lobby.enter(visitor, str(address[0]))
        if leaver is not None:
            self._drop(leaver)
        return visitor, address

    def closed(self, descriptor: int) -> None:
        """Forget a connection."""
        self._lobby.leave(self._open.pop(descriptor))

    def close(self) -> None:
        """Cut every connection off."""
        for visitor in list(self._open.values()):
            visitor.drop()
        self._give_up_spare_file()

    def _turn_away(self, accept: Callable[[], tuple[socket.socket, Any]]) -> NoReturn:
        """Take the next connection off the queue, for which no file is left, and close it."""
        leaver = self._lobby.pop()
        if leaver is not None:
            self._drop(leaver)
        self._give_up_spare_file()
        with contextlib.suppress(OSError):
            accept()[0].close()
        self._keep_spare_file()
        self._refuse(f"all {self._max_files} files that this process may open are open")

    def _drop(self, leaver: Visitor) -> None:
        self.metrics.websocket_refused.labels("pending").inc()
        self._tell(f"{len(self._lobby)} connections wait without becoming clients", "the oldest")
        leaver.drop()

    def _refuse(self, reason: str) -> NoReturn:
        self.metrics.websocket_refused.labels("pending").inc()
        self._tell(reason, "new ones")
        raise ConnectionAbortedError(reason)

    def _tell(self, reason: str, which: str) -> None:
        now = time.monotonic()
        if now - self._told_at >= TELL_EVERY_SECONDS:
            self._told_at = now
            logger.warning("%s: %s are closed", reason, which)

    def _count_clients(self, change: int) -> None:
        self._n_clients += change
        self.metrics.websocket_clients.set(self._n_clients)

    def _keep_spare_file(self) -> None:
        if self._spare_file is None:
            with contextlib.suppress(OSError):
                self._spare_file = os.open(os.devnull, os.O_RDONLY)

    def _give_up_spare_file(self) -> None:
        if self._spare_file is not None:
            os.close(self._spare_file)
            self._spare_file = None


class Visitor(socket.socket):
    """An accepted connection, which says when it is closed."""

    def __init__(self, connections: Connections, accepted: socket.socket) -> None:
        family, kind, protocol = accepted.family, accepted.type, accepted.proto
        super().__init__(family, kind, protocol, fileno=accepted.detach())
        self._connections = connections
        # How to cut it off once it has a transport.
        self.abort: Callable[[], None] | None = None

    def drop(self) -> None:
        """Cut it off; its transport closes it soon."""
        if self.abort is not None:
            self.abort()
            return
        with contextlib.suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        descriptor = self.fileno()
        super().close()
        if descriptor >= 0:
            self._connections.closed(descriptor)


class ListeningSocket(socket.socket):
    """Where connections arrive; each is counted before anybody else sees it."""

    def __init__(self, connections: Connections, listening: socket.socket) -> None:
        family, kind, protocol = listening.family, listening.type, listening.proto
        super().__init__(family, kind, protocol, fileno=listening.detach())
        self._connections = connections

    def accept(self) -> tuple[socket.socket, Any]:
        """Take the next connection, or raise as ``Connections.let_in`` does."""
        return self._connections.let_in(super().accept)


def max_open_files() -> int:
    """Return how many files this process may open, ``ulimit -n``."""
    try:
        import resource
    except ImportError:
        return _MANY_FILES
    soft_limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MANY_FILES if soft_limit == resource.RLIM_INFINITY else soft_limit
