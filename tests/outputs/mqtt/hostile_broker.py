"""A broker that misbehaves: one function for each way, called for each connection."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

CONNECT, PUBLISH, SUBSCRIBE = 1, 3, 8
WELCOME = b"\x20\x02\x00\x00"
FLOOD = 1_000

BEHAVIOURS: dict[str, Behaviour] = {}
"""By what the broker does."""


def _named(name: str) -> Callable[[Behaviour], Behaviour]:
    def add(behaviour: Behaviour) -> Behaviour:
        BEHAVIOURS[name] = behaviour
        return behaviour

    return add


class HostileBroker:
    """Behaves in one way towards everybody who connects, and counts them."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0

    async def __aenter__(self) -> HostileBroker:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            # The other side may leave whenever it has had enough.
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._behaviour(reader, writer)
        finally:
            writer.close()


async def packet(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    """Read a client's packet: its kind, its flags and what follows its length."""
    (head,) = await reader.readexactly(1)
    length, shift = 0, 0
    while True:
        (byte,) = await reader.readexactly(1)
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return head >> 4, head & 0x0F, await reader.readexactly(length)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Do all that a broker must, until the client leaves."""
    while True:
        kind, flags, body = await packet(reader)
        if kind == CONNECT:
            writer.write(WELCOME)
        elif kind == PUBLISH and flags & 0x06:
            (topic_bytes,) = struct.unpack_from(">H", body)
            writer.write(b"\x40\x02" + body[2 + topic_bytes : 4 + topic_bytes])
        elif kind == SUBSCRIBE:
            writer.write(b"\x90\x03" + body[:2] + b"\x00")


def a_publish(topic: bytes, payload: bytes, first_byte: int = 0x31) -> bytes:
    """Return a message of less than 128 bytes; without more it is retained, at most once."""
    body = struct.pack(">H", len(topic)) + topic + payload
    return bytes([first_byte, len(body)]) + body


# Before the login is answered.


@_named("closes at once")
async def _(_reader, _writer):
    return


@_named("resets at once")
async def _(_reader, writer):
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@_named("closes after the login")
async def _(reader, _writer):
    await packet(reader)


@_named("never answers")
async def _(reader, _writer):
    while await reader.read(1000):
        pass


def _answers(name: str, answer: bytes, *, then_closes: bool = False) -> None:
    """Add a broker that answers the login with these bytes."""

    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        writer.write(answer)
        while not then_closes and await reader.read(1000):
            pass
        await writer.drain()

    BEHAVIOURS[name] = behaviour


_answers("sends half an answer and closes", b"\x20\x02\x00", then_closes=True)
_answers("sends half an answer and waits", b"\x20\x02\x00")
_answers("announces more than an answer has", b"\x20\x7f\x00\x00")
_answers("announces an empty answer", b"\x20\x00")
_answers("announces a length without an end", b"\x20" + b"\xff" * 20)
_answers("announces 256 MB before the login", b"\x20\xff\xff\xff\x7f")
_answers("acknowledges a message instead", b"\x40\x02\x00\x01")
_answers("sends a message instead", a_publish(b"a", b"b"))
_answers("answers a subscription instead", b"\x90\x03\x00\x01\x00")
_answers("logs in itself", b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")
_answers("sends garbage", random.Random(1).randbytes(5000))
_answers("speaks TLS", b"\x15\x03\x03\x00\x02\x02\x46", then_closes=True)
_answers("speaks HTTP", b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", then_closes=True)
_answers("speaks SSH", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
for _code in (1, 2, 3, 4, 5, 6, 255):
    _answers(f"refuses with {_code}", bytes([0x20, 2, 0, _code]), then_closes=True)


@_named("drips its answer")
async def _(reader, writer):
    await packet(reader)
    while True:
        writer.write(b"\xd0")
        await asyncio.sleep(0.05)
        writer.write(b"\x00")
        await asyncio.sleep(0.05)


# After it: all below would do as brokers, were it not for one thing.


def _serves(name: str, trouble: bytes, *, after: int = SUBSCRIBE) -> None:
    """Add a broker that sends these bytes as soon as it is sent such a packet."""

    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        writer.write(WELCOME)
        sent = False
        while True:
            kind, flags, body = await packet(reader)
            if kind == after and not sent:
                sent = True
                writer.write(trouble)
            if kind == PUBLISH and flags & 0x06:
                (topic_bytes,) = struct.unpack_from(">H", body)
                writer.write(b"\x40\x02" + body[2 + topic_bytes : 4 + topic_bytes])
            elif kind == SUBSCRIBE:
                writer.write(b"\x90\x03" + body[:2] + b"\x00")
            await writer.drain()

    BEHAVIOURS[name] = behaviour


_serves("welcomes twice", WELCOME, after=PUBLISH)
_serves("acknowledges what was never sent", b"\x40\x02\x7f\xff" * 100)
_serves("releases and completes what was never sent", b"\x62\x02\x7f\xff\x70\x02\x7f\xff" * 100)
_serves("answers subscriptions that never were", b"\x90\x03\x7f\xff\x00" * 100)
_serves("sends a message on a topic that is no text", a_publish(b"\xff\xfe", b"online"))
_serves("sends a message on a topic of wildcards", a_publish(b"homeassistant/#", b"online"))
_serves("sends a message without a topic", a_publish(b"", b"online"))
_serves("sends a message whose topic is longer than itself", b"\x31\x04\xff\xffab")
_serves("sends a message of quality 3", a_publish(b"homeassistant/status", b"x", 0x37))
_serves("sends an empty packet of every kind", b"".join(bytes([i << 4, 0]) for i in range(16)))
_serves("sends 256 MB", b"\x31\xff\xff\xff\x7f")
_serves("floods with kept messages", a_publish(b"homeassistant/status", b"online") * FLOOD)
_serves("sends lamps' nonsense", a_publish(b"wled/tv/g", b"\xff") + a_publish(b"wled/tv/g", b""))
_serves("asks whether the client lives", b"\xc0\x00" * 100)
_serves("says goodbye as in MQTT 5", b"\xe0\x02\x8e\x00")


@_named("says that it remembers the session")
async def _(reader, writer):
    await packet(reader)
    writer.write(b"\x20\x02\x01\x00")
    await serve(reader, writer)


@_named("answers as in MQTT 5")
async def _(reader, writer):
    await packet(reader)
    writer.write(b"\x20\x0a\x00\x00\x07\x27\x00\x00\x10\x00\x24\x01")
    await serve(reader, writer)


@_named("acknowledges nothing")
async def _(reader, writer):
    await packet(reader)
    writer.write(WELCOME)
    while await reader.read(1000):
        pass


@_named("reads nothing")
async def _(reader, writer):
    await packet(reader)
    writer.write(WELCOME)
    await asyncio.sleep(3600)


@_named("refuses every subscription")
async def _(reader, writer):
    await packet(reader)
    writer.write(WELCOME)
    while True:
        kind, flags, body = await packet(reader)
        if kind == PUBLISH and flags & 0x06:
            (topic_bytes,) = struct.unpack_from(">H", body)
            writer.write(b"\x40\x02" + body[2 + topic_bytes : 4 + topic_bytes])
        elif kind == SUBSCRIBE:
            writer.write(b"\x90\x03" + body[:2] + b"\x80")


@_named("closes soon after every login")
async def _(reader, writer):
    await packet(reader)
    writer.write(WELCOME)
    await asyncio.sleep(0.05)
