"""Listens to the broker, and comes back to it whenever it was lost."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from typing import TYPE_CHECKING, NoReturn

import aiomqtt

from rtgenre.hub.inbox import Inbox, Incoming
from rtgenre.hub.reading import KINDS, answering_node, split_topic
from rtgenre.messages.taught import TeachError
from rtgenre.outputs.mqtt.broker import Broker, PacketTooLarge, heed_cancellation, lost
from rtgenre.sources.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtgenre.config import MqttConfig
    from rtgenre.hub.roster import Roster
    from rtgenre.monitoring.metrics import Metrics

QUIET_SECONDS = 10.0
"""A broker that has told nothing for so long probably will not."""
TELL_EVERY_SECONDS = 600.0
_TICK_SECONDS = 0.1
_TICKS_PER_LOOK = 10
_REFUSED = 128
"""From here on a SUBACK's codes are refusals."""

logger = logging.getLogger(__name__)


class _NotAllowedError(aiomqtt.MqttError):
    """The broker refused the subscription."""


class Subscription:
    """Takes what every node publishes to the roster."""

    def __init__(
        self,
        config: MqttConfig,
        roster: Roster,
        metrics: Metrics,
        *,
        on_answer: Callable[[str, bytes], None],
    ) -> None:
        """Check the settings, without connecting.

        Raises:
            OutputError: the password, certificate or key cannot be read.
        """
        self._config = config
        self._broker = Broker(config)
        self._roster = roster
        self._metrics = metrics
        self._inbox = Inbox()
        self._on_answer = on_answer
        self._client: aiomqtt.Client | None = None
        # Several hubs may listen to one broker.
        self._client_name = f"hub-{secrets.token_hex(4)}"
        # When the broker is to have told something; None once it has.
        self._quiet_until: float | None = None
        self._flood_told_at: dict[str, float] = {}

    @property
    def address(self) -> str:
        """Where the broker is, for people."""
        return self._broker.address

    async def publish(self, topic: str, payload: str) -> None:
        """Say something to the broker, once.

        Raises:
            TeachError: it is not there.
        """
        try:
            if self._client is not None:
                await self._client.publish(topic, payload, qos=int(self._config.qos))
                return
        except aiomqtt.MqttError:
            pass
        raise TeachError(f"the MQTT broker at {self.address} is not there", 503)

    async def run(self) -> NoReturn:
        """Listen until cancelled."""
        looking = asyncio.create_task(self._look(), name="hub look")
        backoff = Backoff(first_seconds=1.0, longest_seconds=60.0)
        try:
            while True:
                began_at = time.monotonic()
                try:
                    await self._listen()
                except aiomqtt.MqttError as error:
                    self._tell(self._explain(error))
                heed_cancellation()
                backoff.lasted(time.monotonic() - began_at)
                await asyncio.sleep(backoff.next_seconds())
        finally:
            looking.cancel()

    async def _listen(self) -> NoReturn:
        prefix, qos = self._config.topic_prefix, int(self._config.qos)
        topics = [(f"{prefix}/+/{kind}", qos) for kind in (*KINDS, "teach/answer")]
        async with self._broker.connect(
            self._client_name, None, on_message=self._receive
        ) as client:
            self._roster.connected()
            self._quiet_until = time.monotonic() + QUIET_SECONDS
            granted = await client.subscribe(topics)
            codes = [code if isinstance(code, int) else code.value for code in granted]
            if any(code >= _REFUSED for code in codes):
                raise _NotAllowedError
            logger.info("listening to %s/# at the MQTT broker at %s", prefix, self.address)
            self._tell(None)
            self._client = client
            try:
                await lost(client)
            finally:
                self._client = None
        raise AssertionError("a connection ends by an error")

    def _receive(self, topic: str, payload: bytes, retained: bool) -> None:
        node = answering_node(self._config.topic_prefix, topic)
        if node is not None and not retained:
            self._on_answer(node, payload)
        found = split_topic(self._config.topic_prefix, topic)
        if found is None:
            return
        if self._quiet_until is not None:
            self._quiet_until = None
            self._tell(None)
        message = self._inbox.put(
            Incoming(*found, payload=payload, live=not retained), time.monotonic()
        )
        if message is not None:
            self._roster.receive(message)

    async def _look(self) -> NoReturn:
        ticks = 0
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            for message in self._inbox.due(time.monotonic()):
                self._roster.receive(message)
            ticks += 1
            if ticks % _TICKS_PER_LOOK == 0:
                self._tell_floods()
                self._tell_quiet()
                self._roster.tick()

    def _tell_quiet(self) -> None:
        if self._quiet_until is None or time.monotonic() < self._quiet_until:
            return
        self._quiet_until = None
        user = self._config.username or "anonymous clients"
        self._tell(
            f"the MQTT broker at {self.address} tells nothing of {self._config.topic_prefix}/#: "
            "no rtgenre publishes there, or under another [mqtt] topic_prefix, or the broker's "
            f"access list does not let {user} read it"
        )
        # What comes in the end takes that back.
        self._quiet_until = float("inf")

    def _tell_floods(self) -> None:
        now = time.monotonic()
        for node, skipped in self._inbox.skipped.items():
            self._metrics.hub_skipped_messages.labels(node).inc(skipped)
            if now - self._flood_told_at.get(node, float("-inf")) > TELL_EVERY_SECONDS:
                self._flood_told_at[node] = now
                logger.warning(
                    "%s sends too much: of %d messages in a second the newest are shown",
                    node,
                    skipped,
                )
        self._inbox.skipped.clear()

    def _tell(self, problem: str | None) -> None:
        if problem is not None and problem != self._roster.problem:
            logger.warning("%s", problem)
        self._roster.set_problem(problem)

    def _explain(self, error: aiomqtt.MqttError) -> str:
        place = f"the MQTT broker at {self.address}"
        if isinstance(error, _NotAllowedError):
            user = self._config.username or "anonymous clients"
            return (
                f"{place} does not let {user} subscribe; its access list must allow reading "
                f"{self._config.topic_prefix}/#"
            )
        if isinstance(error, PacketTooLarge):
            return f"{place} sent a message that no rtgenre sends: {error}"
        return self._broker.explain(error)
