from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import socket
import sys
import time
from typing import TYPE_CHECKING

import aiomqtt
import psutil
import pytest

from rtgenre.messages.hub import Hub
from rtgenre.monitoring.metrics import Metrics
from rtgenre.outputs.errors import OutputError
from rtgenre.outputs.mqtt import publisher
from rtgenre.outputs.mqtt.broker import Broker as MqttBroker
from rtgenre.outputs.mqtt.broker import publish_once
from rtgenre.outputs.mqtt.publisher import MqttOutput
from rtgenre.outputs.mqtt.topics import Message
from tests.broker import (
    Broker,
    a_slow_proxy,
    free_port,
    retained_messages,
    settings_for,
    subscribed,
)
from tests.certificates import a_certificate
from tests.documents import COLORS, a_state, a_status, an_about

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from rtgenre.config import MqttConfig
    from rtgenre.messages.documents import AboutDocument, Document


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    async with Broker(tmp_path) as broker:
        yield broker


@contextlib.asynccontextmanager
async def publishing(config: MqttConfig, hub: Hub, *nodes: str, **options: object):
    """Run an output for the length of a block, and stop it as the service does."""
    metrics = Metrics()
    output = MqttOutput(
        config, hub, nodes=nodes or ("den",), colors=COLORS, metrics=metrics, **options
    )
    task = asyncio.create_task(output.run())
    try:
        yield metrics
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()


async def test_every_topic_is_retained_with_what_is_playing(broker: Broker):
    hub = Hub()
    document = a_state(1)
    hub.publish(document)
    async with publishing(settings_for(broker.port), hub), subscribed(broker.port) as subscriber:
        await subscriber.until(lambda it: "rtgenre/den/color" in it.latest)
        retained = await retained_messages(broker.port)
    assert json.loads(retained.pop("rtgenre/den/state")) == document
    assert retained == {
        "rtgenre/den/availability": "online",
        "rtgenre/den/problem": "none",
        "rtgenre/den/hint": "none",
        "rtgenre/den/genre": "jazz",
        "rtgenre/den/reason": "none",
        "rtgenre/den/confidence": "0.70",
        "rtgenre/den/level": "-20.0",
        "rtgenre/den/color": "#00ff00",
    }


async def test_whoever_subscribes_learns_what_a_node_is_before_that_it_is_online(broker: Broker):
    hub = Hub()
    addresses = []

    def about(node: str, local_address: str) -> AboutDocument:
        addresses.append(local_address)
        return an_about(node)

    async with subscribed(broker.port) as subscriber:
        async with publishing(settings_for(broker.port), hub, about=about):
            await subscriber.until(lambda it: "rtgenre/den/availability" in it.latest)
        retained = await retained_messages(broker.port)
    topics = [topic for topic, _ in subscriber.seen]
    assert topics.index("rtgenre/den/about") < topics.index("rtgenre/den/availability")
    assert json.loads(retained["rtgenre/den/about"]) == an_about("den")
    assert addresses == ["127.0.0.1"]


async def test_a_status_is_kept_whole_by_the_broker_until_the_node_connects_anew(broker: Broker):
    hub = Hub()
    status = a_status("the device is gone", hint="is it plugged in?")
    hub.publish(status)
    async with publishing(settings_for(broker.port), hub), subscribed(broker.port) as subscriber:
        await subscriber.until(lambda it: "the device is gone" in str(it.seen))
    assert json.loads((await retained_messages(broker.port))["rtgenre/den/status"]) == status
    async with publishing(settings_for(broker.port), Hub()), subscribed(broker.port) as subscriber:
        await subscriber.until(lambda it: ("rtgenre/den/availability", "online") in it.seen)
    assert "rtgenre/den/status" not in await retained_messages(broker.port)


async def test_a_clean_stop_leaves_offline_retained_and_no_last_will(broker: Broker):
    async with (
        subscribed(broker.port, "rtgenre/den/availability") as subscriber,
        publishing(settings_for(broker.port), Hub()),
    ):
        await subscriber.until(lambda it: ("rtgenre/den/availability", "online") in it.seen)
    assert (await retained_messages(broker.port))["rtgenre/den/availability"] == "offline"
    assert "Will message specified" in broker.log()
    assert [payload for _, payload in subscriber.seen].count("offline") <= 1


async def test_a_process_that_dies_is_reported_offline_by_its_last_will(broker: Broker):
    async with subscribed(broker.port, "rtgenre/#") as subscriber:
        script = (
            "import asyncio\n"
            "from tests.documents import COLORS\n"
            "from tests.broker import settings_for\n"
            "from rtgenre.messages.hub import Hub\n"
            "from rtgenre.monitoring.metrics import Metrics\n"
            "from rtgenre.outputs.mqtt.publisher import MqttOutput\n"
            f"output = lambda: MqttOutput(settings_for({broker.port}), Hub(), nodes=['a', 'b'],"
            " colors=COLORS, metrics=Metrics())\n"
            "async def main(): await output().run()\n"
            "asyncio.run(main())\n"
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, env={**os.environ, "PYTHONPATH": "."}
        )
        topics = ["rtgenre/a/availability", "rtgenre/b/availability"]
        await subscriber.until(lambda it: all((t, "online") in it.seen for t in topics))
        process.kill()
        await process.wait()
        await subscriber.until(lambda it: all((t, "offline") in it.seen for t in topics))


async def test_the_current_state_is_published_again_when_the_broker_returns(broker: Broker):
    hub = Hub()
    hub.publish(a_state(1))
    async with publishing(settings_for(broker.port), hub) as metrics:
        async with subscribed(broker.port) as subscriber:
            await subscriber.until(lambda it: it.latest.get("rtgenre/den/genre") == "jazz")
        await broker.stop()
        hub.publish(a_state(2, genre="rock"))
        await broker.start()
        async with subscribed(broker.port) as subscriber:
            await subscriber.until(lambda it: it.latest.get("rtgenre/den/genre") == "rock")
            await subscriber.until(lambda it: it.latest.get("rtgenre/den/availability") == "online")
    assert 'rtgenre_mqtt_reconnects_total{node="den"}' in metrics.text().decode()


def an_event_at(text: str, caplog: pytest.LogCaptureFixture) -> asyncio.Event:
    """Return what is set when the log says ``text``."""
    told = asyncio.Event()
    caplog.handler.addFilter(lambda record: (text in record.getMessage() and told.set()) or True)
    return told


async def test_two_of_one_name_are_asked_whether_there_is_another(
    broker: Broker, caplog: pytest.LogCaptureFixture
):
    asked = an_event_at("is there another rtgenre of the same node?", caplog)
    config = settings_for(broker.port)
    async with publishing(config, Hub()), publishing(config, Hub()):
        await asked.wait()


async def test_a_broker_that_is_lost_after_a_while_raises_no_question_about_another(
    broker: Broker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(publisher, "DRIVEN_OUT_SECONDS", 0.0)
    lost = an_event_at("was lost", caplog)
    async with publishing(settings_for(broker.port), Hub()):
        async with subscribed(broker.port) as subscriber:
            await subscriber.until(lambda it: it.latest.get("rtgenre/den/availability") == "online")
        await broker.stop()
        await lost.wait()
        await broker.start()
    assert "same node" not in caplog.text


async def test_a_broker_that_is_down_at_start_is_found_once_it_is_up(tmp_path: Path):
    broker = Broker(tmp_path)
    hub = Hub()
    hub.publish(a_state(1))
    async with publishing(settings_for(broker.port), hub):
        await broker.start()
        try:
            async with subscribed(broker.port) as subscriber:
                await subscriber.until(lambda it: it.latest.get("rtgenre/den/genre") == "jazz")
        finally:
            await broker.stop()


async def test_a_frozen_broker_is_left_within_the_timeout_and_taken_again(
    broker: Broker, caplog: pytest.LogCaptureFixture
):
    hub = Hub()
    hub.publish(a_state(1))
    told = asyncio.Event()
    caplog.handler.addFilter(lambda record: told.set() or True)
    async with publishing(settings_for(broker.port, timeout_seconds=0.5), hub):
        async with subscribed(broker.port) as subscriber:
            await subscriber.until(lambda it: it.latest.get("rtgenre/den/genre") == "jazz")
        told.clear()
        broker.freeze()
        hub.publish(a_state(2, genre="rock"))
        await told.wait()
        assert "did not answer within 0.5 s" in caplog.text
        broker.thaw()
        async with subscribed(broker.port) as subscriber:
            await subscriber.until(lambda it: it.latest.get("rtgenre/den/genre") == "rock")
            await subscriber.until(lambda it: it.latest.get("rtgenre/den/availability") == "online")


async def test_a_broker_that_never_answers_costs_no_file_for_each_attempt():
    accepted = 0
    enough = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        if accepted == 4:
            enough.set()
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    config = settings_for(port, timeout_seconds=0.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rtgenre.sources.backoff.Backoff.next_seconds", lambda _: 0.01)
        before = open_files()
        async with publishing(config, Hub()):
            await enough.wait()
            # The listener, the open attempt's two ends, and one that is just being closed.
            assert open_files() - before <= 4
    server.close()


async def test_a_connection_that_is_cut_before_its_first_answer_leaves_no_noise_on_stderr():
    cut = 0
    enough = asyncio.Event()

    async def admit_and_cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal cut
        await reader.read(65536)
        writer.write(b"\x20\x02\x00\x00")  # CONNACK: accepted (MQTT 3.1.1, 3.2)
        await reader.read(65536)
        writer.close()
        cut += 1
        if cut == 4:
            enough.set()

    complaints: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))
    server = await asyncio.start_server(admit_and_cut, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    hub = Hub()
    hub.publish(a_state(1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rtgenre.sources.backoff.Backoff.next_seconds", lambda _: 0.01)
        async with publishing(settings_for(port, timeout_seconds=0.5), hub, extensions=[Greeter()]):
            await enough.wait()
    server.close()
    gc.collect()
    # Such as "Future exception was never retrieved".
    assert complaints == []


async def test_stopping_takes_a_second_even_while_the_broker_is_frozen(broker: Broker):
    hub = Hub()
    hub.publish(a_state(1))
    async with subscribed(broker.port) as subscriber, publishing(settings_for(broker.port), hub):
        await subscriber.until(lambda it: it.latest.get("rtgenre/den/genre") == "jazz")
        broker.freeze()
        began_at = time.monotonic()
    # A promise about shutdown, not about speed: without its bound this would take ten seconds.
    assert time.monotonic() - began_at < 5
    broker.thaw()


async def test_a_frozen_broker_does_not_hold_up_the_hub(broker: Broker):
    hub = Hub()
    async with subscribed(broker.port) as subscriber, publishing(settings_for(broker.port), hub):
        await subscriber.until(lambda it: "rtgenre/den/problem" in it.latest)
        broker.freeze()
        for sequence in range(1000):
            hub.publish(a_state(sequence))
            await asyncio.sleep(0)
        broker.thaw()
        await subscriber.until(
            lambda it: '"sequence": 999' in it.latest.get("rtgenre/den/state", "")
        )
    states = [payload for topic, payload in subscriber.seen if topic.endswith("/state")]
    assert len(states) < 1000


async def test_a_wrong_password_is_said_once_and_never_printed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    passwords = tmp_path / "passwords"
    await run("mosquitto_passwd", "-b", "-c", str(passwords), "me", "right")
    passwords.chmod(0o644)
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    async with Broker(tmp_path, "allow_anonymous false", f"password_file {passwords}") as broker:
        config = settings_for(broker.port, username="me", password_file=secret)
        with pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.DEBUG):
            patch.setattr("rtgenre.sources.backoff.Backoff.next_seconds", lambda _: 0.05)
            async with publishing(config, Hub()):
                await broker.has_logged("not authorised", times=3)
        logger = "rtgenre.outputs.mqtt.publisher"
        warnings = [record for record in caplog.records if record.name == logger]
        assert len(warnings) == 1
        assert "check [mqtt] username and password" in warnings[0].getMessage()
        assert "wrong" not in caplog.text

        secret.write_text("right\n")
        hub = Hub()
        hub.publish(a_state(1))
        async with (
            publishing(config, hub),
            subscribed(broker.port, username="me", password="right") as subscriber,
        ):
            await subscriber.until(lambda it: it.latest.get("rtgenre/den/genre") == "jazz")


async def test_tls_with_a_client_certificate_is_spoken_and_checked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    cert_file, key_file = await a_certificate(tmp_path)
    key_file.chmod(0o644)
    broker = Broker(
        tmp_path,
        f"cafile {cert_file}",
        f"certfile {cert_file}",
        f"keyfile {key_file}",
        "require_certificate true",
        "use_identity_as_username true",
    )
    tls = {"tls": True, "ca_file": cert_file, "cert_file": cert_file, "key_file": key_file}
    async with broker:
        await publish_once(settings_for(broker.port, **tls), [Message("a", "b")])
        with pytest.raises(OutputError, match=r"self.signed certificate\).*ca_file"):
            await publish_once(settings_for(broker.port, tls=True), [Message("a", "b")])
        # At once, not after the timeout of this test.
        with pytest.raises(OutputError, match="closed the connection before the login"):
            await publish_once(settings_for(broker.port, timeout_seconds=60.0), [])
    with pytest.raises(OutputError, match="cannot be used"):
        await publish_once(settings_for(1, tls=True, ca_file=tmp_path / "missing"), [])


async def test_a_slow_broker_gets_the_newest_state_only(broker: Broker):
    hub = Hub()
    async with (
        a_slow_proxy(broker.port, delay_seconds=0.3) as port,
        publishing(settings_for(port), hub) as metrics,
        subscribed(broker.port) as subscriber,
    ):
        hub.publish(a_state(0))
        await subscriber.until(lambda it: "rtgenre/den/state" in it.latest)
        for sequence in range(1, 200):
            hub.publish(a_state(sequence))
            await asyncio.sleep(0.005)
        await subscriber.until(
            lambda it: '"sequence": 199' in it.latest.get("rtgenre/den/state", "")
        )
    states = [payload for topic, payload in subscriber.seen if topic.endswith("/state")]
    assert len(states) < 100
    skipped = next(
        line
        for line in metrics.text().decode().splitlines()
        if line.startswith("rtgenre_mqtt_skipped_messages_total")
    )
    assert float(skipped.split()[-1]) > 0


async def test_a_lost_source_is_a_problem_but_not_offline(broker: Broker):
    hub = Hub()
    hub.publish(a_status("the device is gone"))
    async with publishing(settings_for(broker.port), hub), subscribed(broker.port) as subscriber:
        await subscriber.until(
            lambda it: it.latest.get("rtgenre/den/problem") == "the device is gone"
        )
        assert subscriber.latest["rtgenre/den/availability"] == "online"
        hub.publish(a_status(None))
        await subscriber.until(lambda it: it.latest["rtgenre/den/problem"] == "none")


async def test_a_problem_does_not_seem_to_end_where_the_broker_returns(broker: Broker):
    hub = Hub()
    hub.publish(a_status("the device is gone"))
    async with (
        subscribed(broker.port, "rtgenre/den/problem") as subscriber,
        publishing(settings_for(broker.port), hub),
    ):
        await subscriber.until(lambda it: it.seen)
    assert {problem for _, problem in subscriber.seen} == {"the device is gone"}


async def test_a_hint_is_told_and_taken_back(broker: Broker):
    hub = Hub()
    hub.publish(a_status(None, hint="is it muted?"))
    async with publishing(settings_for(broker.port), hub), subscribed(broker.port) as subscriber:
        await subscriber.until(lambda it: it.latest.get("rtgenre/den/hint") == "is it muted?")
        assert subscriber.latest["rtgenre/den/problem"] == "none"
        hub.publish(a_status(None))
        await subscriber.until(lambda it: it.latest["rtgenre/den/hint"] == "none")


async def test_nodes_do_not_mix(broker: Broker):
    hub = Hub()
    hub.publish(a_state(1, node="den", genre="jazz"))
    hub.publish(a_state(1, node="hall", genre="rock"))
    config = settings_for(broker.port, topic_prefix="home/music")
    async with publishing(config, hub, "den", "hall"), subscribed(broker.port) as subscriber:
        await subscriber.until(
            lambda it: {"home/music/den/color", "home/music/hall/color"} <= it.latest.keys()
        )
    assert subscriber.latest["home/music/den/genre"] == "jazz"
    assert subscriber.latest["home/music/hall/genre"] == "rock"


class Greeter:
    """An extension that answers every greeting."""

    topics: Sequence[str] = ("greetings/+",)

    def on_connect(self, node: str) -> Sequence[Message]:
        return [Message(f"ext/{node}/connect", "here")]

    def on_document(self, document: Document) -> Sequence[Message]:
        return [Message(f"ext/{document['node']}/{document['type']}", "seen")]

    def on_message(self, node: str, topic: str, payload: bytes) -> Sequence[Message]:
        return [Message(f"ext/{node}/answer", f"{topic} {payload!r}", within_seconds=0.01)]


async def test_an_extension_publishes_on_connect_on_documents_and_on_messages(broker: Broker):
    hub = Hub()
    hub.publish(a_state(1))
    async with (
        publishing(settings_for(broker.port), hub, extensions=[Greeter()]),
        subscribed(broker.port, "ext/#") as subscriber,
    ):
        await subscriber.until(lambda it: "ext/den/state" in it.latest)
        await publish_once(
            settings_for(broker.port), [Message("greetings/x", "\N{SNOWMAN}", retain=True)]
        )
        await subscriber.until(lambda it: "ext/den/answer" in it.latest)
    assert subscriber.latest["ext/den/connect"] == "here"
    assert subscriber.latest["ext/den/answer"] == "greetings/x b'\\xe2\\x98\\x83'"


async def test_a_giant_retained_message_is_named_and_does_not_end_the_publishing(
    broker: Broker, caplog: pytest.LogCaptureFixture
):
    async with aiomqtt.Client("127.0.0.1", broker.port) as vandal:
        await vandal.publish("greetings/x", bytes(1_500_000), qos=1, retain=True)
    hub = Hub()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rtgenre.sources.backoff.Backoff.next_seconds", lambda _: 0.05)
        async with publishing(settings_for(broker.port), hub, extensions=[Greeter()]):
            await broker.has_logged("Will message specified", times=2)
            async with subscribed(broker.port) as subscriber:
                hub.publish(a_state(1))
                await subscriber.until(lambda it: it.latest.get("rtgenre/den/genre") == "jazz")
                hub.publish(a_state(2, genre="rock"))
                await subscriber.until(lambda it: it.latest["rtgenre/den/genre"] == "rock")
    assert "ext/den/answer" not in subscriber.latest
    assert broker.log().count("Will message specified") == 2
    assert "announced a message of 1,500,015 bytes; at most 65,536 are taken" in caplog.text
    assert "nothing is subscribed to from now on" in caplog.text


async def test_a_broker_that_announces_a_giant_packet_is_left_before_it_is_read(
    caplog: pytest.LogCaptureFixture,
):
    sent_bytes = 0
    left = asyncio.Event()

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent_bytes
        await reader.read(65536)
        writer.write(b"\x20\x02\x00\x00")  # CONNACK
        await reader.read(65536)
        # PUBLISH with a remaining length of 256 MiB - 1 (MQTT 3.1.1, 2.2.3).
        writer.write(b"\x30\xff\xff\xff\x7f" + b"\x00\x01a")
        with contextlib.suppress(OSError):
            while sent_bytes < 64 * 2**20:
                writer.write(bytes(2**16))
                await writer.drain()
                sent_bytes += 2**16
        writer.close()
        left.set()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    told = asyncio.Event()
    caplog.handler.addFilter(lambda record: told.set() or True)
    config = settings_for(port, timeout_seconds=60.0)
    async with publishing(config, Hub(), extensions=[Greeter()]):
        await left.wait()
        # At once, not when answers to what was said meanwhile are overdue.
        async with asyncio.timeout(30):
            await told.wait()
    server.close()
    assert "announced a message of 268,435,455 bytes" in caplog.text
    # What the sockets' own buffers hold.
    assert sent_bytes < 16 * 2**20


async def test_publishing_once_says_why_it_cannot():
    with pytest.raises(OutputError, match="cannot be reached"):
        await publish_once(settings_for(free_port()), [Message("a", "b")])


async def run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0


def open_files() -> int:
    return psutil.Process().num_fds()


async def test_a_message_on_a_topic_that_is_no_text_ends_nothing():
    n_connections = 0
    came_again = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal n_connections
        n_connections += 1
        if n_connections > 1:
            came_again.set()
        await reader.read(65536)
        # CONNACK, then a PUBLISH whose topic is not UTF-8.
        writer.write(b"\x20\x02\x00\x00" + b"\x30\x06\x00\x02\xff\xfexx")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    config = settings_for(server.sockets[0].getsockname()[1], timeout_seconds=2.0)
    async with publishing(config, Hub()):
        async with asyncio.timeout(30):
            await came_again.wait()
    server.close()


async def test_a_stop_is_heeded_though_the_connection_fails_at_the_same_moment(monkeypatch):
    connecting = asyncio.Event()

    async def fail_when_cancelled(*_: object, **__: object) -> None:
        connecting.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            # As asyncio.wait_for of Python 3.11 does.
            raise aiomqtt.MqttError("refused") from None

    monkeypatch.setattr(MqttOutput, "_connect", fail_when_cancelled)
    output = MqttOutput(settings_for(1), Hub(), nodes=["den"], colors=COLORS, metrics=Metrics())
    task = asyncio.create_task(output.run())
    await connecting.wait()
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=5)
    task.cancel()
    assert done


async def test_a_socket_that_is_closed_before_its_turn_to_write_leaves_no_traceback(broker: Broker):
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    config = settings_for(broker.port)
    async with MqttBroker(config).connect("den", will=None) as client:
        paho = client._client
        paho._registered_write = True
        with socket.socket() as closed_soon:
            paho.on_socket_register_write(paho, None, closed_soon)
        await asyncio.sleep(0.01)
    assert complaints == []
