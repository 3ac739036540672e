"""A real mosquitto on a free port, with settings of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
from typing import TYPE_CHECKING, Self

import aiomqtt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from rtgenre.config import MqttConfig

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


class Broker:
    """mosquitto, which can be stopped, started, frozen and thawed."""

    def __init__(self, folder: Path, *settings: str) -> None:
        """``settings`` are further lines of mosquitto.conf; without any, everyone may log in."""
        assert MOSQUITTO, "mosquitto is not installed: apt-get install mosquitto"
        self.port = free_port()
        self._file = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        lines = [f"listener {self.port} 127.0.0.1", *(settings or ["allow_anonymous true"])]
        self._file.write_text("\n".join([*lines, "user root", ""]))
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(MOSQUITTO), "-c", str(self._file), "-v"], stdout=log, stderr=log
            )
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            assert self._process.poll() is None, f"mosquitto ended:\n{self.log()}"
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        await asyncio.to_thread(self._process.wait)

    def freeze(self) -> None:
        """Let it accept connections and never answer."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    async def has_logged(self, text: str, *, times: int) -> None:
        """Wait until ``text`` was logged so often."""
        while self.log().count(text) < times:
            await asyncio.sleep(0.02)

    def log(self) -> str:
        return self._log.read_text()


class Subscriber:
    """Sees what is published: everything in order, and the newest of each topic."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.retained: dict[str, str] = {}
        self._changed = asyncio.Event()

    @property
    def latest(self) -> dict[str, str]:
        return dict(self.seen)

    async def until(self, condition: Callable[[Subscriber], bool]) -> None:
        """Wait until what was seen meets ``condition``."""
        while not condition(self):
            self._changed.clear()
            await self._changed.wait()

    async def follow(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            payload = bytes(message.payload).decode()  # type: ignore[arg-type]
            self.seen.append((str(message.topic), payload))
            if message.retain:
                self.retained[str(message.topic)] = payload
            self._changed.set()


@contextlib.asynccontextmanager
async def subscribed(port: int, topic: str = "#", **login: str) -> AsyncIterator[Subscriber]:
    """Subscribe for the length of a block; retained messages come first."""
    subscriber = Subscriber()
    async with aiomqtt.Client("127.0.0.1", port, **login) as client:  # type: ignore[arg-type]
        await client.subscribe(topic, qos=1)
        task = asyncio.create_task(subscriber.follow(client))
        try:
            yield subscriber
        finally:
            task.cancel()
            await asyncio.wait({task})


async def retained_messages(port: int, marker: str = "end-of-retained") -> dict[str, str]:
    """Return every retained message by topic, as somebody sees them who subscribes now."""
    async with subscribed(port) as subscriber, aiomqtt.Client("127.0.0.1", port) as client:
        await client.publish(marker, "x", qos=1)
        await subscriber.until(lambda it: marker in it.latest)
        return subscriber.retained


@contextlib.asynccontextmanager
async def a_slow_proxy(port: int, delay_seconds: float) -> AsyncIterator[int]:
    """Pass everything on to ``port``, later."""
    tasks: set[asyncio.Task[None]] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await asyncio.sleep(delay_seconds)
            writer.write(data)
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", port)
        tasks.add(asyncio.create_task(pass_on(reader, broker_writer)))
        tasks.add(asyncio.create_task(pass_on(broker_reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()


def settings_for(port: int, **settings: object) -> MqttConfig:
    from rtgenre.config import MqttConfig

    return MqttConfig(host="127.0.0.1", port=port, **settings)  # type: ignore[arg-type]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
