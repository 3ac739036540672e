"""Connects to the broker step by step, for ``rtgenre doctor``."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtgenre.outputs.errors import OutputError
from rtgenre.outputs.mqtt.broker import anything_comes, comes_back, publish_once

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from rtgenre.config import MqttConfig

ECHO_SECONDS = 3.0
"""How long a message is waited for that the broker has taken."""


@dataclass(frozen=True, slots=True)
class BrokerStep:
    """What one step came to."""

    name: str
    ok: bool
    message: str
    """What was found; where it failed, what to do."""


async def check_broker(
    config: MqttConfig, *, as_hub: bool = False, teaches: bool = True
) -> list[BrokerStep]:
    """Try name, TCP, login and a message there and back, and stop at the first that fails.

    Args:
        config: where the broker is, and who logs in.
        as_hub: try what a hub does there, which writes lessons and nothing else.
        teaches: whether that hub passes lessons on; one that does not only reads.
    """
    return [step async for step in _steps(config, as_hub=as_hub, teaches=teaches)]


async def _steps(config: MqttConfig, *, as_hub: bool, teaches: bool) -> AsyncIterator[BrokerStep]:
    name = await _look_up(config)
    yield name
    if not name.ok:
        return
    tcp = await _connect(config)
    yield tcp
    if not tcp.ok:
        return
    try:
        await publish_once(config, [])
    except OutputError as error:
        yield BrokerStep("login", ok=False, message=str(error))
        return
    yield BrokerStep("login", ok=True, message=f"as {config.username or 'anonymous'}")
    yield await (_read(config) if as_hub and not teaches else _publish(config, as_hub=as_hub))


async def _publish(config: MqttConfig, *, as_hub: bool) -> BrokerStep:
    everything = f"{config.topic_prefix}/#"
    topic, rights = f"{config.topic_prefix}/doctor", f"read and write {everything}"
    if as_hub:
        # No node's name begins so: nobody is taught anything.
        topic = f"{config.topic_prefix}/_doctor/teach/set"
        rights = f"read {everything} and write {config.topic_prefix}/+/teach/set"
    comes = comes_back(config, topic, within_seconds=ECHO_SECONDS)
    missing = f"what is sent to {topic} comes to nobody who listens there"
    return await _exchange(
        config, comes, name="publish", good=f"to {topic}", missing=missing, rights=rights
    )


async def _read(config: MqttConfig) -> BrokerStep:
    everything = f"{config.topic_prefix}/#"
    comes = anything_comes(config, everything, within_seconds=ECHO_SECONDS)
    missing = f"nothing comes of {everything} (does an rtgenre of a room publish to this broker?)"
    good, rights = f"of {everything}", f"read {everything}"
    return await _exchange(config, comes, name="read", good=good, missing=missing, rights=rights)


async def _exchange(
    config: MqttConfig, comes: Awaitable[bool], *, name: str, good: str, missing: str, rights: str
) -> BrokerStep:
    """Wait for a message, and say what was found, and which rights that needs if none came."""
    try:
        if await comes:
            return BrokerStep(name, ok=True, message=good)
        found = missing
    except OutputError as error:
        found = str(error)
    allowed = f"the broker's access list must let {config.username or 'anonymous clients'} {rights}"
    return BrokerStep(name, ok=False, message=f"{found}; {allowed}")


async def _look_up(config: MqttConfig) -> BrokerStep:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(config.timeout_seconds):
            found = await loop.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message = f"{config.host!r}: {reason or 'no answer'}; check [mqtt] host, or use an address"
        return BrokerStep("name", ok=False, message=message)
    addresses = sorted({str(address[4][0]) for address in found})
    return BrokerStep("name", ok=True, message=f"{config.host} is {', '.join(addresses)}")


async def _connect(config: MqttConfig) -> BrokerStep:
    try:
        async with asyncio.timeout(config.timeout_seconds):
            _, writer = await asyncio.open_connection(config.host, config.port)
    except OSError as error:
        message = (
            f"port {config.port} on {config.host}: {error.strerror or 'no answer'}; check that the "
            "broker runs there, [mqtt] port (1883, or 8883 with TLS) and firewalls"
        )
        return BrokerStep("TCP", ok=False, message=message)
    writer.close()
    return BrokerStep("TCP", ok=True, message=f"port {config.port} is open")
