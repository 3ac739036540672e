"""A hub, and nodes that publish to the same broker, in the test's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import aiomqtt
import websockets

from rtgenre.config import Config
from rtgenre.hub.service import HubService
from rtgenre.messages.hub import Hub
from rtgenre.monitoring.metrics import Metrics
from rtgenre.outputs.mqtt.publisher import MqttOutput
from tests.broker import settings_for
from tests.documents import COLORS, an_about

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class RunningHub:
    """A hub, and one client of it that remembers what it was sent."""

    def __init__(self, service: HubService, url: str) -> None:
        self.service = service
        self.url = url
        self.received: list[dict[str, Any]] = []
        self._changed = asyncio.Event()

    @property
    def port(self) -> int:
        """Where its page is."""
        return int(self.url.split(":")[2].split("/")[0])

    def of(self, kind: str, node: str = "den") -> list[dict[str, Any]]:
        """Return the documents of a type about a node."""
        return [each for each in self.received if each["type"] == kind and each["node"] == node]

    def problem(self, node: str = "den") -> str | None:
        """Return what the hub says last of a node."""
        presences = self.of("presence", node)
        return presences[-1]["problem"] if presences else "nothing was said"

    def hub_problem(self) -> str | None:
        """Return what the hub says last of itself."""
        documents = self.of("hub", "")
        return documents[-1]["problem"] if documents else None

    def rooms(self) -> list[str]:
        """Return the rooms of the last greeting."""
        hellos = [each for each in self.received if each["type"] == "hello"]
        return [source["node"] for source in hellos[-1]["sources"]] if hellos else []

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until what was received meets ``condition``."""
        async with asyncio.timeout(60):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def follow(self) -> None:
        async with websockets.connect(self.url) as client:
            async for message in client:
                if isinstance(message, str):
                    self.received.append(json.loads(message))
                    self._changed.set()


@contextlib.asynccontextmanager
async def a_hub(port: int, **tables: Any) -> AsyncIterator[RunningHub]:
    """Run a hub for the length of a block, and stop it as a signal would."""
    tables = {
        "websocket": {"port": 0},
        "history": {"enabled": False},
    } | tables
    tables["mqtt"] = {"host": "127.0.0.1", "port": port} | tables.get("mqtt", {})
    service = HubService(Config(**tables))
    output = service._web_output()
    service._web_output = lambda: output  # type: ignore[method-assign]
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    while not output._servers:
        await asyncio.sleep(0.01)
        if task.done():
            task.result()
    hub = RunningHub(service, output.url)
    following = asyncio.create_task(hub.follow())
    try:
        yield hub
    finally:
        following.cancel()
        stop.set()
        await task


class RunningNode:
    """What a node publishes, without audio."""

    def __init__(self, port: int, name: str, **about: Any) -> None:
        self._config = settings_for(port, **about.pop("mqtt", {}))
        self.name = name
        self.about = about
        self.hub = Hub()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        output = MqttOutput(
            self._config,
            self.hub,
            nodes=[self.name],
            colors=COLORS,
            metrics=Metrics(),
            about=lambda node, _: an_about(node, **self.about),
        )
        self._task = asyncio.create_task(output.run())

    async def stop(self) -> None:
        """Leave as a service does that is stopped."""
        assert self._task
        self._task.cancel()
        await asyncio.wait({self._task})


@contextlib.asynccontextmanager
async def a_node(port: int, name: str = "den", **about: Any) -> AsyncIterator[RunningNode]:
    """Run a node for the length of a block."""
    node = RunningNode(port, name, **about)
    await node.start()
    try:
        yield node
    finally:
        await node.stop()


async def publish(port: int, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
    """Publish anything, as a broken or malicious program may."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.publish(topic, payload, qos=1, retain=retain)
