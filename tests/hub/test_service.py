"""The running hub with a real broker, real nodes and a real client."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from pathlib import Path

import aiomqtt
import pytest
import websockets

from rtgenre.hub.service import HubService
from rtgenre.messages.payload import iso_utc
from tests.broker import Broker, subscribed
from tests.documents import INSTANCE, a_hello, a_state, a_status
from tests.hub.running import a_hub, a_node, publish
from tests.outputs.mqtt.test_smarthome import running, settings
from tests.signals import tone

TOKEN = "0123456789abcdef"


@pytest.fixture
async def broker(tmp_path):
    async with Broker(tmp_path) as broker:
        yield broker


async def documents_of(url, n_states):
    """Return what a service sends to its own client, up to some number of states."""
    received = []
    async with websockets.connect(url) as client:
        while sum(each["type"] == "state" for each in received) < n_states:
            received.append(json.loads(await client.recv()))
    return received


async def test_a_hub_sends_document_for_document_what_the_node_sends_itself(broker):
    config = settings(broker.port, websocket={"port": 0}, windows={"hop_seconds": 1.0})
    async with a_hub(broker.port) as hub, running(config) as (service, source):
        await hub.until(lambda: hub.rooms() == ["den"])
        own = asyncio.create_task(documents_of(service._web_socket.url, 3))
        for seconds in (4.0, 1.0, 1.0):
            n_states = len(hub.of("state"))
            source.play(tone(200, seconds))
            await hub.until(lambda n=n_states: len(hub.of("state")) > n)
        sent = [each for each in await own if each["type"] == "state"]
    assert hub.of("state") == sent
    assert [each["sequence"] for each in sent] == [0, 1, 2]


async def test_a_lost_input_and_its_return_reach_the_clients_of_the_hub_whole(broker):
    async with a_hub(broker.port) as hub, a_node(broker.port) as node:
        await hub.until(lambda: hub.problem() is None)
        for status in (a_status("the device is gone"), a_status(None, hint="is it muted?")):
            node.hub.publish(status)
            await hub.until(lambda s=status: hub.of("status")[-1:] == [s])


async def test_whoever_connects_later_is_told_what_is_known(broker):
    async with a_hub(broker.port) as hub, a_node(broker.port) as node:
        node.hub.publish(a_state(7))
        await hub.until(lambda: hub.of("state"))
        greeting, *documents = await documents_of(hub.url, 1)
    assert [source["node"] for source in greeting["sources"]] == ["den"]
    assert greeting["labels"] == a_hello()["labels"]
    assert a_state(7) in documents


async def test_a_node_that_is_new_appears_by_itself_and_one_that_stops_is_away(broker):
    async with a_hub(broker.port) as hub, a_node(broker.port, "den"):
        await hub.until(lambda: hub.rooms() == ["den"])
        async with a_node(broker.port, "hall") as hall:
            await hub.until(lambda: hub.rooms() == ["den", "hall"] and hub.problem("hall") is None)
            hall.hub.publish(a_state(1, node="hall"))
            await hub.until(lambda: hub.of("state", "hall"))
        await hub.until(lambda: hub.of("presence", "hall")[-1]["present"] is False)
        assert hub.problem("hall") == (
            "rtgenre on raspberry has stopped, or does not reach the broker"
        )
        ok, health = hub.service.health()
    assert ok, "a node that is away is no fault of the hub's"
    assert not health["nodes"]["hall"]["ok"]
    assert health["nodes"]["den"]["ok"]


async def test_a_node_that_the_broker_had_long_known_is_shown_by_a_hub_that_starts_later(broker):
    async with a_node(broker.port) as node, subscribed(broker.port, "rtgenre/den/#") as subscriber:
        node.hub.publish(a_state(3))
        node.hub.publish(a_status("the device is gone"))
        await subscriber.until(lambda it: "gone" in str(it.seen))
        async with a_hub(broker.port) as hub:
            await hub.until(lambda: hub.of("state") and hub.of("status"))
            assert hub.of("state") == [a_state(3)]
            assert hub.problem() is None


async def test_a_hub_that_starts_shows_no_genre_of_a_node_that_had_stopped_before(broker):
    async with subscribed(broker.port, "rtgenre/den/#") as subscriber:
        async with a_node(broker.port) as node:
            node.hub.publish(a_state(3))
            await subscriber.until(lambda it: "rtgenre/den/state" in it.latest)
        async with a_hub(broker.port) as hub:
            await hub.until(hub.problem)
            async with a_node(broker.port, "hall") as hall:
                hall.hub.publish(a_state(1, node="hall"))
                await hub.until(lambda: hub.of("state", "hall"))
            assert hub.rooms() == ["den", "hall"]
            assert hub.of("state") == []


async def test_a_process_that_starts_anew_takes_over_and_its_old_problem_is_forgotten(broker):
    async with a_hub(broker.port) as hub:
        async with a_node(broker.port) as node:
            node.hub.publish(a_status("the device is gone"))
            await hub.until(lambda: hub.of("status"))
        async with a_node(broker.port, instance="11111111") as node:
            node.hub.publish(a_state(0, instance="11111111"))
            await hub.until(lambda: hub.of("state"))
            later = await documents_of(hub.url, 1)
    assert hub.of("presence")[-1]["instance"] == "11111111"
    assert not [each for each in later if each["type"] == "status"]


async def test_two_machines_of_one_name_are_reported_and_not_mixed(broker):
    other = {"instance": "22222222", "host": "attic", "mqtt": {"client_id": "other"}}
    async with a_hub(broker.port) as hub, a_node(broker.port) as first:
        first.hub.publish(a_state(0))
        await hub.until(lambda: hub.of("state"))
        async with a_node(broker.port, **other) as second:
            for sequence in range(1, 200):
                second.hub.publish(a_state(sequence, instance="22222222"))
                first.hub.publish(a_state(sequence))
                await asyncio.sleep(0.02)
                if hub.problem():
                    break
            await hub.until(hub.problem)
    assert "raspberry" in hub.problem()
    assert "attic" in hub.problem()
    assert "--node" in hub.problem()
    assert {each["instance"] for each in hub.of("state")} == {INSTANCE}


async def test_two_machines_that_drive_each_other_from_the_broker_are_reported(broker):
    other = {"instance": "22222222", "host": "attic"}
    async with (
        a_hub(broker.port) as hub,
        a_node(broker.port) as first,
        a_node(broker.port, **other) as second,
    ):
        await hub.until(lambda: "attic" in (hub.problem() or ""))
        first.hub.publish(a_state(0))
        second.hub.publish(a_state(0, instance="22222222"))
        await hub.until(lambda: hub.of("state"))
        assert len({each["instance"] for each in hub.of("state")}) == 1


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        b"{}",
        b"[" * 50_000,
        b'{"schema": 3}',
        json.dumps({**a_state(1), "confidence": 7}).encode(),
        json.dumps({**a_state(1), "node": "hall"}).encode(),
        json.dumps({**a_state(1), "level_dbfs": float("nan")}).encode(),
        json.dumps(a_state(1)).replace("-20.0", "1e999").encode(),
    ],
    ids=lambda payload: str(payload[:12]),
)
async def test_a_damaged_document_is_left_out_and_the_next_good_one_is_shown(broker, payload):
    async with a_hub(broker.port) as hub, a_node(broker.port) as node:
        await hub.until(lambda: hub.problem() is None)
        await publish(broker.port, "rtgenre/den/state", payload)
        node.hub.publish(a_state(2))
        await hub.until(lambda: hub.of("state"))
    assert hub.of("state") == [a_state(2)]


async def test_a_node_that_floods_holds_up_nobody_else(broker):
    async with (
        a_hub(broker.port) as hub,
        a_node(broker.port, "den"),
        a_node(broker.port, "hall") as hall,
    ):
        await hub.until(lambda: set(hub.rooms()) == {"den", "hall"})
        await hub.until(lambda: hub.problem("hall") is None)

        async def flood():
            async with aiomqtt.Client("127.0.0.1", broker.port) as client:
                states = [json.dumps(a_state(sequence)) for sequence in range(2000)]
                await asyncio.gather(
                    *(client.publish("rtgenre/den/state", state, qos=0) for state in states)
                )

        flooding = asyncio.create_task(flood())
        for sequence in range(10):
            hall.hub.publish(a_state(sequence, node="hall"))
            await hub.until(
                lambda s=sequence: hub.of("state", "hall")[-1:] == [a_state(s, node="hall")]
            )
        await flooding
        await hub.until(lambda: hub.of("state") and hub.of("state")[-1]["sequence"] == 1999)
    assert len(hub.of("state")) < 1000, "the newest are shown, not all"


async def test_a_broker_that_goes_is_told_and_what_returns_with_it_is_shown_again(broker):
    async with a_hub(broker.port) as hub, a_node(broker.port) as node:
        await hub.until(lambda: hub.problem() is None)
        await broker.stop()
        await hub.until(hub.hub_problem)
        assert "broker" in hub.hub_problem()
        assert not hub.service.health()[0]
        await broker.start()
        node.hub.publish(a_state(5))
        await hub.until(lambda: hub.hub_problem() is None and hub.of("state"))
        await hub.until(lambda: hub.of("presence")[-1]["present"])
        assert hub.service.health()[0]


async def test_a_node_that_never_returns_with_the_broker_is_away(broker):
    async with a_hub(broker.port) as hub:
        async with a_node(broker.port):
            await hub.until(lambda: hub.problem() is None)
            await broker.stop()
        await broker.start()
        await hub.until(hub.problem)
    assert "raspberry" in hub.problem()


async def test_a_room_that_is_away_is_not_said_to_be_there_when_the_broker_returns(broker, caplog):
    caplog.set_level("INFO")
    async with a_hub(broker.port) as hub:
        async with a_node(broker.port):
            await hub.until(lambda: hub.problem() is None)
        await hub.until(hub.problem)
        caplog.clear()
        hub.service.roster.connected()
        hub.service.roster.tick()
    assert "den: is there" not in caplog.text


async def test_a_broker_that_lets_nobody_subscribe_is_named_with_what_to_change(tmp_path):
    plugin = find_dynamic_security()
    config = tmp_path / "security.json"
    config.write_text(
        json.dumps(
            {
                "defaultACLAccess": {
                    "publishClientSend": True,
                    "publishClientReceive": True,
                    "subscribe": False,
                    "unsubscribe": True,
                }
            }
        )
    )
    async with (
        Broker(
            tmp_path, "allow_anonymous true", f"plugin {plugin}", f"plugin_opt_config_file {config}"
        ) as broker,
        a_hub(broker.port) as hub,
    ):
        await hub.until(hub.hub_problem)
    assert "does not let anonymous clients subscribe" in hub.hub_problem()
    assert "rtgenre/#" in hub.hub_problem()


def find_dynamic_security():
    found = list(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"))
    if not found:
        pytest.skip("mosquitto has no plugin for access lists here")
    return found[0]


async def test_a_broker_that_tells_nothing_is_named_with_the_possible_reasons(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("rtgenre.hub.subscription.QUIET_SECONDS", 0.1)
    acl = tmp_path / "acl"
    acl.write_text("topic write rtgenre/#\n")
    acl.chmod(0o600)
    async with (
        Broker(tmp_path, "allow_anonymous true", f"acl_file {acl}") as broker,
        a_hub(broker.port) as hub,
        a_node(broker.port),
    ):
        await hub.until(hub.hub_problem)
    assert "access list" in hub.hub_problem()
    assert "topic_prefix" in hub.hub_problem()


# ---- spectrograms ----------------------------------------------------------------------------


async def columns_of(url, node, n_columns=3):
    """Return columns as the page gets them."""
    # A client that has not read what waits for it does not see that the other side has left.
    async with websockets.connect(url, max_queue=None) as client:
        await client.send(json.dumps({"subscribe": ["spectrogram"], "node": node}))
        found = []
        while len(found) < n_columns:
            message = await client.recv()
            found += [message] if isinstance(message, bytes) else []
    return found


async def playing(source):
    while True:
        source.play(tone(200, 0.5))
        await asyncio.sleep(0.05)


async def test_a_spectrogram_is_fetched_from_the_node_while_somebody_looks(broker):
    config = settings(
        broker.port,
        websocket={"port": 0, "host": "0.0.0.0", "token": TOKEN},
        source={"node": "den"},
    )
    async with (
        a_node(broker.port, "attic"),
        a_hub(broker.port, hub={"tokens": {"den": TOKEN}}) as hub,
        running(config) as (service, source),
    ):
        await hub.until(lambda: set(hub.rooms()) == {"attic", "den"})
        player = asyncio.create_task(playing(source))
        async with asyncio.timeout(60):
            columns = await columns_of(hub.url, "den")
        player.cancel()
        assert {column[1] for column in columns} == {hub.rooms().index("den")}
        assert len(columns[0]) == 20 + 128
        while service.column_hub.is_watched("den"):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("websocket", "hub_table", "reason"),
    [
        ({"port": 0, "host": "0.0.0.0", "token": TOKEN}, {}, "asks for a token"),
        (
            {"port": 0, "host": "0.0.0.0", "token": TOKEN},
            {"token": "another token of 20 letters"},
            "does not take the hub's token",
        ),
        ({"enabled": False}, {}, "serves no page"),
    ],
)
async def test_the_page_is_told_why_there_is_no_spectrogram(broker, websocket, hub_table, reason):
    config = settings(broker.port, websocket=websocket)
    async with a_hub(broker.port, hub=hub_table) as hub, running(config):
        await hub.until(lambda: hub.rooms() == ["den"])
        async with websockets.connect(hub.url) as client:
            await client.send(json.dumps({"subscribe": ["spectrogram"], "node": "den"}))
            await hub.until(lambda: hub.of("presence")[-1]["spectrogram_problem"])
        assert reason in hub.of("presence")[-1]["spectrogram_problem"]
        # Nobody looks any more.
        await hub.until(lambda: hub.of("presence")[-1]["spectrogram_problem"] is None)


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        (
            {"address": "http://192.0.2.1:8765/"},
            "does not know the token of http://192.0.2.1:8765/",
        ),
        ({"host": "raspberry", "address": "http://127.0.0.1:1/"}, "lets no other machine in"),
        ({"host": socket.gethostname(), "address": "http://127.0.0.1:1/"}, "cannot be reached"),
        ({"address": "http://[pi/"}, "is no address"),
        ({"address": "http://:8765/"}, "is no address"),
    ],
)
async def test_a_page_that_cannot_be_reached_is_named(broker, about, reason):
    async with a_hub(broker.port) as hub, a_node(broker.port, **about):
        await hub.until(lambda: hub.problem() is None)
        async with websockets.connect(hub.url) as client:
            await client.send(json.dumps({"subscribe": ["spectrogram"], "node": "den"}))
            await hub.until(lambda: hub.of("presence")[-1]["spectrogram_problem"])
    assert reason in next(
        text for each in hub.of("presence") if (text := each["spectrogram_problem"])
    )


async def test_another_rtgenre_at_the_address_of_a_node_is_not_taken_for_it(broker):
    impostor = settings(websocket={"port": 0})
    async with a_hub(broker.port) as hub, running(impostor) as (service, _):
        while service._web_socket is None:
            await asyncio.sleep(0.01)
        address = service._web_socket.http_url
        async with a_node(broker.port, host=socket.gethostname(), address=address):
            await hub.until(lambda: hub.problem() is None)
            async with websockets.connect(hub.url) as client:
                await client.send(json.dumps({"subscribe": ["spectrogram"], "node": "den"}))
                await hub.until(lambda: hub.of("presence")[-1]["spectrogram_problem"])
                text = hub.of("presence")[-1]["spectrogram_problem"]
    assert "another rtgenre" in text


# ---- history ---------------------------------------------------------------------------------


async def test_the_history_of_every_machine_is_kept_with_its_own_model(broker, tmp_path):
    history = {"file": tmp_path / "hub.db"}
    async with (
        a_hub(broker.port, history=history) as hub,
        a_node(broker.port, "den") as den,
        a_node(broker.port, "attic", realtime=False) as attic,
    ):
        await hub.until(lambda: set(hub.rooms()) == {"den", "attic"})
        for sequence in range(3):
            den.hub.publish(a_state(sequence))
            attic.hub.publish(a_state(sequence, node="attic"))
            await hub.until(
                lambda s=sequence: len(hub.of("state")) > s and len(hub.of("state", "attic")) > s
            )
    from rtgenre.history.store import read_stretches

    (stretch,) = read_stretches(history["file"], 0, 2e9)
    assert (stretch.node, stretch.genre, stretch.seconds) == ("den", "jazz", 4.0)
    assert stretch.model == "crnn 4 1a2b3c4d"


async def test_a_node_that_is_too_old_to_say_what_it_is_is_named_in_the_log_and_no_given_up_one(
    broker, caplog
):
    state = json.dumps(a_state(1, node="given-up"))
    await publish(broker.port, "rtgenre/given-up/state", state, retain=True)
    async with a_hub(broker.port) as hub:
        while "older" not in caplog.text:
            # Until the hub listens, nobody hears it.
            await publish(broker.port, "rtgenre/old/state", json.dumps(a_state(1, node="old")))
            await asyncio.sleep(0.05)
        assert hub.rooms() == []
    assert "given-up" not in caplog.text


async def test_what_older_releases_left_at_the_broker_is_told_in_one_line_with_how_to_clear_it(
    broker, caplog, monkeypatch
):
    monkeypatch.setattr("rtgenre.hub.roster.SETTLE_SECONDS", 0.5)
    for room in ("attic", "cellar", "loft"):
        for kind in ("about", "state"):
            await publish(broker.port, f"rtgenre/{room}/{kind}", b'{"schema": 1}', retain=True)
    async with a_hub(broker.port), asyncio.timeout(60):
        while "is left out" not in caplog.text:
            await asyncio.sleep(0.05)
    (told,) = [line for line in caplog.messages if "left out" in line]
    for word in (
        "…/attic/about",
        "…/cellar/state",
        " and 1 more is left out (its schema is 1",
        "mosquitto_pub",
    ):
        assert word in told


def test_a_hub_says_that_a_token_changed_in_its_file_needs_a_restart(tmp_path, capsys):
    token = tmp_path / "token"
    token.write_text(TOKEN)
    config = settings(1, websocket={"token_file": token})
    hub = HubService(config)
    token.write_text(TOKEN[::-1])
    hub.reload(config)
    told = ""
    while "restart" not in told:
        told += capsys.readouterr().err
        time.sleep(0.01)
    assert "changes that need a restart: [websocket] token_file (what it holds)" in told


async def test_a_room_whose_clock_is_wrong_is_named_as_its_history_is_not_where_one_looks(
    broker, caplog, monkeypatch
):
    monkeypatch.setattr("rtgenre.hub.node.CLOCK_OFF_FOR_SECONDS", 0.0)
    now = time.time()
    async with (
        a_hub(broker.port) as hub,
        a_node(broker.port, "right") as right,
        a_node(broker.port, "ahead") as ahead,
        a_node(broker.port, "behind") as behind,
    ):
        await hub.until(lambda: sorted(hub.rooms()) == ["ahead", "behind", "right"])
        for node, off_seconds in ((right, 0.0), (ahead, 3 * 3600 + 1), (behind, -100 * 86400)):
            node.hub.publish({**a_state(node=node.name), "time": iso_utc(now + off_seconds)})
        async with asyncio.timeout(30):
            while caplog.text.count("its clock is") < 2:
                await asyncio.sleep(0.02)
    assert "ahead: its clock is 3 h 00 min ahead of the hub's" in caplog.text
    assert "behind: its clock is 100 days behind the hub's" in caplog.text
    assert "right: its clock" not in caplog.text
