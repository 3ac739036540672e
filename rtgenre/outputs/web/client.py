"""One WebSocket client: what it is sent, and what it may send."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from rtgenre.messages.taught import TeachError, forgotten_document
from rtgenre.outputs.web.client_request import (
    ClientRequest,
    ClientRequestError,
    RateLimit,
    parse_client_request,
)
from rtgenre.outputs.web.connection import CLOSE_POLICY
from rtgenre.outputs.web.http import error_document
from rtgenre.outputs.web.teaching import TEACHING_IS_OFF

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rtgenre.config import WebSocketConfig
    from rtgenre.messages.column_hub import ColumnHub
    from rtgenre.messages.documents import Document, HelloDocument
    from rtgenre.messages.hub import Hub
    from rtgenre.messages.news import GenreNews
    from rtgenre.monitoring.metrics import Metrics
    from rtgenre.outputs.web.connection import Connection
    from rtgenre.outputs.web.teaching import Teaching

MAX_INVALID_MESSAGES = 3


class Feed:
    """What every client of a port is sent, and the limits that it must keep."""

    def __init__(
        self,
        config: WebSocketConfig,
        hub: Hub,
        columns: ColumnHub,
        hello: Callable[[], HelloDocument],
        metrics: Metrics,
        *,
        teaching: Teaching | None,
        news: GenreNews,
    ) -> None:
        """Take the limits, where documents and spectrogram columns come from, and the greeting."""
        self.config = config
        self.hub = hub
        self.columns = columns
        self.hello = hello
        self.metrics = metrics
        self.teaching = teaching
        self.news = news
        # The newest document of each type and node with its JSON, so that it is written once.
        self._written: dict[tuple[str, str], tuple[Document, bytes]] = {}

    def written(self, document: Document) -> bytes:
        """Return a document as JSON."""
        key = (document["type"], document["node"])
        known = self._written.get(key)
        if known is None or known[0] is not document:
            known = self._written[key] = (document, _json(document))
        return known[1]


class Client:
    """One client: its own place at the hub, and its own pace."""

    def __init__(self, connection: Connection, feed: Feed) -> None:
        self._connection = connection
        self._feed = feed
        self._rate = RateLimit(feed.config.messages_per_second)
        self._invalid_messages = 0
        self._columns_task: asyncio.Task[None] | None = None
        self._greeting: HelloDocument | None = None

    async def run(self, first: ClientRequest) -> None:
        """Greet the client, then send to it and listen to it until it goes.

        Args:
            first: what it asked for together with its token.

        Raises:
            ConnectionClosed: it went, alone or in an exception group.
        """
        n_news = self._feed.news.n_published
        await self._greet()
        async with asyncio.TaskGroup() as group:
            senders = [
                group.create_task(self._send_documents(), name="websocket documents"),
                group.create_task(self._send_news(n_news), name="websocket news"),
            ]
            try:
                await self._serve(first, group)
                await self._listen(group)
            finally:
                for sender in senders:
                    sender.cancel()
                self._stop_columns()

    async def _greet(self) -> None:
        self._greeting = self._feed.hello()
        await self._send(_json(self._greeting))

    async def _send_documents(self) -> None:
        skipped = 0
        with self._feed.hub.subscribe() as subscription:
            while True:
                document = await subscription.get()
                self._feed.metrics.websocket_skipped_messages.inc(subscription.skipped - skipped)
                skipped = subscription.skipped
                # With one of these a hub says that its rooms may have changed.
                if document["type"] == "presence" and self._feed.hello() != self._greeting:
                    await self._greet()
                await self._send(self._feed.written(document))

    async def _send_news(self, n_told: int) -> None:
        while True:
            document = await self._feed.news.newer_than(n_told)
            n_told = self._feed.news.n_published
            await self._send(_json(document))

    async def _send_columns(self, node: str | None) -> None:
        dropped = 0
        with self._feed.columns.subscribe(node) as subscription:
            while True:
                message = await subscription.get()
                self._feed.metrics.websocket_dropped_columns.inc(subscription.dropped - dropped)
                dropped = subscription.dropped
                await self._send(message, text=False)

    async def _send(self, message: bytes, *, text: bool = True) -> None:
        try:
            async with asyncio.timeout(self._feed.config.send_timeout_seconds):
                await self._connection.send(message, text=text)
        except TimeoutError:
            self._feed.metrics.websocket_refused.labels("slow").inc()
            self._connection.transport.abort()
            await self._connection.wait_closed()

    async def _listen(self, group: asyncio.TaskGroup) -> None:
        async for message in self._connection:
            if not self._rate.allows(time.monotonic()):
                await self._connection.refuse(CLOSE_POLICY, "too many messages")
                return
            try:
                request = parse_client_request(message)
            except ClientRequestError as error:
                self._invalid_messages += 1
                if self._invalid_messages >= MAX_INVALID_MESSAGES:
                    await self._connection.refuse(CLOSE_POLICY, f"{error}, again and again")
                    return
                await self._send(_json(error_document(str(error))))
                continue
            await self._serve(request, group)

    async def _serve(self, request: ClientRequest, group: asyncio.TaskGroup) -> None:
        if request.subscribe:
            self._stop_columns()
            self._columns_task = group.create_task(
                self._send_columns(request.node), name="websocket columns"
            )
        if request.unsubscribe:
            self._stop_columns()
        if request.teach is not None or request.forget is not None:
            await self._send(_json(await self._take_lesson(request)))

    async def _take_lesson(self, request: ClientRequest) -> Mapping[str, Any]:
        """Teach or forget, and return the answer."""
        teaching = self._feed.teaching
        if teaching is None:
            return error_document(TEACHING_IS_OFF)
        try:
            if request.teach is not None:
                return await teaching.teach(*request.teach)
            n = await teaching.forget([] if request.forget is None else [request.forget])
        except TeachError as error:
            return error_document(str(error))
        return forgotten_document(n)

    def _stop_columns(self) -> None:
        if self._columns_task is not None:
            self._columns_task.cancel()
            self._columns_task = None


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
