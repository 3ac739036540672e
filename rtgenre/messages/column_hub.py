"""Hands spectrogram columns to those who asked; one that is too slow loses the oldest."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rtgenre.messages.columns import MAX_SOURCES, SpectrogramColumn, encode_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

MAX_WAITING_COLUMNS = 64


class ColumnSubscription:
    """One subscriber's place: the newest columns that it has not taken yet."""

    def __init__(self) -> None:
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

    @property
    def has_subscribers(self) -> bool:
        """Whether anybody looks; nobody need compute a column otherwise."""
        return bool(self._subscriptions)

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
        if not self._subscriptions:
            return
        column = SpectrogramColumn(self._source_indices[node], end_seconds, captured_at, values)
        message = encode_column(column)
        for subscription in self._subscriptions:
            subscription.put(message)

    @contextmanager
    def subscribe(self) -> Iterator[ColumnSubscription]:
        """Subscribe for the length of a ``with`` block."""
        subscription = ColumnSubscription()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
