"""Slows down nodes that send too much: of each kind of message the newest is kept; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtgenre.outputs.web.client_request import RateLimit

if TYPE_CHECKING:
    from rtgenre.hub.reading import Kind

MESSAGES_PER_SECOND = 20.0
"""Of one node; at the shortest hop it sends four states a second."""
BURST_MESSAGES = 40
MAX_NAMES = 1024
"""Nodes beyond these are not heard."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message, as it came."""

    node: str
    kind: Kind
    payload: bytes
    live: bool
    """False for what the broker has kept."""


class Inbox:
    """What came from the broker and waits until its node may speak again."""

    def __init__(self) -> None:
        self._limits: dict[str, RateLimit] = {}
        # The newest of each kind, by node, in the order in which their kinds came.
        self._waiting: dict[str, dict[Kind, Incoming]] = {}
        self.skipped: dict[str, int] = {}
        """By node, messages that newer ones replaced."""

    def put(self, message: Incoming, now: float) -> Incoming | None:
        """Take in a message; return it if it is to be read at once."""
        node = message.node
        limit = self._limits.get(node)
        if limit is None:
            if len(self._limits) >= MAX_NAMES:
                return None
            limit = self._limits[node] = RateLimit(MESSAGES_PER_SECOND, BURST_MESSAGES)
        if node not in self._waiting and limit.allows(now):
            return message
        waiting = self._waiting.setdefault(node, {})
        if waiting.pop(message.kind, None) is not None:
            self.skipped[node] = self.skipped.get(node, 0) + 1
        waiting[message.kind] = message
        return None

    def due(self, now: float) -> list[Incoming]:
        """Return the waiting messages whose nodes may speak again."""
        due = []
        for node, waiting in list(self._waiting.items()):
            while waiting and self._limits[node].allows(now):
                due.append(waiting.pop(next(iter(waiting))))
            if not waiting:
                del self._waiting[node]
        return due
