"""Tells systemd how the service is doing: ready, alive, reloading, stopping.

``supervise`` does so while the service runs: it gives a sign of life as long as every pipeline
makes progress.

The protocol is ``sd_notify(3)``: newline-separated assignments in one datagram to the socket that
``NOTIFY_SOCKET`` names. Without that variable nothing is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rtgenre.messages.documents import Document
    from rtgenre.monitoring.health import NodeHealth

_STATUS_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Notifier:
    """Sends datagrams to the service manager, if there is one, and never waits for it."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        # How often a sign of life is to be sent: twice in the time that systemd allows.
        self.watchdog_seconds = _watchdog_seconds(environment)
        self._last_status = ""

    @property
    def enabled(self) -> bool:
        """Whether a service manager listens."""
        return self._address is not None

    def ready(self) -> None:
        """Say that the service has started, or that reloading is done."""
        self._send("READY=1")

    def alive(self, status: str) -> None:
        """Feed the watchdog, and show ``status`` in ``systemctl status``."""
        self._send("WATCHDOG=1" if self.watchdog_seconds else "", self._status(status))

    def status(self, status: str) -> None:
        """Show ``status`` without feeding the watchdog."""
        self._send(self._status(status))

    def reloading(self) -> None:
        """Say that settings are being read again; ``ready`` ends that."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that the service is ending by its own will."""
        self._send("STOPPING=1")

    def _status(self, status: str) -> str:
        if status == self._last_status:
            return ""
        self._last_status = status
        return "STATUS=" + " ".join(status.split())

    def _send(self, *assignments: str) -> None:
        message = "\n".join(assignment for assignment in assignments if assignment)
        if self._address is None or not message:
            return
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as datagram:
            datagram.setblocking(False)
            try:
                datagram.sendto(message.encode(), self._address)
            except OSError as error:
                logger.debug("systemd's notification socket takes nothing: %s", error)


async def supervise(
    notifier: Notifier,
    health: Callable[[], Sequence[NodeHealth]],
    documents: Callable[[], Iterable[Document]],
) -> None:
    """Say that the service is ready, then feed the watchdog until cancelled.

    Args:
        notifier: the way to the service manager.
        health: tells how every source that has not ended is doing.
        documents: returns the newest document of each type and node.
    """
    notifier.ready()
    while True:
        nodes = health()
        status = status_line(nodes, documents())
        if is_progressing(nodes):
            notifier.alive(status)
        else:
            notifier.status(status)
        await asyncio.sleep(min(_STATUS_SECONDS, notifier.watchdog_seconds or _STATUS_SECONDS))


def status_line(nodes: Sequence[NodeHealth], documents: Iterable[Document]) -> str:
    """Say in one line what every node hears, or why it does not."""
    shown = {
        document["node"]: document["genre"] or document["state"]
        for document in documents
        if document["type"] == "state"
    }
    return ", ".join(
        f"{node.node}: {node.reason or shown.get(node.node, 'listening')}" for node in nodes
    )


def is_progressing(nodes: Sequence[NodeHealth]) -> bool:
    """Say whether no pipeline is stuck: each made a window in time or says why it cannot.

    A source that names its problem, such as a device that was unplugged, reopens by itself: being
    restarted would not bring it back sooner.
    """
    return all(
        node.problem is not None or node.silent_for_seconds <= node.allowed_seconds
        for node in nodes
    )


def _address(value: str) -> str | None:
    if not value or not hasattr(socket, "AF_UNIX"):
        return None
    # '@' begins a name in Linux's abstract namespace, which the kernel writes with a zero byte.
    return "\0" + value[1:] if value.startswith("@") else value


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """Return half the time that systemd allows between signs of life; None without a watchdog."""
    try:
        microseconds = int(environment["WATCHDOG_USEC"])
        owner = int(environment.get("WATCHDOG_PID", os.getpid()))
    except (KeyError, ValueError):
        return None
    if microseconds <= 0 or owner != os.getpid():
        return None
    return microseconds / 2e6
