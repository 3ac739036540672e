"""The port: a WebSocket for live messages at ``/ws``, and HTTP beside it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import MultipleValuesError
from websockets.exceptions import ConnectionClosed

from rtgenre.messages.column_hub import ColumnHub
from rtgenre.messages.news import GenreNews
from rtgenre.outputs.errors import OutputError
from rtgenre.outputs.tls import server_tls
from rtgenre.outputs.web.auth import Guard, bearer_token
from rtgenre.outputs.web.client import Client, Feed
from rtgenre.outputs.web.client_request import (
    ClientRequest,
    ClientRequestError,
    parse_client_request,
)
from rtgenre.outputs.web.connection import GOODBYE_SECONDS, Connection, http_response
from rtgenre.outputs.web.connections import Connections
from rtgenre.outputs.web.endpoint import (
    announced_url,
    listen_problem,
    listening_sockets,
    read_token,
    server_address,
)
from rtgenre.outputs.web.files import read_web_files
from rtgenre.outputs.web.http import NO_BODY, HttpResponse, Route, Upload, error_response
from rtgenre.outputs.web.routes import WEBSOCKET_PATH, Health, HttpRequest, Routes

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from websockets.http11 import Request, Response

    from rtgenre.config import WebSocketConfig
    from rtgenre.messages.documents import HelloDocument
    from rtgenre.messages.hub import Hub
    from rtgenre.monitoring.metrics import Metrics
    from rtgenre.outputs.web.teaching import Teaching

CLOSE_GOING_AWAY = 1001
CLOSE_TRY_LATER = 1013
CLOSE_TOKEN = 4401
"""The token is missing or wrong; 4000 to 4999 are free for applications (RFC 6455, 7.4.2)."""

OPEN_TIMEOUT_SECONDS = 10.0
CLOSE_TIMEOUT_SECONDS = 10.0
ANSWER_TIMEOUT_SECONDS = 60.0
"""For a request's body and its answer, which say sooner themselves what takes long."""
TOKEN_TIMEOUT_SECONDS = 5.0
WRITE_LIMIT_BYTES = 16384
# Each connection decides itself how long its goodbye may take, for it knows what was sent.
_TLS_GOODBYE_SECONDS = 86_400.0

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
        uploads: Mapping[str, Upload] | None = None,
        teaching: Teaching | None = None,
        news: GenreNews | None = None,
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
            uploads: what answers to files that are sent, by path.
            teaching: takes in what clients say is playing; None: nothing may be taught.
            news: tells when the genres are others.

        Raises:
            OutputError: the token is missing where one is needed, or cannot be read.
        """
        self.config = config
        self.connections = Connections(metrics, config.max_clients)
        self._feed = Feed(
            config,
            hub,
            columns or ColumnHub([]),
            hello,
            metrics,
            teaching=teaching,
            news=news or GenreNews(),
        )
        # One for each address that the host's name stands for.
        self._servers: list[Server] = []
        self._guard = Guard(
            config.host,
            read_token(config),
            config.allowed_origins,
            ingress_from=config.ingress_from,
        )
        self._routes = Routes(
            self._guard,
            hub,
            hello=hello,
            health=health,
            metrics=metrics,
            files=read_web_files(),
            allowed_origins=config.allowed_origins,
            extra=routes or {},
            uploads=uploads or {},
        )

    async def __aenter__(self) -> Self:
        """Open the port.

        Raises:
            OutputError: the port or the certificate cannot be used.
        """
        tls = server_tls(self.config)
        try:
            sockets = await listening_sockets(self.config, self.connections)
        except OSError as error:
            raise OutputError(listen_problem(self.config, error)) from None
        self._servers = [await self._serve(each, tls) for each in sockets]
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Say goodbye to every client, then cut off those that do not answer."""
        for server in self._servers:
            server.close(code=CLOSE_GOING_AWAY, reason="the service is stopping")
        closed = asyncio.gather(*(server.wait_closed() for server in self._servers))
        await asyncio.wait([closed], timeout=GOODBYE_SECONDS)
        self.connections.close()
        await closed

    async def _serve(self, listening: socket.socket, tls: ssl.SSLContext | None) -> Server:
        return await serve(
            self._serve_client,
            sock=listening,
            ssl=tls,
            process_request=self._process_request,
            create_connection=self._create_connection,  # type: ignore[arg-type] # a factory
            server_header=None,
            # Documents are small, and deflate costs 300 kB of memory per client.
            compression=None,
            max_size=self.config.max_message_bytes,
            max_queue=4,
            write_limit=WRITE_LIMIT_BYTES,
            # It would count the answer to a request, too, and until that is taken.
            open_timeout=None,
            close_timeout=CLOSE_TIMEOUT_SECONDS,
            ssl_handshake_timeout=OPEN_TIMEOUT_SECONDS if tls else None,
            ssl_shutdown_timeout=_TLS_GOODBYE_SECONDS if tls else None,
            logger=_protocol_logger,
        )

    @property
    def port(self) -> int:
        """The port that was opened."""
        if not self._servers:
            raise RuntimeError("the port is not open; use `async with`")
        return int(self._servers[0].sockets[0].getsockname()[1])

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

    def announced_url(self, local_address: str) -> str:
        """Where other machines find the dashboard that reach this one at ``local_address``."""
        return announced_url(self.config, self.port, local_address)

    def _create_connection(self, *args: Any, **options: Any) -> ServerConnection:
        return Connection(
            self.connections,
            self.config.messages_per_second,
            OPEN_TIMEOUT_SECONDS,
            *args,
            **options,
        )

    async def _process_request(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        answer = await self._answer(connection, request)
        if answer is None:
            return None
        response = http_response(answer, request.method)
        if isinstance(connection, Connection):
            connection.allow_for(response)
        return response

    async def _answer(self, connection: ServerConnection, request: Request) -> HttpResponse | None:
        """Return what a request is answered; None where a WebSocket begins."""
        try:
            http_request = self._http_request(connection, request)
        except MultipleValuesError as error:
            return error_response(400, f"the header {error} was sent more than once")
        if http_request.target.partition("?")[0] == WEBSOCKET_PATH:
            if http_request.read_body is not None:
                return error_response(400, NO_BODY)
            return self._routes.refusal(http_request)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
                return await self._routes.answer(http_request)
        except TimeoutError:
            return error_response(503, f"this took longer than {ANSWER_TIMEOUT_SECONDS:g} s")

    async def _serve_client(self, connection: ServerConnection) -> None:
        if not isinstance(connection, Connection):
            raise TypeError(f"{connection} was not made by _create_connection")
        connection.receive_early_frames()
        try:
            try:
                request = await self._admission(connection)
            except ClientRequestError as error:
                await connection.refuse(CLOSE_TOKEN, str(error))
                return
            if not self.connections.has_room():
                reason = f"{self.connections.max_clients} clients are connected, no more are taken"
                await connection.refuse(CLOSE_TRY_LATER, reason)
                return
            with self.connections.admitted(connection.visitor):
                await Client(connection, self._feed).run(request)
        except* ConnectionClosed:
            pass

    async def _admission(self, connection: Connection) -> ClientRequest:
        """Take the token from the handshake's header, or else from the first message.

        Returns:
            What that message asks for besides.

        Raises:
            ClientRequestError: it makes no sense, or the token is missing or wrong.
        """
        if connection.request is None:
            raise RuntimeError("a connection is served after its handshake")
        if self._is_ingress(connection, connection.request):
            return ClientRequest()
        token = bearer_token(connection.request.headers.get("Authorization"))
        if self._guard.knows_token(token):
            return ClientRequest()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TOKEN_TIMEOUT_SECONDS):
                request = parse_client_request(await connection.recv())
            if self._guard.knows_token(request.token):
                return request
        raise ClientRequestError("the token is missing or wrong")

    def _is_ingress(self, connection: ServerConnection, request: Request) -> bool:
        # None where the visitor has left already.
        peer = connection.remote_address
        return self._guard.is_ingress(peer and peer[0], request.headers.get("X-Ingress-Path"))

    def _http_request(self, connection: ServerConnection, request: Request) -> HttpRequest:
        if not isinstance(connection, Connection):
            raise TypeError(f"{connection} was not made by _create_connection")
        headers = request.headers
        return HttpRequest(
            method=request.method,
            target=request.path,
            host=headers.get("Host"),
            origin=headers.get("Origin"),
            authorization=headers.get("Authorization"),
            if_none_match=headers.get("If-None-Match"),
            ingress=self._is_ingress(connection, request),
            read_body=connection.read_body if connection.has_body else None,
        )
