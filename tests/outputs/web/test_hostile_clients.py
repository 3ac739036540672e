"""What clients with bad intentions try at the port, one by one."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import socket

import psutil
import pytest

from rtgenre.messages.hub import Hub
from rtgenre.outputs.web import auth
from rtgenre.outputs.web.auth import Guard
from tests.documents import a_state, a_websocket_output

TOKEN = "a-token-of-some-length"
HANDSHAKE = (
    "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


async def asked(port: int, text: str | bytes) -> bytes:
    """Send a text and return all that is answered until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode() if isinstance(text, str) else text)
    answer = b""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            answer += data
    writer.close()
    return answer


def status(answer: bytes) -> int:
    return int(answer.split()[1])


async def test_a_token_in_the_address_opens_nothing_and_reaches_no_log(
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.DEBUG, "rtgenre")
    hub = Hub()
    hub.publish(a_state(1))
    async with a_websocket_output(hub, token=TOKEN) as output:
        for target in (f"/state?token={TOKEN}", f"/state#{TOKEN}", f"/{TOKEN}"):
            answer = await asked(output.port, f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert status(answer) in {401, 404}
            assert TOKEN.encode() not in answer
    assert TOKEN not in caplog.text


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch):
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(auth, "hmac", type("hmac", (), {"compare_digest": staticmethod(compare)}))
    assert not Guard("127.0.0.1", TOKEN, []).knows_token("wrong")
    assert compared == [(TOKEN.encode(), b"wrong")]


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost.evil.example", None),
        ("localhost@evil.example", None),
        ("127.0.0.1.evil.example", None),
        ("evil.example#localhost", None),
        ("2130706433", None),
        ("localhost", "http://localhost.evil.example"),
        ("localhost", "http://evil.example/localhost"),
        ("localhost", "http://localhost:8765@evil.example"),
        ("localhost", "file://"),
        ("localhost", ""),
        ("localhost", "http://localhost\tevil.example"),
    ],
)
def test_no_odd_host_or_origin_is_let_in(host: str, origin: str | None):
    assert Guard("127.0.0.1", "", []).refusal(host, origin) is not None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("Content-Length: 5\r\nContent-Length: 6\r\n", 400),
        ("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", 400),
        ("Host: evil.example\r\n", 400),
        (f"X: {'x' * 20_000}\r\n", 431),
        ("X: x\r\n" * 1000, 431),
        ("X : x\r\n", 400),
        ("X: a\r\n b\r\n", 400),
        ("X: \0\r\n", 400),
    ],
)
async def test_headers_that_mean_harm_are_refused(headers: str, expected: int):
    async with a_websocket_output(Hub()) as output:
        head = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
        assert status(await asked(output.port, f"{head}{headers}\r\n")) == expected


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example/",
        "http://localhost/",
        "//evil.example/",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/../../etc/passwd",
        "/app.js/../../../secret.py",
        "/.",
        "*",
        "state",
        "",
    ],
)
async def test_an_odd_target_leads_nowhere(target: str):
    async with a_websocket_output(Hub()) as output:
        answer = await asked(output.port, f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert status(answer) in {400, 404}


async def test_a_giant_address_is_refused():
    async with a_websocket_output(Hub()) as output:
        giant = f"GET /{'x' * 20_000} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        assert status(await asked(output.port, giant)) == 414


async def test_a_message_that_is_too_long_in_all_its_parts_ends_its_connection():
    part = b"\x00\xfe\x03\xe8" + bytes(4) + bytes(1000)
    async with a_websocket_output(Hub(), max_message_bytes=4096) as output:
        answer = await asked(output.port, HANDSHAKE.encode() + b"\x01\x80" + bytes(4) + 5 * part)
    close_frame_1009 = b"\x03\xf1"
    assert close_frame_1009 in answer


async def test_connections_that_come_and_go_leave_nothing_behind():
    process = psutil.Process()
    async with a_websocket_output(Hub()) as output:
        await asked(output.port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        n_files = process.num_fds()
        for number in range(300):
            with socket.create_connection(("127.0.0.1", output.port)) as client:
                client.sendall([b"", b"GET /ws HT", HANDSHAKE.encode()][number % 3])
            await asyncio.sleep(0)
        while len(output.connections):
            await asyncio.sleep(0.01)
        assert process.num_fds() <= n_files
