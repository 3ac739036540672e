"""Hands the newest documents to every subscriber; a slow one misses values, never delays others."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtgenre.messages.documents import Document

Key = tuple[str, str]
"""Type and node: a newer document replaces an older one of the same key."""


class Subscription:
    """One subscriber's place: at most one waiting document per type and node."""

    def __init__(self, *, lossless: bool) -> None:
        self.lossless = lossless
        """Sources that can wait, such as files, wait until this subscriber has kept up."""
        # What the subscriber has not taken yet, oldest key first.
        self._waiting: dict[Key, Document] = {}
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()
        # Documents that a newer one replaced before they were taken.
        self.skipped = 0

    async def get(self) -> Document:
        """Wait for the next document."""
        while not self._waiting:
            self._taken.set()
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.pop(next(iter(self._waiting)))

    def put(self, document: Document) -> None:
        """Leave a document, replacing an older one of its type and node."""
        key = (document["type"], document["node"])
        self.skipped += key in self._waiting
        if document["type"] == "status":
            # What a status makes void is not taken after it.
            self._waiting.pop(key, None)
        self._waiting[key] = document
        self._taken.clear()
        self._arrived.set()

    async def taken(self) -> None:
        """Wait until the subscriber has dealt with everything and asks for more."""
        await self._taken.wait()

    def release(self) -> None:
        """Let go of whoever waits in ``taken``: nobody takes documents any more."""
        self._waiting.clear()
        self._taken.set()


class Hub:
    """The one place between the pipelines and the outputs; used from the event loop only."""

    def __init__(self) -> None:
        self._latest: dict[Key, Document] = {}
        self._subscriptions: set[Subscription] = set()

    def latest(self) -> list[Document]:
        """Return the newest document of each type and node."""
        return list(self._latest.values())

    def publish(self, document: Document) -> None:
        """Hand a document to every subscriber without waiting for any.

        A node that is gone has no latest state any more.
        """
        if document["type"] == "status" and document["gone"]:
            self._latest.pop(("state", document["node"]), None)
        self._latest[document["type"], document["node"]] = document
        for subscription in self._subscriptions:
            subscription.put(document)

    def forget(self, node: str) -> None:
        """Forget the latest documents of a node: whoever subscribes from now on gets none."""
        for key in [key for key in self._latest if key[1] == node]:
            del self._latest[key]

    async def taken_by_lossless(self) -> None:
        """Wait until every lossless subscriber has kept up; for sources that can wait."""
        for subscription in list(self._subscriptions):
            if subscription.lossless:
                await subscription.taken()

    @contextmanager
    def subscribe(self, *, lossless: bool = False) -> Iterator[Subscription]:
        """Subscribe for the length of a ``with`` block, beginning with the latest documents.

        A lossless subscriber misses nothing from sources that can wait: it holds them up instead.
        """
        subscription = Subscription(lossless=lossless)
        for document in self._latest.values():
            subscription.put(document)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            subscription.release()
