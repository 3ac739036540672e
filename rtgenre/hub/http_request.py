"""One HTTP request to another service, without waiting in a thread."""

from __future__ import annotations

import asyncio
import io
import ssl
from http.client import HTTPResponse
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ANSWER_BYTES = 16 * 2**20
_PORTS = {"http": 80, "https": 443}


class LongAnswerError(Exception):
    """The answer is longer than is taken."""


async def ask(
    method: str, url: str, headers: Mapping[str, str], body: bytes = b""
) -> tuple[int, bytes]:
    """Send a request, and return the status and the body of what is answered.

    No redirection is followed and no proxy asked, so the headers reach nobody else.

    Raises:
        LongAnswerError: the answer is longer than ``MAX_ANSWER_BYTES``.
        OSError: nobody answers.
        HTTPException: what is answered is no HTTP.
    """
    parts = urlsplit(url)
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    reader, writer = await asyncio.open_connection(
        parts.hostname, parts.port or _PORTS[parts.scheme], ssl=tls
    )
    fields = {"Host": parts.netloc, "Connection": "close", **headers}
    if body:
        fields["Content-Length"] = str(len(body))
    lines = [f"{method} {parts.path}?{parts.query} HTTP/1.1", *map(": ".join, fields.items())]
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        received = bytearray()
        while part := await reader.read(2**16):
            received += part
            if len(received) > MAX_ANSWER_BYTES:
                raise LongAnswerError
    finally:
        writer.close()
    return _parsed(bytes(received), method)


class _Received:
    """An answer that has come, where the standard library expects a socket to read it from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _: str) -> io.BytesIO:
        return io.BytesIO(self._content)


def _parsed(content: bytes, method: str) -> tuple[int, bytes]:
    response = HTTPResponse(_Received(content), method=method)  # type: ignore[arg-type]
    response.begin()
    return response.status, response.read()
