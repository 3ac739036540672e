"""Clients that mean harm: the service keeps its pace, its memory and its other clients."""

import asyncio
import contextlib
import json
import os
import socket
import statistics
import sys
import time
from datetime import datetime

import psutil
import pytest
import websockets

from rtgenre.demo import DEMO_RECORDING
from tests.broker import free_port
from tests.test_cli import NO_HISTORY

HOP_SECONDS = 0.25
ALLOWED_GROWTH_BYTES = 30_000_000
HUGE_BYTES = 10_000_000
N_DEAF = 20
N_AT_ONCE = 1000


class Attacker:
    """Raw connections to the service, all kept open until the end."""

    def __init__(self, port):
        self._port = port
        self._sockets = []
        self.handshake = (
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        ).encode()

    async def connect(self, *, receive_buffer=None):
        attacker = socket.socket()
        self._sockets.append(attacker)
        if receive_buffer:
            attacker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        attacker.setblocking(False)
        await asyncio.get_running_loop().sock_connect(attacker, ("127.0.0.1", self._port))
        return attacker

    async def send(self, attacker, data):
        """Send what the service takes before it cuts the connection."""
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().sock_sendall(attacker, data)

    def close(self):
        for attacker in self._sockets:
            attacker.close()


def masked(opcode, payload, *, claimed_bytes=None):
    """Return a client's frame (RFC 6455, 5.2) under a mask of zeros."""
    length = len(payload) if claimed_bytes is None else claimed_bytes
    return bytes([0x80 | opcode, 0xFF]) + length.to_bytes(8, "big") + bytes(4) + payload


async def never_read(attack):
    for _ in range(N_DEAF):
        deaf = await attack.connect(receive_buffer=4096)
        await attack.send(deaf, attack.handshake + masked(1, b'{"subscribe": ["spectrogram"]}'))


async def connect_at_once(attack):
    async def one(number):
        with contextlib.suppress(OSError):
            attacker = await attack.connect()
            # Nothing at all, half a request, or a whole handshake.
            await attack.send(attacker, [b"", b"GET /ws HTT", attack.handshake][number % 3])

    await asyncio.gather(*(one(number) for number in range(N_AT_ONCE)))


async def send_garbage(attack):
    for garbage in (os.urandom(50_000), b"\r\n" * 20_000, b"GET " + b"/" * 50_000):
        await attack.send(await attack.connect(), garbage)
        await attack.send(await attack.connect(), attack.handshake + garbage)
    client = await attack.connect()
    await attack.send(client, attack.handshake + masked(1, b"\xff\xfe") * 100)


async def send_a_huge_message(attack):
    for data in (masked(1, bytes(HUGE_BYTES)), masked(2, b"", claimed_bytes=2**62)):
        await attack.send(await attack.connect(), attack.handshake + data)


async def send_half_a_frame(attack):
    for data in (b"\x81", b"\x81\xfe\x0f", masked(1, b"{", claimed_bytes=4000)):
        await attack.send(await attack.connect(), attack.handshake + data)


async def ask_for_a_file(attack):
    loop = asyncio.get_running_loop()
    for target in ("/../../etc/passwd", "/static/..%2f..%2f..%2fetc/passwd"):
        client = await attack.connect()
        host = f"Host: 127.0.0.1:{attack._port}\r\n\r\n"
        await attack.send(client, f"GET {target} HTTP/1.1\r\n{host}".encode())
        answer = b""
        while data := await loop.sock_recv(client, 65536):
            answer += data
        assert answer.startswith(b"HTTP/1.1 404")
        assert b"root:" not in answer


@contextlib.asynccontextmanager
async def a_service():
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rtgenre", "run", str(DEMO_RECORDING), "--loop", "--quiet"),
        *("--port", str(port), "--hop-seconds", str(HOP_SECONDS)),
        env=os.environ | NO_HISTORY,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield port, process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def connected(port):
    while True:
        with contextlib.suppress(OSError, websockets.WebSocketException):
            return await websockets.connect(f"ws://127.0.0.1:{port}/ws")
        await asyncio.sleep(0.05)


class Listener:
    """A well-behaved client: the number of each window it was told of, and how late it was."""

    def __init__(self, client):
        self._client = client
        self.sequences = []
        self.ages_seconds = []

    async def hear(self, n_windows):
        """Return the median age of the next windows' messages."""
        for _ in range(n_windows):
            while (document := json.loads(await self._client.recv()))["type"] != "state":
                pass
            captured_at = datetime.fromisoformat(document["time"]).timestamp()
            self.sequences.append(document["sequence"])
            self.ages_seconds.append(time.time() - captured_at)
        return statistics.median(self.ages_seconds[-n_windows:])


@pytest.mark.timeout(200)
async def test_attacks_of_every_kind_cost_neither_memory_nor_pace_nor_messages():
    async with a_service() as (port, process):
        client = await connected(port)
        listener = Listener(client)
        age_before_seconds = await listener.hear(8)
        memory = psutil.Process(process.pid).memory_info
        before_bytes = memory().rss
        attack = Attacker(port)
        listening = asyncio.create_task(listener.hear(20))
        for each in (
            *(never_read, send_garbage, send_a_huge_message, send_half_a_frame),
            *(ask_for_a_file, connect_at_once),
        ):
            await each(attack)
        during_bytes = memory().rss
        await listening
        attack.close()
        newcomer = await connected(port)
        assert json.loads(await newcomer.recv())["type"] == "hello"
        age_after_seconds = await listener.hear(8)
        after_bytes = memory().rss
        await newcomer.close()
        await client.close()
        process.terminate()
        _, written = await process.communicate()
    begin, end = listener.sequences[0], listener.sequences[-1]
    assert listener.sequences == list(range(begin, end + 1))
    assert during_bytes - before_bytes < 2 * ALLOWED_GROWTH_BYTES
    assert after_bytes - before_bytes < ALLOWED_GROWTH_BYTES
    # Not about speed: the service would be behind by as much as an attack had held it up.
    assert age_after_seconds < age_before_seconds + 4 * HOP_SECONDS
    assert process.returncode == 0
    assert b"Traceback" not in written
