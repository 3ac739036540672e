"""The port: a WebSocket for live messages at ``/ws``, and HTTP beside it."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers, MultipleValuesError
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from rtgenre.outputs.auth import Guard, bearer_token
from rtgenre.outputs.client_request import ClientRequestError, RateLimit, parse_client_request
from rtgenre.outputs.endpoint import listen_problem, read_token, server_address
from rtgenre.outputs.errors import OutputError
from rtgenre.outputs.http import HttpResponse, Route, error_document, error_response
from rtgenre.outputs.routes import WEBSOCKET_PATH, Health, HttpRequest, Routes
from rtgenre.outputs.tls import server_tls
from rtgenre.outputs.web_files import read_web_files
from rtgenre.spectrogram.hub import ColumnHub

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from rtgenre.config import WebSocketConfig
    from rtgenre.hub import Hub
    from rtgenre.metrics import Metrics
    from rtgenre.payload import Document, HelloDocument

CLOSE_GOING_AWAY = 1001
CLOSE_POLICY = 1008
CLOSE_TRY_LATER = 1013
CLOSE_TOKEN = 4401
"""The token is missing or wrong; 4000 to 4999 are free for applications (RFC 6455, 7.4.2)."""

MAX_INVALID_MESSAGES = 3
MAX_PENDING_CONNECTIONS = 256
"""Those that are no clients yet: shaking hands, taking an HTTP response, owing the token."""
OPEN_TIMEOUT_SECONDS = 10.0
TOKEN_TIMEOUT_SECONDS = 5.0
GOODBYE_SECONDS = 0.7
# Small buffers: a slow client gets the newest values, not a queue of old ones.
SEND_BUFFER_BYTES = 65536
WRITE_LIMIT_BYTES = 16384

# websockets reports every request at INFO; nothing there is for the operator below WARNING.
_protocol_logger = logging.getLogger(f"{__name__}.protocol")
_protocol_logger.setLevel(logging.WARNING)


class WebSocketOutput:
    """Serves clients from entering until leaving its ``async with`` block."""

    def __init__(
        self,
        config: WebSocketConfig,
        hub: Hub,
        *,
        hello: Callable[[], HelloDocument],
        health: Health,
        metrics: Metrics,
        columns: ColumnHub | None = None,
        routes: Mapping[str, Route] | None = None,
    ) -> None:
        """Check the settings, without opening anything.

        Args:
            config: the settings.
            hub: where the documents come from.
            hello: builds the greeting of a client.
            health: tells whether all is well, for ``/healthz``.
            metrics: counts clients, and answers ``/metrics``.
            columns: where the spectrogram's columns come from.
            routes: further paths to answer, for example ``/history``.

        Raises:
            OutputError: the token is missing where one is needed, or cannot be read.
        """
        self.config = config
        self.hub = hub
        self.hello = hello
        self.metrics = metrics
        self.columns = columns or ColumnHub([])
        # Every TCP connection, and those of them that became clients.
        self.connections: set[_Connection] = set()
        self._clients: set[_Connection] = set()
        # The newest document of each type and node with its JSON, so that it is written once.
        self._written: dict[tuple[str, str], tuple[Document, bytes]] = {}
        self._server: Server | None = None
        self._guard = Guard(config.host, read_token(config), config.allowed_origins)
        self._routes = Routes(
            self._guard,
            hub,
            hello=hello,
            health=health,
            metrics=metrics,
            files=read_web_files(),
            allowed_origins=config.allowed_origins,
            extra=routes or {},
        )

    async def __aenter__(self) -> Self:
        """Open the port.

        Raises:
            OutputError: the port or the certificate cannot be used.
        """
        tls = server_tls(self.config)
        try:
            self._server = await serve(
                self._serve_client,
                self.config.host,
                self.config.port,
                ssl=tls,
                process_request=self._process_request,
                create_connection=self._create_connection,  # type: ignore[arg-type] # a factory
                server_header=None,
                # Documents are small, and deflate costs 300 kB of memory per client.
                compression=None,
                max_size=self.config.max_message_bytes,
                max_queue=4,
                write_limit=WRITE_LIMIT_BYTES,
                open_timeout=OPEN_TIMEOUT_SECONDS,
                logger=_protocol_logger,
            )
        except OSError as error:
            raise OutputError(listen_problem(self.config, error)) from None
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Say goodbye to every client, then cut off those that do not answer."""
        server = self._running()
        server.close(code=CLOSE_GOING_AWAY, reason="the service is stopping")
        try:
            await asyncio.wait_for(server.wait_closed(), GOODBYE_SECONDS)
        except TimeoutError:
            for connection in self.connections:
                connection.transport.abort()
            await server.wait_closed()

    @property
    def port(self) -> int:
        """The port that was opened."""
        return int(self._running().sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """Where WebSocket clients on this machine connect."""
        scheme = "wss" if self.config.cert_file else "ws"
        return f"{scheme}://{server_address(self.config, self.port)}{WEBSOCKET_PATH}"

    @property
    def http_url(self) -> str:
        """Where a browser on this machine finds the dashboard."""
        scheme = "https" if self.config.cert_file else "http"
        return f"{scheme}://{server_address(self.config, self.port)}/"

    def has_room(self) -> bool:
        """Say whether one more connection may try to become a client."""
        return len(self.connections) - len(self._clients) < MAX_PENDING_CONNECTIONS

    def written(self, document: Document) -> bytes:
        """Return a document as JSON."""
        key = (document["type"], document["node"])
        known = self._written.get(key)
        if known is None or known[0] is not document:
            known = self._written[key] = (document, _json(document))
        return known[1]

    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("the port is not open; use `async with`")
        return self._server

    def _create_connection(self, *args: Any, **options: Any) -> ServerConnection:
        return _Connection(self, *args, **options)

    async def _process_request(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        try:
            http_request = _http_request(request)
        except MultipleValuesError as error:
            response = error_response(400, f"the header {error} was sent more than once")
            return _http_response(response, request.method)
        if http_request.target.partition("?")[0] != WEBSOCKET_PATH:
            return _http_response(await self._routes.answer(http_request), request.method)
        refusal = self._routes.refusal(http_request)
        return None if refusal is None else _http_response(refusal, request.method)

    async def _serve_client(self, connection: ServerConnection) -> None:
        if not isinstance(connection, _Connection):
            raise TypeError(f"{connection} was not made by _create_connection")
        try:
            if not await self._shows_token(connection):
                await connection.refuse(CLOSE_TOKEN, "the token is missing or wrong")
            elif len(self._clients) >= self.config.max_clients:
                reason = f"{self.config.max_clients} clients are connected, no more are taken"
                await connection.refuse(CLOSE_TRY_LATER, reason)
            else:
                await self._serve_admitted(connection)
        except* ConnectionClosed:
            pass

    async def _serve_admitted(self, connection: _Connection) -> None:
        self._clients.add(connection)
        self.metrics.websocket_clients.set(len(self._clients))
        try:
            await _Client(connection, self).run()
        finally:
            self._clients.discard(connection)
            self.metrics.websocket_clients.set(len(self._clients))

    async def _shows_token(self, connection: _Connection) -> bool:
        """Take the token from the handshake's header, or else from the first message."""
        if connection.request is None:
            raise RuntimeError("a connection is served after its handshake")
        token = bearer_token(connection.request.headers.get("Authorization"))
        if self._guard.knows_token(token):
            return True
        try:
            async with asyncio.timeout(TOKEN_TIMEOUT_SECONDS):
                request = parse_client_request(await connection.recv())
        except (TimeoutError, ClientRequestError):
            return False
        return self._guard.knows_token(request.token)


class _Connection(ServerConnection):
    """A connection that the output knows of, from TCP's first moment to its last."""

    def __init__(self, output: WebSocketOutput, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._output = output

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self._output.has_room():
            self._output.metrics.websocket_refused.labels("pending").inc()
            self.transport.abort()
            return
        self._output.connections.add(self)
        tcp = transport.get_extra_info("socket")
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def connection_lost(self, exc: Exception | None) -> None:
        self._output.connections.discard(self)
        super().connection_lost(exc)

    async def refuse(self, code: int, reason: str) -> None:
        """Close with a reason, without waiting long for the other side."""
        self._output.metrics.websocket_refused.labels(str(code)).inc()
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.close(code, reason)
        except TimeoutError:
            self.transport.abort()


class _Client:
    """One client: its own place at the hub, and its own pace."""

    def __init__(self, connection: _Connection, output: WebSocketOutput) -> None:
        self._connection = connection
        self._output = output
        self._rate = RateLimit(output.config.messages_per_second)
        self._invalid_messages = 0
        self._columns_task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Greet the client, then send to it and listen to it until it goes.

        Raises:
            ConnectionClosed: it went, alone or in an exception group.
        """
        await self._send(_json(self._output.hello()))
        async with asyncio.TaskGroup() as group:
            sender = group.create_task(self._send_documents(), name="websocket documents")
            try:
                await self._listen(group)
            finally:
                sender.cancel()
                self._stop_columns()

    async def _send_documents(self) -> None:
        skipped = 0
        with self._output.hub.subscribe() as subscription:
            while True:
                document = await subscription.get()
                self._output.metrics.websocket_skipped_messages.inc(subscription.skipped - skipped)
                skipped = subscription.skipped
                await self._send(self._output.written(document))

    async def _send_columns(self) -> None:
        dropped = 0
        with self._output.columns.subscribe() as subscription:
            while True:
                message = await subscription.get()
                self._output.metrics.websocket_dropped_columns.inc(subscription.dropped - dropped)
                dropped = subscription.dropped
                await self._send(message, text=False)

    async def _send(self, message: bytes, *, text: bool = True) -> None:
        try:
            async with asyncio.timeout(self._output.config.send_timeout_seconds):
                await self._connection.send(message, text=text)
        except TimeoutError:
            self._output.metrics.websocket_refused.labels("slow").inc()
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
            if request.subscribe and self._columns_task is None:
                self._columns_task = group.create_task(
                    self._send_columns(), name="websocket columns"
                )
            if request.unsubscribe:
                self._stop_columns()

    def _stop_columns(self) -> None:
        if self._columns_task is not None:
            self._columns_task.cancel()
            self._columns_task = None


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def _http_request(request: Request) -> HttpRequest:
    headers = request.headers
    return HttpRequest(
        method=request.method,
        target=request.path,
        host=headers.get("Host"),
        origin=headers.get("Origin"),
        authorization=headers.get("Authorization"),
        if_none_match=headers.get("If-None-Match"),
    )


def _http_response(response: HttpResponse, method: str) -> Response:
    headers = Headers(
        {
            "Connection": "close",
            "Content-Length": str(len(response.body)),
            "Content-Type": response.content_type,
            **response.headers,
        }
    )
    body = b"" if method == "HEAD" else response.body
    return Response(response.status, HTTPStatus(response.status).phrase, headers, body)
