"""Keeps the service manager informed: ready, alive while the pipelines make progress, stopping."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rtgenre.notify import Notifier, is_progressing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rtgenre.health import NodeHealth
    from rtgenre.payload import Document

_STATUS_SECONDS = 5.0


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
    try:
        while True:
            nodes = health()
            status = status_line(nodes, documents())
            if is_progressing(nodes):
                notifier.alive(status)
            else:
                notifier.status(status)
            await asyncio.sleep(min(_STATUS_SECONDS, notifier.watchdog_seconds or _STATUS_SECONDS))
    finally:
        notifier.stopping()


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
