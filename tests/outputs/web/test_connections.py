"""Connections that never say anything, before TLS and after it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import socket
import ssl
import sys
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.client import connect

from rtgenre.demo import DEMO_RECORDING
from rtgenre.messages.hub import Hub
from rtgenre.monitoring.metrics import Metrics
from rtgenre.outputs.web import connections
from tests.broker import free_port
from tests.certificates import a_certificate
from tests.documents import a_websocket_output
from tests.test_cli import NO_HISTORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_FILES = 128


class Idlers(contextlib.ExitStack):
    """Connections that send nothing."""

    async def connect(self, port: int, n_connections: int) -> None:
        for _ in range(n_connections):
            idler = self.enter_context(socket.socket())
            idler.setblocking(False)
            with contextlib.suppress(OSError):
                await asyncio.get_running_loop().sock_connect(idler, ("127.0.0.1", port))


@pytest.fixture
def idlers() -> Iterator[Idlers]:
    with Idlers() as opened:
        yield opened


async def test_connections_that_never_begin_tls_neither_pile_up_nor_lock_anybody_out(
    tmp_path: Path, idlers: Idlers, caplog: pytest.LogCaptureFixture
):
    cert_file, key_file = await a_certificate(tmp_path)
    trust = ssl.create_default_context(cafile=cert_file)
    async with a_websocket_output(Hub(), cert_file=cert_file, key_file=key_file) as output:
        await idlers.connect(output.port, connections.MAX_WAITING + 50)
        async with connect(output.url, ssl=trust) as client:
            assert json.loads(await client.recv())["type"] == "hello"
            assert len(output.connections) <= connections.MAX_WAITING + 1
    assert sum("without becoming clients" in message for message in caplog.messages) == 1


async def test_idle_connections_leave_room_for_whoever_asks(idlers: Idlers):
    async with a_websocket_output(Hub()) as output:
        await idlers.connect(output.port, connections.MAX_WAITING)
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", output.port)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 200")
            writer.close()


async def test_without_a_file_left_newcomers_are_turned_away_and_clients_stay(
    monkeypatch: pytest.MonkeyPatch, idlers: Idlers, caplog: pytest.LogCaptureFixture
):
    hub = Hub()
    metrics = Metrics()
    async with a_websocket_output(hub, metrics=metrics) as output, connect(output.url) as client:
        assert json.loads(await client.recv())["type"] == "hello"
        newcomer = idlers.enter_context(socket.socket())
        newcomer.setblocking(False)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest_free = os.open(os.devnull, os.O_RDONLY)
        os.close(lowest_free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
        try:
            await asyncio.get_running_loop().sock_connect(newcomer, ("127.0.0.1", output.port))
            assert await asyncio.get_running_loop().sock_recv(newcomer, 1) == b""
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        async with connect(output.url) as later:
            assert json.loads(await later.recv())["type"] == "hello"
        await client.ping()
    (warning,) = [message for message in caplog.messages if "files" in message]
    assert "all" in warning
    assert not any("accept" in message for message in caplog.messages)


def few_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_FILES, MAX_FILES))


@pytest.mark.timeout(100)
async def test_a_looped_file_plays_on_while_more_connect_than_files_may_be_open(
    tmp_path: Path, idlers: Idlers
):
    cert_file, key_file = await a_certificate(tmp_path)
    trust = ssl.create_default_context(cafile=cert_file)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rtgenre", "run", str(DEMO_RECORDING), "--loop", "--quiet"),
        *("--port", str(port), "--hop-seconds", "0.25"),
        env=os.environ
        | NO_HISTORY
        | {
            "RTGENRE_WEBSOCKET__CERT_FILE": str(cert_file),
            "RTGENRE_WEBSOCKET__KEY_FILE": str(key_file),
        },
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=few_files,
    )
    try:
        assert process.stderr is not None
        while b"open https" not in await process.stderr.readline():
            assert process.returncode is None
        await idlers.connect(port, 2 * MAX_FILES)
        sequences = []
        async with connect(f"wss://127.0.0.1:{port}/ws", ssl=trust) as client:
            while len(sequences) < 4:
                document = json.loads(await client.recv())
                sequences += [document["sequence"]] if document["type"] == "state" else []
    finally:
        if process.returncode is None:
            process.terminate()
        _, written = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in written
    assert b"Errno" not in written
    assert written.count(b"connections") <= 1
