"""A way to the internet for one ffmpeg, on which nothing leads back into this network."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
from typing import TYPE_CHECKING, Self

from rtgenre.errors import one_line
from rtgenre.sources.addresses import is_public

if TYPE_CHECKING:
    from types import TracebackType

_REQUEST_SECONDS = 10.0
_COPY_BYTES = 65536
# What ffmpeg reads in its environment, in small letters.
PROXY_VARIABLES = ("http_proxy", "no_proxy")


class Guard:
    """An HTTP proxy on this machine that connects to public addresses only.

    A playlist or a redirect may name any address, and a name may mean another one tomorrow; so
    every connection's address is looked at, and it is that address that is connected to.
    """

    def __init__(self) -> None:
        # Where the stream led last that cannot or may not be reached, for people.
        self.problem: str | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that goes this way."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        kept = {k: v for k, v in os.environ.items() if k not in PROXY_VARIABLES}
        return kept | {"http_proxy": f"http://127.0.0.1:{port}"}

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            try:
                await self._serve(reader, writer)
            finally:
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return
        request = _Request(head.decode("latin-1"))
        far = await self._connect(request)
        if far is None:
            writer.write(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        far_reader, far_writer = far
        try:
            if request.tunnels:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                far_writer.write(request.forwarded())
            await _copy_both_ways(reader, writer, far_reader, far_writer)
        finally:
            far_writer.close()

    async def _connect(
        self, request: _Request
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """Connect to where a request leads, or say why not."""
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                address = await self._public_address(request)
                if address is not None:
                    return await asyncio.open_connection(address, request.port)
        except TimeoutError:
            self.problem = f"{one_line(request.host)} does not answer"
        except (OSError, OverflowError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or error
            self.problem = f"{one_line(request.host)} cannot be reached: {why}"
        return None

    async def _public_address(self, request: _Request) -> str | None:
        if not request.host:
            return None
        found = await asyncio.get_running_loop().getaddrinfo(
            request.host, request.port, type=socket.SOCK_STREAM
        )
        addresses = [str(address[0]) for *_, address in found]
        public = [address for address in addresses if is_public(address)]
        if not public:
            self.problem = (
                f"the stream leads to {one_line(request.host)} ({addresses[0]}), which is in this "
                "network; allow_private = true in its [source] lets it"
            )
            return None
        return public[0]


class _Request:
    """What ffmpeg asks a proxy for."""

    def __init__(self, head: str) -> None:
        line, _, self._headers = head.partition("\r\n")
        self._method, target, *_ = [*line.split(" "), "", ""]
        self.tunnels = self._method == "CONNECT"
        pattern = (
            r"()(.*):(\d{1,5})()" if self.tunnels else r"(http://)([^/]*?)(?::(\d{1,5}))?(/.*)?"
        )
        match = re.fullmatch(pattern, target)
        _, host, port, path = match.groups() if match else ("", "", None, None)
        self.host = str(host).removeprefix("[").removesuffix("]")
        self.port = int(port or 80)
        self._path = path or "/"

    def forwarded(self) -> bytes:
        """Return the request as the server itself expects it, one per connection."""
        lines = [
            line
            for line in self._headers.split("\r\n")
            if line and not re.match(r"(proxy-[^:]*|connection)\s*:", line, re.IGNORECASE)
        ]
        first = f"{self._method} {self._path} HTTP/1.1"
        return "\r\n".join([first, *lines, "Connection: close", "", ""]).encode("latin-1")


async def _copy_both_ways(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    far_reader: asyncio.StreamReader,
    far_writer: asyncio.StreamWriter,
) -> None:
    """Copy until one side ends."""
    copies = [
        asyncio.create_task(_copy(reader, far_writer)),
        asyncio.create_task(_copy(far_reader, writer)),
    ]
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for copy in copies:
            copy.cancel()
        await asyncio.gather(*copies, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_COPY_BYTES):
            writer.write(data)
            await writer.drain()
