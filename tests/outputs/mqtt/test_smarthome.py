"""The running service with a real broker and a real service manager's socket."""

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import socket

import aiomqtt
import numpy as np
import pytest

from rtgenre.commands.discovery import remove_discovery
from rtgenre.commands.process import until_stopped
from rtgenre.config import Config, load_config
from rtgenre.model.classifier import Classifier
from rtgenre.monitoring.logs import set_up_logging
from rtgenre.outputs.errors import OutputError
from rtgenre.outputs.lights.scenes import rgb
from rtgenre.outputs.mqtt import publisher
from rtgenre.outputs.mqtt.smarthome import home_assistant_extension
from rtgenre.service.service import Service
from tests.broker import Broker, free_port, retained_messages, subscribed
from tests.networks import INFO, ToneNetwork, tone_classifier
from tests.signals import tone
from tests.sources_in_memory import HandSource

DISCOVERY = "homeassistant/device/rtgenre_den/config"


@pytest.fixture
async def broker(tmp_path):
    async with Broker(tmp_path) as broker:
        yield broker


def settings(port=None, **tables):
    tables = {
        "source": {"node": "den"},
        "websocket": {"enabled": False},
        "history": {"enabled": False},
        "homeassistant": {"announce_within_seconds": 0},
    } | tables
    if port is not None:
        tables["mqtt"] = {"host": "127.0.0.1", "port": port} | tables.get("mqtt", {})
    return Config(**tables)


@contextlib.asynccontextmanager
async def running(config, classifier=None):
    """Run a service that hears what the test plays, and stop it as a signal would."""
    sources = [HandSource() for _ in config.source]
    service = Service(
        config, classifier or tone_classifier(), list(zip(config.source, sources, strict=True))
    )
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    try:
        yield service, sources[0]
    finally:
        stop.set()
        await task


async def test_home_assistant_finds_the_node_when_it_connects_and_after_its_own_restart(broker):
    async with subscribed(broker.port, DISCOVERY) as home_assistant:
        async with running(settings(broker.port)):
            await home_assistant.until(lambda it: len(it.seen) == 1)
            await publish(broker, "homeassistant/status", "online")
            await home_assistant.until(lambda it: len(it.seen) == 2)
        first, again = (json.loads(payload) for _, payload in home_assistant.seen)
    assert first == again
    assert first["cmps"]["genre"]["options"] == ["jazz", "rock", "unknown", "silence"]
    assert first["availability_topic"] == "rtgenre/den/availability"
    assert DISCOVERY not in await retained_messages(broker.port)


async def test_a_room_has_a_name_for_people_and_an_ascii_one_in_topics(broker):
    config = settings(broker.port, source={"node": "den", "name": "Wohnzimmer Süd"})
    async with (
        subscribed(broker.port, DISCOVERY) as home_assistant,
        running(config) as (service, _),
    ):
        await home_assistant.until(lambda it: it.seen)
        (source,) = service.hello()["sources"]
    assert (source["node"], source["name"]) == ("den", "Wohnzimmer Süd")
    device = json.loads(home_assistant.seen[0][1])
    assert device["dev"]["name"] == "rtgenre Wohnzimmer Süd"
    assert device["state_topic"] == "rtgenre/den/state"


async def test_home_assistant_is_told_of_a_problem_and_of_how_often_values_come(broker):
    config = settings(broker.port, mqtt={"publish": "window"})
    async with subscribed(broker.port, DISCOVERY) as home_assistant, running(config):
        await home_assistant.until(lambda it: it.seen)
    entities = json.loads(home_assistant.seen[0][1])["cmps"]
    assert entities["problem"]["state_topic"] == "rtgenre/den/problem"
    assert "this." not in entities["level"]["value_template"]


async def test_a_node_tells_what_it_is_and_where_its_page_is_seen_from_the_broker(broker):
    websocket = {"port": 0, "host": "0.0.0.0", "token": "0123456789abcdef"}
    config = settings(broker.port, websocket=websocket)
    async with (
        subscribed(broker.port, "rtgenre/den/+") as subscriber,
        running(config) as (service, source),
    ):
        source.play(tone(200, 4.0))
        await subscriber.until(lambda it: "rtgenre/den/state" in it.latest)
        hello = service.hello()
        page = f"http://127.0.0.1:{service._web_socket.port}/"
    about = json.loads(subscriber.latest["rtgenre/den/about"])
    assert about["hello"] == hello
    assert (about["host"], about["address"]) == (socket.gethostname(), page)
    state = json.loads(subscriber.latest["rtgenre/den/state"])
    assert state["instance"] == hello["instance"] == about["instance"]
    assert len(about["instance"]) == 8


async def test_the_device_page_links_to_the_address_that_other_machines_reach(broker, monkeypatch):
    monkeypatch.setattr(publisher, "local_address", lambda _: "192.0.2.7")
    websocket = {"port": 0, "host": "0.0.0.0", "token": "0123456789abcdef"}
    config = settings(broker.port, websocket=websocket)
    async with (
        subscribed(broker.port, DISCOVERY) as home_assistant,
        running(config) as (service, _),
    ):
        await home_assistant.until(lambda it: it.seen)
        port = service._web_socket.port
    device = json.loads(home_assistant.seen[0][1])["dev"]
    assert device["cu"] == f"http://192.0.2.7:{port}/"


async def publish(broker, topic, payload):
    import aiomqtt

    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.publish(topic, payload, qos=1)


async def test_discovery_is_kept_by_the_broker_where_configured_until_it_is_removed(broker, capsys):
    config = settings(broker.port, homeassistant={"retain": True})
    async with subscribed(broker.port, DISCOVERY) as home_assistant:
        async with running(config):
            await home_assistant.until(lambda it: it.seen)
        assert DISCOVERY in await retained_messages(broker.port)
        assert await remove_discovery(config, []) == 0
        await home_assistant.until(lambda it: it.seen[-1] == (DISCOVERY, ""))
    assert DISCOVERY not in await retained_messages(broker.port)
    assert "removed the device rtgenre_den" in capsys.readouterr().out


async def test_devices_of_nodes_that_are_gone_can_be_removed_by_name(broker):
    topic = "homeassistant/device/rtgenre_attic/config"
    async with subscribed(broker.port, topic) as home_assistant:
        await remove_discovery(settings(broker.port), ["attic"])
        await home_assistant.until(lambda it: it.seen == [(topic, "")])


async def test_removal_says_when_there_is_no_broker():
    with pytest.raises(OutputError, match=r"127\.0\.0\.1"):
        await remove_discovery(settings(free_port()), [])


async def test_nothing_is_announced_where_that_is_off(broker):
    config = settings(broker.port, homeassistant={"enabled": False})
    async with subscribed(broker.port) as everything, running(config) as (_, source):
        source.play(tone(200, 4))
        await everything.until(lambda it: "rtgenre/den/color" in it.latest)
        assert not [topic for topic, _ in everything.seen if topic.startswith("homeassistant")]


async def test_lamps_follow_the_music(broker):
    config = settings(
        broker.port,
        lights={"wled": ["tv"], "zigbee2mqtt": ["Sofa"], "hold_seconds": 0},
        smoothing={"time_constant_seconds": 0, "switch_hold_seconds": 0},
    )
    async with subscribed(broker.port) as everything, running(config) as (_, source):
        source.play(tone(200, 4))
        await everything.until(lambda it: "zigbee2mqtt/Sofa/set" in it.latest)
        jazz = dict(everything.seen)
        source.play(tone(8000, 6))
        await everything.until(lambda it: it.latest["wled/tv/api"] != jazz["wled/tv/api"])
        rock = everything.latest
    assert jazz["rtgenre/den/color"] == config.colors["jazz"]
    assert json.loads(jazz["zigbee2mqtt/Sofa/set"])["color"] == {"hex": config.colors["jazz"]}
    assert json.loads(rock["wled/tv/api"])["seg"]["col"] == [list(rgb(config.colors["rock"]))]
    retained = await retained_messages(broker.port)
    assert not {"wled/tv/api", "zigbee2mqtt/Sofa/set"} & retained.keys()


async def test_lamps_do_not_show_the_old_colour_first_when_the_broker_returns(broker):
    config = settings(broker.port, lights={"wled": ["tv"], "hold_seconds": 3600})
    async with running(config) as (service, source):
        async with subscribed(broker.port) as everything:
            source.play(tone(200, 4))
            await everything.until(lambda it: "wled/tv/api" in it.latest)
        await broker.stop()
        with service.hub.subscribe() as subscription:
            source.play(tone(8000, 8))
            while (await next_state(subscription))["genre"] != "rock":
                pass
        await broker.start()
        async with subscribed(broker.port, "wled/tv/api") as lamp:
            await lamp.until(lambda it: it.seen)
    assert json.loads(lamp.seen[0][1])["seg"]["col"] == [list(rgb(config.colors["rock"]))]


async def test_the_end_of_the_last_input_reaches_topics_and_lamps_before_the_node_goes(broker):
    config = settings(broker.port, lights={"wled": ["tv"], "hold_seconds": 3600})
    async with subscribed(broker.port) as everything, running(config) as (_, source):
        source.play(tone(200, 4))
        await everything.until(lambda it: "wled/tv/api" in it.latest)
        source.end()
        await everything.until(lambda it: it.latest["rtgenre/den/availability"] == "offline")
    seen = everything.latest
    values = [seen[f"rtgenre/den/{name}"] for name in ("problem", "genre", "reason", "color")]
    assert values == ["the input has ended: hand", "unknown", "gone", config.lights.neutral_color]
    assert json.loads(seen["wled/tv/api"])["seg"]["col"] == [list(rgb(config.lights.neutral_color))]
    assert everything.seen[-1] == ("rtgenre/den/availability", "offline")


async def test_a_lamp_that_was_switched_off_by_hand_is_not_lit_by_silence(broker):
    lights = {"zigbee2mqtt": ["Sofa"], "turn_on": True, "hold_seconds": 0}
    silence = {"silence_after_seconds": 0}
    config = settings(broker.port, lights=lights, smoothing=silence)
    async with (
        subscribed(broker.port, "zigbee2mqtt/Sofa/set") as lamp,
        running(config) as (_, source),
    ):
        source.play(tone(200, 4))
        await lamp.until(lambda it: it.seen)
        await publish(broker, "zigbee2mqtt/Sofa", '{"state": "OFF"}')
        # What is published later is heard of later.
        await publish(broker, "homeassistant/status", "online")
        await broker.has_logged("homeassistant/device/rtgenre_den/config", times=2)
        source.play(np.zeros(22050 * 8, np.float32))
        await lamp.until(lambda it: len(it.seen) == 2)
    switched_on, calm = (json.loads(payload) for _, payload in lamp.seen)
    assert (switched_on["state"], switched_on["brightness"]) == ("ON", 254)
    assert calm == {"color": {"hex": config.lights.neutral_color}, "transition": 5.0}


async def test_a_lamp_that_is_added_while_music_plays_follows_it_and_is_not_lit_if_it_is_off(
    broker,
):
    silence = {"silence_after_seconds": 0}
    lights = {"turn_on": True, "hold_seconds": 0}
    config = settings(broker.port, lights=lights, smoothing=silence)
    more = settings(broker.port, lights=lights | {"zigbee2mqtt": ["Sofa"]}, smoothing=silence)
    async with (
        subscribed(broker.port) as seen,
        running(config) as (service, source),
        aiomqtt.Client("127.0.0.1", broker.port) as lamp,
    ):
        await lamp.publish("zigbee2mqtt/Sofa", '{"state": "OFF"}', qos=1, retain=True)
        source.play(tone(200, 4))
        await seen.until(lambda it: "rtgenre/den/color" in it.latest)
        service.reload(more)
        source.play(tone(200, 4))
        await seen.until(lambda it: "zigbee2mqtt/Sofa/set" in it.latest)
        told = json.loads(seen.latest["zigbee2mqtt/Sofa/set"])
        assert told == {"color": {"hex": Config().colors["jazz"]}, "transition": 1.5}
        source.play(np.zeros(22050 * 8, np.float32))
        await seen.until(
            lambda it: config.lights.neutral_color in it.latest["zigbee2mqtt/Sofa/set"]
        )
    told = json.loads(seen.latest["zigbee2mqtt/Sofa/set"])
    assert told == {"color": {"hex": config.lights.neutral_color}, "transition": 5.0}


async def test_home_assistant_learns_what_counts_as_music_from_then_on(broker):
    topic = "homeassistant/device/rtgenre_den/config"
    async with (
        subscribed(broker.port, topic) as announced,
        running(settings(broker.port)) as (service, source),
    ):
        await announced.until(lambda it: it.seen)
        service.reload(settings(broker.port, smoothing={"music_below": 0.9, "switch_margin": 0.5}))
        source.play(tone(200, 4))
        await announced.until(lambda it: len(it.seen) == 2)
    before, after = (json.loads(told)["cmps"]["playing"] for _, told in announced.seen)
    assert "music_probability >= 0.5" in before["value_template"]
    assert "music_probability >= 0.9" in after["value_template"]


async def test_what_comes_while_home_assistant_waits_for_its_answer_does_not_wait(broker):
    config = settings(broker.port, homeassistant={"announce_within_seconds": 300})
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.publish("homeassistant/status", "online", retain=True)
        await client.publish("rtgenre/den/playing/set", "Miles Davis - So What", retain=True)
    async with running(config) as (service, _), asyncio.timeout(20):
        while service._told_track("den") is None:
            await asyncio.sleep(0.02)


async def test_the_colour_is_published_without_any_lamp(broker):
    async with (
        subscribed(broker.port, "rtgenre/den/color") as colors,
        running(settings(broker.port)) as (_, source),
    ):
        source.play(tone(200, 4))
        await colors.until(lambda it: it.seen)
        assert colors.seen[0][1] == Config().colors["jazz"]


async def test_a_genre_without_a_colour_gets_one_everywhere(broker):
    info = dataclasses.replace(INFO, labels=("zydeco", "polka"))
    classifier = Classifier(info, ToneNetwork())
    async with (
        subscribed(broker.port, "rtgenre/den/color") as colors,
        running(settings(broker.port), classifier) as (service, source),
    ):
        source.play(tone(200, 4))
        await colors.until(lambda it: it.seen)
        page = service.hello()["colors"]
    assert colors.seen[0][1] == page["zydeco"]
    assert len({page[name] for name in ("zydeco", "polka", "unknown", "silence")}) == 4


# ---- settings that change while running ------------------------------------------------------


async def test_thresholds_lights_and_logs_change_while_running_and_the_rest_waits(capsys):
    async with running(settings()) as (service, source):
        source.play(tone(200, 4))
        with service.hub.subscribe() as subscription:
            assert (await next_state(subscription))["genre"] == "jazz"
            service.reload(settings(smoothing={"unknown_below": 1}, mqtt={"port": 7}))
            source.play(tone(200, 4))
            while (await next_state(subscription))["state"] != "unknown":
                pass
    written = capsys.readouterr().err
    assert "now in use: [smoothing] unknown_below" in written
    assert "changes that need a restart: [mqtt] port" in written


async def test_a_token_that_was_changed_in_its_file_is_said_to_need_a_restart(tmp_path, capsys):
    token = tmp_path / "token"
    token.write_text("a-token-of-some-length")
    config = settings(websocket={"port": 0, "token_file": token})
    async with running(config) as (service, _):
        service.reload(config)
        token.write_text("another-token-of-some-length")
        service.reload(config)
        told = ""
        while "restart" not in told:
            told += capsys.readouterr().err
            await asyncio.sleep(0.01)
    assert "changes that need a restart: [websocket] token_file (what it holds)" in told
    assert "another" not in told


async def next_state(subscription):
    while (document := await subscription.get())["type"] != "state":
        pass
    return document


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP here")
async def test_sighup_reads_the_settings_again_and_a_mistake_keeps_the_present_ones(
    tmp_path, monkeypatch, capsys
):
    file = tmp_path / "settings.toml"
    file.write_text("[websocket]\nenabled = false\n[history]\nenabled = false\n")
    config = load_config(file)
    source = HandSource()
    service = Service(config, tone_classifier(), [(config.source[0], source)])
    task = asyncio.create_task(until_stopped(service, None, lambda: load_config(file)))
    source.play(tone(200, 4))
    with service.hub.subscribe() as subscription:
        await next_state(subscription)
        for text, expected in [
            ("unknown_below = 0.9", "now in use: [smoothing] unknown_below"),
            ("unknown_below = 7", "the settings stay as they were: [smoothing] unknown_below"),
        ]:
            file.write_text(
                f"[websocket]\nenabled = false\n[history]\nenabled = false\n[smoothing]\n{text}\n"
            )
            os.kill(os.getpid(), signal.SIGHUP)
            said = ""
            async with asyncio.timeout(20):
                while expected not in said:
                    await asyncio.sleep(0.01)
                    said += capsys.readouterr().err
    assert service.node_health()[0].node == config.source[0].node
    os.kill(os.getpid(), signal.SIGTERM)
    assert await task == 0


async def test_settings_without_effect_are_pointed_out_at_the_start_and_at_a_reload(capsys):
    mistaken = settings(lights={"wled": ["tv"], "wled_effects": {"jaz": 9, "jazz": 8}})
    set_up_logging(mistaken)
    async with running(mistaken) as (service, _):
        at_start = capsys.readouterr().err
        service.reload(settings(colors={"jaz": "#112233"}))
    at_reload = capsys.readouterr().err
    assert "[lights] wled names lamps, but there is no broker" in at_start
    assert "[lights] wled_effects names 'jaz'" in at_start
    assert "its genres are jazz, rock" in at_start
    assert "'jazz'," not in at_start
    assert "[colors] names 'jaz'" in at_reload


def test_the_device_page_links_to_the_dashboard_or_to_what_is_configured():
    def link(**table):
        extension = home_assistant_extension(
            settings(homeassistant=table),
            INFO,
            labels=INFO.labels,
            teachable=False,
            page_url="http://den:8765/",
        )
        (message,) = extension.on_connect("den")
        return json.loads(message.payload)["dev"]["cu"]

    assert link() == "http://den:8765/"
    assert link(link="https://home.example/music") == "https://home.example/music"


# ---- the service manager ---------------------------------------------------------------------


class StuckNetwork(ToneNetwork):
    """Classifies one window, then hangs until it is let go."""

    def __init__(self, let_go):
        super().__init__()
        self._let_go = let_go

    def run(self, features):
        if self.batch_sizes:
            assert self._let_go.wait(60)
        return super().run(features)


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """Stand in for systemd: its socket and its watchdog of 0.2 s."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "200000")
        yield listener


async def told(systemd, condition):
    """Return the first message to systemd that meets ``condition``."""
    while True:
        message = (await asyncio.get_running_loop().sock_recv(systemd, 4096)).decode()
        if condition(message.splitlines()):
            return message.splitlines()


async def test_systemd_hears_ready_then_the_genre_then_stopping(systemd):
    config = settings(windows={"hop_seconds": 0.25})
    async with running(config) as (_, source):
        assert await told(systemd, lambda _: True) == ["READY=1"]
        source.play(tone(200, 4.1))
        message = await told(systemd, lambda lines: "STATUS=den: jazz" in lines)
        assert "WATCHDOG=1" in message
    await told(systemd, lambda lines: lines == ["STOPPING=1"])


async def test_a_pipeline_that_hangs_starves_the_watchdog(systemd):
    import threading

    let_go = threading.Event()
    config = settings(windows={"hop_seconds": 0.25})
    async with running(config, tone_classifier(StuckNetwork(let_go))) as (_, source):
        source.play(tone(200, 4.1))
        await told(systemd, lambda lines: "STATUS=den: jazz" in lines)
        source.play(tone(200, 1.0))
        stuck = await told(systemd, lambda lines: any("no window for" in line for line in lines))
        assert "WATCHDOG=1" not in stuck
        let_go.set()
        source.play(tone(200, 1.0))
        await told(systemd, lambda lines: "WATCHDOG=1" in lines)


async def test_a_reload_is_announced_and_ended(systemd):
    async with running(settings()) as (service, _):
        await told(systemd, lambda lines: lines == ["READY=1"])
        service.reload(settings(smoothing={"unknown_below": 0.4}))
        await told(systemd, lambda lines: "RELOADING=1" in lines)
        await told(systemd, lambda lines: lines == ["READY=1"])
