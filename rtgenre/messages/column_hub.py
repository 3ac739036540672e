"""Hands spectrogram columns to those who asked; one that is too slow loses the oldest."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rtgenre.messages.columns import (
    MAX_SOURCES,
    SpectrogramColumn,
    encode_column,
    with_source_index,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

MAX_WAITING_COLUMNS = 64


class ColumnSubscription:
    """One subscriber's place: the newest columns that it has not taken yet."""

    def __init__(self, node: str | None) -> None:
        self.node = node
        """Whose columns are wanted; None: everybody's."""
        self._waiting: deque[bytes] = deque(maxlen=MAX_WAITING_COLUMNS)
        self._arrived = asyncio.Event()
        # Columns that newer ones pushed out before they were taken.
        self.dropped = 0

    async def get(self) -> bytes:
        """Wait for the next column's message."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()

    def put(self, message: bytes) -> None:
        """Leave a column's message; the oldest gives way when there is no room."""
        self.dropped += len(self._waiting) == MAX_WAITING_COLUMNS
        self._waiting.append(message)
        self._arrived.set()


class ColumnHub:
    """The place between the spectrograms and their viewers; used from the event loop only."""

    def __init__(self, nodes: Sequence[str]) -> None:
        """Take the nodes in the order of the hello message's ``sources``."""
        if len(nodes) > MAX_SOURCES:
            raise ValueError(f"there are {len(nodes)} sources; at most {MAX_SOURCES} can be shown")
        self._source_indices = {node: index for index, node in enumerate(nodes)}
        self._subscriptions: set[ColumnSubscription] = set()
        self.changed = asyncio.Event()
        """Set when somebody begins or ends to look, for those who fetch columns only then."""

    def add(self, node: str) -> None:
        """Append a node to the ``sources``.

        Raises:
            ValueError: there are as many as can be told apart.
        """
        if len(self._source_indices) >= MAX_SOURCES:
            raise ValueError(f"there are {MAX_SOURCES} sources, and no more can be shown")
        self._source_indices.setdefault(node, len(self._source_indices))
        self.changed.set()

    def is_watched(self, node: str) -> bool:
        """Say whether anybody looks at a node; nobody need compute a column otherwise."""
        return any(each.node in {None, node} for each in self._subscriptions)

    def publish(
        self, node: str, values: NDArray[np.uint8], end_seconds: float, captured_at: float
    ) -> None:
        """Hand a column to every subscriber without waiting for any.

        Args:
            node: one of the nodes given at the start.
            values: ``(n_mels,)``, lowest band first, 0 silent to 255 loud.
            end_seconds: end of the column on the source's own clock.
            captured_at: Unix time at which that end was heard.
        """
        if not self.is_watched(node):
            return
        column = SpectrogramColumn(self._source_indices[node], end_seconds, captured_at, values)
        self._hand_over(node, encode_column(column))

    def publish_message(self, node: str, message: bytes) -> None:
        """Hand on a column that another service encoded, as one of ``node``."""
        self._hand_over(node, with_source_index(message, self._source_indices[node]))

    def _hand_over(self, node: str, message: bytes) -> None:
        for subscription in self._subscriptions:
            if subscription.node in {None, node}:
                subscription.put(message)

    @contextmanager
    def subscribe(self, node: str | None = None) -> Iterator[ColumnSubscription]:
        """Subscribe to a node, or to all of them, for the length of a ``with`` block."""
        subscription = ColumnSubscription(node)
        self._subscriptions.add(subscription)
        self.changed.set()
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            self.changed.set()
