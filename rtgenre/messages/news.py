"""Tells everybody who waits that the genres are others; the latest news wins."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtgenre.messages.taught import GenresDocument


class GenreNews:
    """The newest list of genres; used from the event loop only."""

    def __init__(self) -> None:
        self.n_published = 0
        """How many lists there were."""
        self._document: GenresDocument | None = None
        self._published = asyncio.Event()

    def publish(self, document: GenresDocument) -> None:
        """Tell other genres, without waiting for anybody."""
        self._document = document
        self.n_published += 1
        published, self._published = self._published, asyncio.Event()
        published.set()

    async def newer_than(self, n_published: int) -> GenresDocument:
        """Wait until more lists were published than ``n_published``, and return the newest."""
        while self._document is None or self.n_published <= n_published:
            await self._published.wait()
        return self._document
