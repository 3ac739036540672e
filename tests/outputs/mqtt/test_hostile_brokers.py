"""Brokers that mean harm, or are none: one line says why, nothing is in haste, nothing ends."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import time
from dataclasses import dataclass, field

import aiomqtt
import pytest

from rtgenre.messages.hub import Hub
from rtgenre.monitoring.metrics import Metrics
from rtgenre.outputs.mqtt.broker import Broker
from rtgenre.outputs.mqtt.publisher import MqttOutput
from rtgenre.outputs.mqtt.smarthome import home_assistant_extension, lights_extension
from tests.documents import COLORS, a_state
from tests.networks import INFO
from tests.outputs.mqtt.hostile_broker import BEHAVIOURS, HostileBroker
from tests.outputs.mqtt.test_smarthome import settings

WATCHED_SECONDS = 1.0
"""How long a broker is watched after the second attempt, or one that can be lived with."""
STOP_SECONDS = 10.0
"""One for the goodbye, and what a busy machine takes."""
GIVES_UP_SECONDS = 60.0

_CUT, _SILENT = "closed the connection before the login", "did not answer within 0.5 s"
_LOST, _GIANT = "the connection to the MQTT broker at", "announced a message of 268,435,455 bytes"
_NO_MQTT = "does not speak MQTT 3.1.1"
WORDS = {
    "closes at once": _CUT,
    "resets at once": _CUT,
    "closes after the login": _CUT,
    "never answers": _SILENT,
    "sends half an answer and closes": _CUT,
    "sends half an answer and waits": _SILENT,
    "announces more than an answer has": _SILENT,
    "announces an empty answer": _NO_MQTT,
    "announces a length without an end": _NO_MQTT,
    "announces 256 MB before the login": _GIANT,
    "acknowledges a message instead": _SILENT,
    "sends a message instead": _SILENT,
    "answers a subscription instead": _SILENT,
    "logs in itself": _NO_MQTT,
    "sends garbage": _SILENT,
    "speaks TLS": "is that port one for TLS",
    "speaks HTTP": _CUT,
    "speaks SSH": _SILENT,
    "refuses with 1": _NO_MQTT,
    "refuses with 2": "refused the client id",
    "refuses with 3": "is not ready to serve clients",
    "refuses with 4": "refused the username or password",
    "refuses with 5": "refused the login",
    "refuses with 6": "refused the connection",
    "refuses with 255": "refused the connection",
    "drips its answer": _SILENT,
    "sends a message on a topic of wildcards": _LOST,
    "sends a message without a topic": _LOST,
    "sends a message whose topic is longer than itself": _LOST,
    "sends a message of quality 3": _LOST,
    "sends an empty packet of every kind": _LOST,
    "sends 256 MB": _GIANT,
    "says goodbye as in MQTT 5": _LOST,
    "answers as in MQTT 5": _NO_MQTT,
    "acknowledges nothing": _SILENT,
    "reads nothing": _SILENT,
    "closes soon after every login": _LOST,
}
"""What the log says of a broker; nothing of those that can be lived with."""


@dataclass
class Outcome:
    """What became of an output with such a broker."""

    lives: bool = False
    connected: bool = False
    connections: int = 0
    seconds: float = 0.0
    stop_seconds: float = 0.0
    warnings: list[str] = field(default_factory=list)


class Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


async def play(hub: Hub) -> None:
    """Publish a window's document every now and then."""
    sequence = 0
    while True:
        hub.publish(a_state(sequence, genre=("jazz", "rock")[sequence % 2]))
        sequence += 1
        await asyncio.sleep(0.05)


async def meet(name: str) -> tuple[Outcome, int]:
    """Publish to a broker that behaves so; return how that went, and the broker's port."""
    outcome, hub, metrics = Outcome(), Hub(), Metrics()
    is_trouble = name in WORDS
    async with HostileBroker(BEHAVIOURS[name]) as broker, asyncio.timeout(GIVES_UP_SECONDS):
        # Where no answer is what is wrong, it is not waited for long.
        mqtt = {"timeout_seconds": 0.5 if WORDS.get(name) == _SILENT else 30.0}
        config = settings(broker.port, mqtt=mqtt, lights={"wled": ["tv"], "turn_on": True})
        home = home_assistant_extension(
            config, INFO, labels=INFO.labels, teachable=False, page_url=""
        )
        assert home is not None
        output = MqttOutput(
            config.mqtt,
            hub,
            nodes=["den"],
            colors={},
            metrics=metrics,
            extensions=[home, lights_extension(config, colors=COLORS)],
        )
        began_at = time.monotonic()
        playing, running = asyncio.create_task(play(hub)), asyncio.create_task(output.run())
        while broker.connections < (2 if is_trouble else 1):
            await asyncio.sleep(0.05)
        await asyncio.sleep(WATCHED_SECONDS)
        outcome.lives = not running.done()
        outcome.connected = metrics.for_node("den").mqtt_connected._value.get() == 1
        stops_at = time.monotonic()
        outcome.connections, outcome.seconds = broker.connections, stops_at - began_at
        for task in (playing, running):
            task.cancel()
        await asyncio.wait({playing, running})
        outcome.stop_seconds = time.monotonic() - stops_at
    return outcome, broker.port


async def meet_all() -> tuple[dict[str, Outcome], list[str]]:
    """Meet all brokers at the same time; return how that went, and what nobody may log."""
    lines = Lines()
    logging.getLogger().addHandler(lines)
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: complaints.append(str(context))
    )
    try:
        met = await asyncio.gather(*(meet(name) for name in BEHAVIOURS))
        gc.collect()
        await asyncio.sleep(0)
    finally:
        logging.getLogger().removeHandler(lines)
    for outcome, port in met:
        outcome.warnings = [
            record.getMessage()
            for record in lines.records
            if record.levelno >= logging.WARNING and f":{port} " in record.getMessage()
        ]
    complaints += [
        record.getMessage()
        for record in lines.records
        if record.exc_info or record.levelno >= logging.ERROR
    ]
    return dict(zip(BEHAVIOURS, [outcome for outcome, _ in met], strict=True)), complaints


def attempts_within(seconds: float) -> int:
    """Return how many attempts the shortest waits allow in this time."""
    attempts, waited, wait = 1, 0.0, 0.75
    while (waited := waited + wait) < seconds:
        attempts, wait = attempts + 1, 2 * wait
    return attempts


@pytest.fixture(scope="module")
def met():
    return asyncio.run(meet_all())


def test_nothing_is_logged_that_looks_like_a_crash(met):
    assert met[1] == []


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_of_a_hostile_broker_one_line_tells_and_nothing_is_tried_in_haste(met, name):
    outcome = met[0][name]
    assert outcome.lives
    assert outcome.connections <= attempts_within(outcome.seconds)
    assert outcome.stop_seconds < STOP_SECONDS
    if name not in WORDS:
        assert (outcome.connections, outcome.connected, outcome.warnings) == (1, True, [])
    else:
        (warning,) = outcome.warnings
        assert WORDS[name] in warning


def test_a_reset_while_the_login_is_still_sent_is_told_as_any_cut_before_it():
    def connect():
        try:
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        except OSError as error:
            raise aiomqtt.MqttError(str(error)) from None

    with pytest.raises(aiomqtt.MqttError) as raised:
        connect()
    assert _CUT in Broker(settings(1883).mqtt).explain(raised.value)
