"""Requests to other services, against servers that answer in every way."""

from __future__ import annotations

import asyncio
import contextlib
from http.client import HTTPException

import pytest

from rtgenre.hub import http_request
from rtgenre.hub.http_request import LongAnswerError, ask


@contextlib.asynccontextmanager
async def answering(content):
    """Run a server that answers every request with these bytes, and keeps what it was sent."""
    requests = []

    async def serve(reader, writer):
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(content)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", requests


async def test_a_request_says_what_is_asked_and_by_whom():
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as (url, requests):
        assert await ask("DELETE", url + "taught?id=7", {"Authorization": "Bearer x"}) == (
            200,
            b"ok",
        )
    assert requests[0].startswith(b"DELETE /taught?id=7 HTTP/1.1\r\n")
    assert b"Authorization: Bearer x\r\n" in requests[0]


async def test_an_answer_in_pieces_as_servers_in_between_send_it_is_put_together():
    pieces = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n"
    async with answering(pieces) as (url, _):
        assert await ask("GET", url, {}) == (200, b"ok!")


async def test_a_redirection_is_not_followed_so_that_no_token_goes_elsewhere():
    async with answering(b"HTTP/1.1 200 OK\r\n\r\nstolen") as (elsewhere, requests):
        head = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n"
        async with answering(head.encode()) as (url, _):
            assert await ask("GET", url, {"Authorization": "Bearer x"}) == (302, b"")
        assert requests == []


async def test_an_answer_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(http_request, "MAX_ANSWER_BYTES", 1000)
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2000) as (url, _):
        with pytest.raises(LongAnswerError):
            await ask("GET", url, {})


@pytest.mark.parametrize(
    "content", [b"", b"SSH-2.0\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"]
)
async def test_what_is_no_whole_answer_is_an_error(content):
    async with answering(content) as (url, _):
        with pytest.raises((HTTPException, OSError)):
            await ask("GET", url, {})
