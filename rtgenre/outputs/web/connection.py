"""One TCP connection as HTTP and WebSocket frames: one request, its answer, then frames."""

from __future__ import annotations

import asyncio
import socket
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.exceptions import InvalidMessage
from websockets.http11 import Response
from websockets.protocol import State

from rtgenre.outputs.web.client_request import RateLimit
from rtgenre.outputs.web.http import NO_BODY, HttpResponse, error_response

if TYPE_CHECKING:
    from websockets.protocol import Event

    from rtgenre.outputs.web.connections import Connections, Visitor

CLOSE_POLICY = 1008

GOODBYE_SECONDS = 0.7
# Small buffers: a slow client gets the newest values, not a queue of old ones.
SEND_BUFFER_BYTES = 65536
MAX_EARLY_BYTES = 65536
"""Taken of what comes before the request was answered."""
MAX_LINE_BYTES = 8192
MAX_LENGTH_DIGITS = 18
MAX_BODY_BYTES = 2**20
"""Taken of a request's body, by the few paths that have one."""
SLOWEST_BYTES_PER_SECOND = 20_000.0
"""Whoever takes an answer at this pace, over a bad line, gets all of it."""
SLICE_BYTES = 4096
"""Looked at before the limit of frames is checked again."""
MIN_FRAMES_PER_SECOND = 100.0
FRAMES_PER_MESSAGE = 4
"""Pings, pongs and the parts of messages count, too."""
BURST_FRAMES = 200


class BodyError(ValueError):
    """A request's body cannot be taken; the message says why."""


class Connection(ServerConnection):
    """What the WebSocket library makes of a visitor."""

    def __init__(
        self,
        connections: Connections,
        messages_per_second: float,
        request_within_seconds: float,
        *args: Any,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._connections = connections
        self._request_within_seconds = request_within_seconds
        self._frame_rate = RateLimit(
            max(MIN_FRAMES_PER_SECOND, FRAMES_PER_MESSAGE * messages_per_second), BURST_FRAMES
        )
        self.visitor: Visitor  # from its first moment as a connection on
        # What came after the request, before that was answered.
        self._early = b""
        self._refused = False
        # The beginning of a line whose end has not come yet.
        self._line = b""
        # What the request says of its body, which the WebSocket library takes for an error.
        self._body_bytes = 0
        self._names_length = False
        self._body_arrived = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, after TLS where there is any."""
        super().connection_made(transport)
        self.visitor = self._connections.visitor(transport)
        self.visitor.abort = self.transport.abort
        self.visitor.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self.loop.call_later(self._request_within_seconds, self._end_without_request)

    def data_received(self, data: bytes) -> None:
        """Take one request; what follows it has to wait until that was answered."""
        if self.protocol.state is not State.CONNECTING:
            self._receive_frames(data)
            return
        data, self._line = self._line + data, b""
        while self._awaits_request() and data:
            line, newline, data = data.partition(b"\n")
            if not newline and len(line) < MAX_LINE_BYTES:
                self._line = line
                return
            super().data_received(self._without_length(line + newline))
        if self.request is not None:
            room = max(MAX_EARLY_BYTES, min(self._body_bytes, MAX_BODY_BYTES))
            self._early = (self._early + data)[:room]
            if len(self._early) >= self._body_bytes:
                self._body_arrived.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; no more of a body comes."""
        super().connection_lost(exc)
        self._body_arrived.set()

    @property
    def has_body(self) -> bool:
        """Whether the request has a body."""
        return self._body_bytes > 0

    async def read_body(self) -> bytes:
        """Wait for the request's body.

        Raises:
            BodyError: it is longer than is taken, or ended early.
        """
        if self._body_bytes > MAX_BODY_BYTES:
            raise BodyError(
                f"the body has {self._body_bytes} bytes; at most {MAX_BODY_BYTES} are taken at once"
            )
        await self._body_arrived.wait()
        body, self._early = self._early[: self._body_bytes], b""
        if len(body) < self._body_bytes:
            raise BodyError(f"the body ended after {len(body)} of {self._body_bytes} bytes")
        return body

    def receive_early_frames(self) -> None:
        """Take what a client sent before its handshake was answered."""
        self._receive_frames(b"")

    def process_event(self, event: Event) -> None:
        """Take the request or a frame."""
        if self.request is None:
            self._connections.has_asked(self.visitor)
        elif not self._frame_rate.allows(time.monotonic()):
            self._end_flood()
            return
        super().process_event(event)

    def send_data(self) -> None:
        """Send what is to be sent; a request that cannot be read is told so."""
        problem = self.protocol.handshake_exc
        if isinstance(problem, InvalidMessage) and not self._refused:
            self._refused = True
            if not isinstance(problem.__cause__, EOFError):
                answer = http_response(error_response(400, NO_BODY), "GET")
                self.transport.write(answer.serialize())
        super().send_data()

    async def refuse(self, code: int, reason: str) -> None:
        """Close with a reason, without waiting long for the other side."""
        self._connections.metrics.websocket_refused.labels(str(code)).inc()
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.close(code, reason)
        except TimeoutError:
            self.transport.abort()

    def allow_for(self, response: Response) -> None:
        """Wait long enough for a slow client to take an answer."""
        if self.close_timeout is not None:
            self.close_timeout += len(response.body) / SLOWEST_BYTES_PER_SECOND

    def _end_without_request(self) -> None:
        if self.request is None:
            self.transport.abort()

    def _awaits_request(self) -> bool:
        return self.request is None and self.protocol.handshake_exc is None

    def _without_length(self, line: bytes) -> bytes:
        """Keep the length of a body to oneself; a second one is passed on as an error."""
        name, _, value = line.partition(b":")
        if name.lower() != b"content-length":
            return line
        length = value.strip()
        if self._names_length or not length.isdigit() or len(length) > MAX_LENGTH_DIGITS:
            return b"Content-Length: unclear\r\n"
        self._names_length, self._body_bytes = True, int(length)
        return b"Content-Length: 0\r\n"

    def _receive_frames(self, data: bytes) -> None:
        data, self._early = self._early + data, b""
        for start in range(0, len(data), SLICE_BYTES):
            super().data_received(data[start : start + SLICE_BYTES])

    def _end_flood(self) -> None:
        if self.protocol.state is State.OPEN:
            self._connections.metrics.websocket_refused.labels(str(CLOSE_POLICY)).inc()
            self.protocol.fail(CLOSE_POLICY, "too many frames")
            self.send_data()
            self.loop.call_later(GOODBYE_SECONDS, self.transport.abort)


def http_response(response: HttpResponse, method: str) -> Response:
    """Return an answer as the WebSocket library sends it."""
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
