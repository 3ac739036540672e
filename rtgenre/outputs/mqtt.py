"""Publishes to an MQTT broker, and comes back to it whenever it was lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from typing import TYPE_CHECKING, NoReturn, Protocol

import aiomqtt
from aiomqtt.exceptions import MqttConnectError

from rtgenre.backoff import Backoff
from rtgenre.outputs.errors import OutputError
from rtgenre.outputs.secret import read_secret
from rtgenre.outputs.tls import client_tls
from rtgenre.outputs.topics import OFFLINE, Message, NodeTopics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from rtgenre.config import MqttConfig
    from rtgenre.hub import Hub
    from rtgenre.metrics import Metrics
    from rtgenre.payload import Document

GOODBYE_SECONDS = 1.0
MAX_INCOMING_MESSAGES = 100
STABLE_SECONDS = 30.0
"""A connection that held this long was a good one: the next wait is short again."""

# CONNACK codes as paho gives them (MQTT 5, 3.2.2.2), to which it maps those of MQTT 3.1.1.
_REFUSED = {
    133: "refused the client id; change [mqtt] client_id",
    134: "refused the username or password; check [mqtt] username and password",
    135: "refused the login; check [mqtt] username and password, and the broker's access list",
    136: "is not ready to serve clients",
    138: "has banned this client",
}

logger = logging.getLogger(__name__)
# aiomqtt and paho report through exceptions, too.
_client_logger = logging.getLogger(f"{__name__}.client")
_client_logger.setLevel(logging.CRITICAL)


class MqttExtension(Protocol):
    """Further messages over the same connections, built purely: discovery, lights."""

    topics: Sequence[str]
    """What to subscribe to, wildcards allowed."""

    def on_connect(self, node: str) -> Sequence[Message]:
        """Return what to say when a node has (re)connected."""

    def on_document(self, document: Document) -> Sequence[Message]:
        """Return what to say about a node's document."""

    def on_message(self, node: str, topic: str, payload: bytes) -> Sequence[Message]:
        """Return the answers to a message on one of ``topics``."""


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
        # The trouble that was told last, so that it is told once for all nodes and attempts.
        self._told = ""

    async def run(self) -> None:
        """Publish until cancelled, then say ``offline``; that takes a second at most."""
        async with asyncio.TaskGroup() as group:
            for node in self._nodes:
                group.create_task(self._keep_connected(node), name=f"mqtt {node}")

    async def _keep_connected(self, node: str) -> NoReturn:
        backoff = Backoff(first_seconds=1.0, longest_seconds=60.0)
        reconnects = self._metrics.for_node(node).mqtt_reconnects
        while True:
            began_at = time.monotonic()
            try:
                await self._connect(node)
            except aiomqtt.MqttError as error:
                self._tell(self._broker.explain(error))
            if time.monotonic() - began_at > STABLE_SECONDS:
                backoff.reset()
            await asyncio.sleep(backoff.next_seconds())
            reconnects.inc()

    async def _connect(self, node: str) -> None:
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
            self._tell("")
            try:
                await self._serve(client, node, topics)
            except asyncio.CancelledError:
                goodbye = asyncio.create_task(_send(client, [will]))
                await asyncio.wait({goodbye}, timeout=GOODBYE_SECONDS)
                _mark_read(goodbye)
                raise
            finally:
                connected.set(0)

    async def _serve(self, client: aiomqtt.Client, node: str, topics: NodeTopics) -> None:
        # No TaskGroup: when an error and a cancellation meet, Python 3.11 forgets the latter.
        tasks = {
            asyncio.create_task(self._publish(client, node, topics), name=f"mqtt publish {node}"),
            asyncio.create_task(self._answer(client, node), name=f"mqtt answer {node}"),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=GOODBYE_SECONDS)
            for task in tasks:
                _mark_read(task)
        for task in done:
            task.result()

    async def _publish(self, client: aiomqtt.Client, node: str, topics: NodeTopics) -> NoReturn:
        await _send(client, topics.on_connect())
        for extension in self._extensions:
            await _send(client, extension.on_connect(node))
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
                await _send(client, topics.on_document(document))
                for extension in self._extensions:
                    await _send(client, extension.on_document(document))

    async def _answer(self, client: aiomqtt.Client, node: str) -> None:
        """Hand incoming messages to the extensions; notices at once when the broker is gone."""
        for extension in self._extensions:
            for topic in extension.topics:
                await client.subscribe(topic, qos=self._config.qos)
        async for message in client.messages:
            for extension in self._extensions:
                if any(message.topic.matches(topic) for topic in extension.topics):
                    payload = message.payload if isinstance(message.payload, bytes) else b""
                    await _send(client, extension.on_message(node, str(message.topic), payload))

    def _tell(self, problem: str) -> None:
        if problem == self._told:
            return
        self._told = problem
        if problem:
            logger.warning("%s; trying again in the background", problem)
        else:
            logger.info("connected to the MQTT broker at %s", self._broker.address)


class Broker:
    """How to connect to the broker, and what its refusals mean."""

    def __init__(self, config: MqttConfig) -> None:
        """Read the password and the certificates.

        Raises:
            OutputError: one of them cannot be used, or the host is no name.
        """
        self._config = config
        self._password = read_secret(config.password, config.password_file, "[mqtt] password_file")
        self._tls = client_tls(config)
        self.address = f"{config.host}:{config.port}"
        """Where the broker is, for people."""
        try:
            config.host.encode("idna")
        except UnicodeError:
            raise OutputError(
                f"[mqtt] host = {config.host!r} is neither a host name nor an address"
            ) from None

    @contextlib.asynccontextmanager
    async def connect(self, name: str, will: Message | None) -> AsyncIterator[aiomqtt.Client]:
        """Stay connected for the length of an ``async with`` block.

        The client id is the same every time. A broker then drops a connection that was cut off
        before it admits the new one, so that an old last will never comes after ``online``.

        Args:
            name: makes the client id unique among those of this service.
            will: what the broker publishes when the connection breaks.

        Raises:
            aiomqtt.MqttError: the broker cannot be reached or refuses; ``explain`` tells why.
        """
        config = self._config
        client = aiomqtt.Client(
            config.host,
            config.port,
            username=config.username or None,
            password=self._password or None,
            identifier=f"{config.client_id}-{name}",
            will=aiomqtt.Will(will.topic, will.payload, will.qos, will.retain) if will else None,
            tls_context=self._tls,
            timeout=config.timeout_seconds,
            keepalive=config.keepalive_seconds,
            max_queued_incoming_messages=MAX_INCOMING_MESSAGES,
            logger=_client_logger,
        )
        try:
            await client.__aenter__()
            try:
                _heed_cancellation()
                yield client
            finally:
                # A broker that hangs does not take a goodbye either.
                client.timeout = min(client.timeout, GOODBYE_SECONDS / 2)
                with contextlib.suppress(aiomqtt.MqttError):
                    await client.__aexit__(None, None, None)
        finally:
            # aiomqtt leaves the socket of a failed login open, and may leave it unread how the
            # connection ended.
            client._client._sock_close()  # noqa: SLF001
            _mark_read(client._disconnected)  # noqa: SLF001

    def explain(self, error: BaseException) -> str:
        """Say in one sentence what an ``aiomqtt.MqttError`` means."""
        place = f"the MQTT broker at {self.address}"
        if isinstance(error, MqttConnectError):
            code = error.rc if isinstance(error.rc, int) else getattr(error.rc, "value", 0)
            return f"{place} {_REFUSED.get(code, f'refused the connection ({error})')}"
        if isinstance(error, aiomqtt.MqttCodeError) or str(error).startswith("Disconnected"):
            return f"the connection to {place} was lost"
        if str(error) == "Operation timed out":
            waited = f"{self._config.timeout_seconds:g} s"
            return f"{place} did not answer within {waited} (is that port one for TLS, or not?)"
        return f"{place} cannot be reached: {error}"


async def publish_once(config: MqttConfig, messages: Iterable[Message]) -> None:
    """Connect, publish and leave.

    Raises:
        OutputError: the broker cannot be reached or refuses.
    """
    broker = Broker(config)
    try:
        async with broker.connect("command", will=None) as client:
            await _send(client, messages)
    except aiomqtt.MqttError as error:
        raise OutputError(broker.explain(error)) from None


async def _send(client: aiomqtt.Client, messages: Iterable[Message]) -> None:
    """Publish in order, and wait until the broker has taken all of them."""
    waiting = list(messages)
    within_seconds = max((message.within_seconds for message in waiting), default=0.0)
    if within_seconds > 0:
        await asyncio.sleep(random.uniform(0, within_seconds))  # noqa: S311 - not a secret
    await asyncio.gather(
        *(
            client.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)
            for message in waiting
        )
    )


def _mark_read(future: asyncio.Future[None]) -> None:
    """Spare the log an "exception was never retrieved" about what is told otherwise."""
    if future.done() and not future.cancelled():
        future.exception()


def _heed_cancellation() -> None:
    """Make up for ``asyncio.wait_for``, which before Python 3.12 can swallow a cancellation."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
