"""Publishes to an MQTT broker, and comes back to it whenever it was lost."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, NoReturn, Protocol, runtime_checkable

import aiomqtt

from rtgenre.outputs.mqtt.broker import (
    GOODBYE_SECONDS,
    Broker,
    PacketTooLarge,
    heed_cancellation,
    local_address,
    lost,
    mark_read,
    send,
)
from rtgenre.outputs.mqtt.topics import OFFLINE, Message, NodeTopics
from rtgenre.sources.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from rtgenre.config import MqttConfig
    from rtgenre.messages.documents import AboutDocument, Document
    from rtgenre.messages.hub import Hub
    from rtgenre.monitoring.metrics import Metrics

STABLE_SECONDS = 30.0
"""A connection that held this long was a good one: the next wait is short again."""
DRIVEN_OUT_SECONDS = 5.0
"""Another client of the same id, driven out itself, is back before that."""

logger = logging.getLogger(__name__)


class MqttExtension(Protocol):
    """Further messages over the same connections, built purely: discovery, lights."""

    takes_retained: bool
    """Whether messages count that the broker has kept."""

    @property
    def topics(self) -> Sequence[str]:
        """What to subscribe to, wildcards allowed."""

    def on_connect(self, node: str) -> Sequence[Message]:
        """Return what to say when a node has (re)connected."""

    def on_document(self, document: Document) -> Sequence[Message]:
        """Return what to say about a node's document."""

    def on_message(self, node: str, topic: str, payload: bytes) -> Sequence[Message]:
        """Return the answers to a message on one of ``topics``."""


@runtime_checkable
class SpeakingExtension(Protocol):
    """An extension whose answers take a while."""

    async def next_message(self, node: str) -> Message:
        """Wait for what a node has to say beside all else; nothing is lost when cancelled."""


class MqttOutput:
    """Publishes every node's documents, each node over a connection of its own.

    A connection has one last will; with one for each node, ``<prefix>/<node>/availability`` is
    right for every node, whatever happens to this process.
    """

    def __init__(
        self,
        config: MqttConfig,
        hub: Hub,
        *,
        nodes: Sequence[str],
        colors: Mapping[str, str],
        metrics: Metrics,
        extensions: Sequence[MqttExtension] = (),
        about: Callable[[str, str], AboutDocument] | None = None,
    ) -> None:
        """Check the settings, without connecting.

        Args:
            config: the settings.
            hub: where the documents come from.
            nodes: the sources' nodes.
            colors: ``#rrggbb`` by genre, ``unknown`` and ``silence``; empty to leave ``/color``
                to an extension.
            metrics: counts connections.
            extensions: what else is published.
            about: builds what a node tells of itself, from its name and from the address by which
                this machine reaches the broker.

        Raises:
            OutputError: the password, certificate or key cannot be read.
        """
        self._broker = Broker(config)
        self._config = config
        self._hub = hub
        self._nodes = nodes
        self._colors = colors
        self._metrics = metrics
        self._extensions = extensions
        self._about = about
        # The trouble that was told last, so that it is told once for all nodes and attempts.
        self._told = ""
        # Until a message proves too large, which would come again with every subscription.
        self._listens = True

    async def run(self) -> None:
        """Publish until cancelled, then say ``offline``; that takes a second at most."""
        async with asyncio.TaskGroup() as group:
            for node in self._nodes:
                group.create_task(self._keep_connected(node), name=f"mqtt {node}")

    async def _keep_connected(self, node: str) -> NoReturn:
        backoff = Backoff(first_seconds=1.0, longest_seconds=60.0)
        reconnects = self._metrics.for_node(node).mqtt_reconnects
        breaks_soon = False
        while True:
            began_at = time.monotonic()
            try:
                await self._connect(node, good_after=STABLE_SECONDS if breaks_soon else 0.0)
            except PacketTooLarge as error:
                self._listens = False
                self._tell(f"{self._broker.explain(error)}; nothing is subscribed to from now on")
            except aiomqtt.MqttError as error:
                lasted_seconds = time.monotonic() - began_at
                # A broker may also be started anew a while after this process.
                soon = lasted_seconds <= (STABLE_SECONDS if breaks_soon else DRIVEN_OUT_SECONDS)
                self._tell(self._broker.explain(error, soon=soon))
            heed_cancellation()
            breaks_soon = time.monotonic() - began_at <= STABLE_SECONDS
            if not breaks_soon:
                backoff.reset()
            await asyncio.sleep(backoff.next_seconds())
            reconnects.inc()

    async def _connect(self, node: str, *, good_after: float) -> None:
        """Publish until the connection breaks; call it a good one after so many seconds.

        So a broker that drops every connection is told of once, not with every attempt.
        """
        topics = NodeTopics(
            self._config.topic_prefix,
            node,
            publish=self._config.publish,
            colors=self._colors,
            qos=self._config.qos,
        )
        connected = self._metrics.for_node(node).mqtt_connected
        will = topics.availability(OFFLINE)
        async with self._broker.connect(node, will) as client:
            connected.set(1)
            good = asyncio.get_running_loop().call_later(good_after, self._tell, "")
            try:
                await self._serve(client, node, topics)
            except asyncio.CancelledError:
                last_words = [*self._last_words(node, topics), will]
                goodbye = asyncio.create_task(send(client, last_words))
                await asyncio.wait({goodbye}, timeout=GOODBYE_SECONDS)
                mark_read(goodbye)
                raise
            finally:
                good.cancel()
                connected.set(0)

    async def _serve(self, client: aiomqtt.Client, node: str, topics: NodeTopics) -> None:
        # No TaskGroup: when an error and a cancellation meet, Python 3.11 forgets the latter.
        subscribe = partial(self._subscribe, client, set())
        later: asyncio.Queue[Sequence[Message]] = asyncio.Queue(maxsize=1)
        publishing = self._publish(client, node, topics, subscribe)
        answering = self._answer(client, node, subscribe, later)
        tasks = {
            asyncio.create_task(publishing, name=f"mqtt publish {node}"),
            asyncio.create_task(answering, name=f"mqtt answer {node}"),
            asyncio.create_task(_send_later(client, later), name=f"mqtt answer later {node}"),
            asyncio.create_task(lost(client), name=f"mqtt lost {node}"),
            *(
                asyncio.create_task(_speak(client, extension, node), name=f"mqtt speak {node}")
                for extension in self._extensions
                if isinstance(extension, SpeakingExtension)
            ),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=GOODBYE_SECONDS)
            for task in tasks:
                mark_read(task)
        for task in done:
            task.result()

    async def _publish(
        self,
        client: aiomqtt.Client,
        node: str,
        topics: NodeTopics,
        subscribe: Callable[[], Awaitable[None]],
    ) -> NoReturn:
        about = None if self._about is None else self._about(node, local_address(client))
        status_follows = any(
            document["type"] == "status" and document["node"] == node
            for document in self._hub.latest()
        )
        await send(client, topics.on_connect(about, status_follows=status_follows))
        for extension in self._extensions:
            await send(client, extension.on_connect(node))
        skipped_messages = self._metrics.for_node(node).mqtt_skipped_messages
        next_sequence: int | None = None
        with self._hub.subscribe() as subscription:
            while True:
                document = await subscription.get()
                if document["node"] != node:
                    continue
                if document["type"] == "state":
                    if next_sequence is not None:
                        skipped_messages.inc(max(0, document["sequence"] - next_sequence))
                    next_sequence = document["sequence"] + 1
                if about is not None and self._about is not None and _relabelled(document, about):
                    now = self._about(node, local_address(client))
                    if now != about:
                        await send(client, topics.introduction(now))
                    about = now
                await subscribe()
                await send(client, topics.on_document(document))
                for extension in self._extensions:
                    await send(client, extension.on_document(document))

    async def _subscribe(self, client: aiomqtt.Client, subscribed: set[str]) -> None:
        """Subscribe to what is new among the topics: lamps may be added while it runs."""
        for extension in self._extensions if self._listens else []:
            for topic in extension.topics:
                if topic not in subscribed:
                    subscribed.add(topic)
                    await client.subscribe(topic, qos=self._config.qos)

    def _last_words(self, node: str, topics: NodeTopics) -> Iterator[Message]:
        """Say once more that the input is gone, which may have ended the service just now."""
        for document in self._hub.latest():
            if document["type"] == "status" and document["node"] == node and document["gone"]:
                yield from topics.on_document(document)
                for extension in self._extensions:
                    yield from extension.on_document(document)

    async def _answer(
        self,
        client: aiomqtt.Client,
        node: str,
        subscribe: Callable[[], Awaitable[None]],
        later: asyncio.Queue[Sequence[Message]],
    ) -> None:
        """Hand incoming messages to the extensions; what they say may be for ``later``."""
        await subscribe()
        async for message in client.messages:
            for extension in self._extensions:
                if message.retain and not extension.takes_retained:
                    continue
                if any(message.topic.matches(topic) for topic in extension.topics):
                    payload = message.payload if isinstance(message.payload, bytes) else b""
                    answers = extension.on_message(node, str(message.topic), payload)
                    if not any(answer.within_seconds for answer in answers):
                        await send(client, answers)
                    elif not later.full():
                        # Else the one that waits says the same.
                        later.put_nowait(answers)

    def _tell(self, problem: str) -> None:
        if problem == self._told:
            return
        self._told = problem
        if problem:
            logger.warning("%s; trying again in the background", problem)
        else:
            logger.info("connected to the MQTT broker at %s", self._broker.address)


async def _send_later(client: aiomqtt.Client, later: asyncio.Queue[Sequence[Message]]) -> NoReturn:
    """Send what may wait, so that nothing that comes meanwhile waits for it."""
    while True:
        await send(client, await later.get())


async def _speak(client: aiomqtt.Client, extension: SpeakingExtension, node: str) -> NoReturn:
    """Send what comes of messages as soon as it does, also while there is no document."""
    while True:
        await send(client, [await extension.next_message(node)])


def _relabelled(document: Document, about: AboutDocument) -> bool:
    """Say whether genres were taught or forgotten since a node told of itself."""
    if document["type"] != "state":
        return False
    return list(document["probabilities"]) != about["hello"]["labels"]
