"""What a room was taught, at the hub: fetched from the room's own service and changed there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket

import pytest
import websockets

from rtgenre.hub import taught_lists as taught_lists_module
from tests.broker import Broker
from tests.certificates import a_certificate
from tests.hub.room import Room, ask
from tests.hub.running import a_hub, a_node
from tests.messages.test_payload import VALIDATOR
from tests.outputs.mqtt.test_smarthome import running, settings

TOKEN = "0123456789abcdef"
LOCKED = {"port": 0, "host": "0.0.0.0", "token": TOKEN}
OPEN = {"port": 0}


@pytest.fixture
async def broker(tmp_path):
    async with Broker(tmp_path) as broker:
        yield broker


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Wait for the room on a busy machine, too."""
    monkeypatch.setattr(taught_lists_module, "ANSWER_WITHIN_SECONDS", 60.0)


@contextlib.asynccontextmanager
async def a_taught_room(hub, room, *genres):
    """Have a room taught at its own page, once for each genre, and known to the hub."""
    async with room:
        await hub.until(lambda: hub.of("state", room.node))
        for genre in genres:
            status, _ = await ask(room.port, f"POST /teach?genre={genre}", token=TOKEN)
            assert status == 200
        yield room


async def test_the_list_of_a_room_is_the_same_at_the_hub_and_a_stretch_is_removed_there(
    broker, tmp_path, monkeypatch
):
    room = Room(tmp_path / "den", broker.port, monkeypatch, websocket=LOCKED)
    async with (
        a_hub(broker.port, hub={"token": TOKEN}) as hub,
        a_taught_room(hub, room, "techno", "house"),
    ):
        own = await ask(room.port, "GET /taught", token=TOKEN)
        status, listed = await ask(hub.port, "GET /taught?node=den")
        number = listed["stretches"][0]["id"]
        _, forgotten = await ask(hub.port, f"DELETE /taught?node=den&id={number}")
        _, left = await ask(room.port, "GET /taught", token=TOKEN)
    assert (status, listed) == own
    assert [each["genre"] for each in listed["stretches"]] == ["house", "techno"]
    assert forgotten["stretches"] == 1
    assert [each["genre"] for each in left["stretches"]] == ["techno"]
    for document in (listed, forgotten):
        VALIDATOR.validate(document)


async def test_a_list_is_renamed_exported_forgotten_and_imported_at_the_hub(
    broker, tmp_path, monkeypatch
):
    room = Room(tmp_path / "den", broker.port, monkeypatch, websocket=OPEN)
    async with a_hub(broker.port) as hub, a_taught_room(hub, room, "techno"):
        renamed = await ask(hub.port, "POST /taught/rename?node=den&genre=techno&to=electro")
        status, text = await ask(hub.port, "GET /taught/export?node=den")
        own_text = await ask(room.port, "GET /taught/export")
        _, forgotten = await ask(hub.port, "DELETE /taught?node=den&all=yes")
        _, empty = await ask(room.port, "GET /taught")
        _, taken = await ask(hub.port, "POST /taught/import?node=den", text.encode())
        _, listed = await ask(room.port, "GET /taught")
    assert renamed == (200, {"renamed": 1})
    assert (status, text) == own_text
    assert '"genre": "electro"' in text
    assert (forgotten["stretches"], empty["stretches"]) == (1, [])
    assert (taken["type"], taken["stretches"]) == ("taken_in", 1)
    assert [each["genre"] for each in listed["stretches"]] == ["electro"]


async def test_a_list_comes_over_tls_if_the_certificate_is_trusted_and_not_otherwise(
    broker, tmp_path, monkeypatch
):
    cert_file, key_file = await a_certificate(tmp_path)
    secure = LOCKED | {"cert_file": cert_file, "key_file": key_file}
    config = settings(broker.port, websocket=secure, source={"node": "den"})
    async with a_hub(broker.port, hub={"token": TOKEN}) as hub, running(config) as (service, _):
        await hub.until(lambda: hub.rooms() == ["den"])
        address = f"https://127.0.0.1:{service._web_socket.port}/"
        hub.service._taught_lists._services._config.addresses["den"] = address
        refused, error = await ask(hub.port, "GET /taught?node=den")
        monkeypatch.setenv("SSL_CERT_FILE", str(cert_file))
        status, _ = await ask(hub.port, "GET /taught?node=den")
    assert refused == 502
    assert "is not trusted" in error["message"]
    assert "SSL_CERT_FILE" in error["message"]
    # Let in, and told that it has no teacher.
    assert status == 403


async def test_a_room_refuses_at_the_hub_in_its_own_words(broker, tmp_path, monkeypatch):
    room = Room(tmp_path / "den", broker.port, monkeypatch, websocket=OPEN)
    async with a_hub(broker.port) as hub, a_taught_room(hub, room, "techno"):
        for what, body in [
            ("POST /taught/rename?genre=techno&to=unknown", b""),
            ("POST /taught/rename?genre=house&to=techno", b""),
            ("DELETE /taught", b""),
            ("POST /taught/import", b"virus"),
        ]:
            own_status, own = await ask(room.port, what, body)
            at_hub = f"{what}{'&' if '?' in what else '?'}node=den"
            status, error = await ask(hub.port, at_hub, body)
            assert status == own_status >= 400
            assert error["message"] == f"den: {own['message']}"


async def test_where_a_room_may_not_be_taught_the_hub_says_which(broker, tmp_path, monkeypatch):
    room = Room(
        tmp_path / "den", broker.port, monkeypatch, websocket=OPEN, teach={"enabled": False}
    )
    async with a_hub(broker.port) as hub, a_taught_room(hub, room):
        status, error = await ask(hub.port, "GET /taught?node=den")
    assert status == 403
    assert error["message"].startswith("den: teaching is off here")


async def test_of_several_rooms_it_has_to_be_said_which(broker):
    async with a_hub(broker.port) as hub, a_node(broker.port), a_node(broker.port, "hall"):
        await hub.until(lambda: set(hub.rooms()) == {"den", "hall"})
        answers = [
            await ask(hub.port, "GET /taught"),
            await ask(hub.port, "DELETE /taught?all=yes"),
            await ask(hub.port, "POST /taught/rename?genre=jazz&to=rock"),
            await ask(hub.port, "GET /taught/export"),
            await ask(hub.port, "POST /taught/import", b"x"),
        ]
        unknown = await ask(hub.port, "GET /taught?node=attic")
    for status, error in answers:
        assert status == 409
        assert "kept by each room; say which one with node" in error["message"]
        assert "hall" in error["message"]
    assert unknown[0] == 400
    assert "node is 'attic'" in unknown[1]["message"]


@pytest.mark.parametrize(
    ("websocket", "hub_table", "reason"),
    [
        (LOCKED, {}, "asks for a token; set [hub] token"),
        (LOCKED, {"token": "another token of 20 letters"}, "does not take the hub's token"),
        ({"enabled": False}, {}, "it serves no page"),
    ],
)
async def test_why_there_is_no_list_is_said(broker, websocket, hub_table, reason):
    config = settings(broker.port, websocket=websocket)
    async with a_hub(broker.port, hub=hub_table) as hub, running(config):
        await hub.until(lambda: hub.rooms() == ["den"])
        status, error = await ask(hub.port, "GET /taught?node=den")
    assert status == 502
    assert reason in error["message"]


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({"host": "raspberry", "address": "http://127.0.0.1:1/"}, "lets no other machine in"),
        ({"host": socket.gethostname(), "address": "http://127.0.0.1:1/"}, "cannot be reached"),
        ({"address": "http://[pi/"}, "is no address"),
        ({"address": "http://:8765/"}, "is no address"),
    ],
)
async def test_a_room_that_cannot_be_reached_is_said(broker, about, reason):
    async with a_hub(broker.port) as hub, a_node(broker.port, **about):
        await hub.until(lambda: hub.problem() is None)
        status, error = await ask(hub.port, "GET /taught?node=den")
    assert status == 502
    assert reason in error["message"]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 302 Found\r\nLocation: ftp://pi/\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[pi/\r\n\r\n",
        "[" * 60_000,
        "7",
    ],
    ids=lambda answer: str(answer[:40]),
)
async def test_another_program_at_the_address_of_a_room_is_said(broker, answer):
    async def request(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async def greet(client):
        await client.send(answer)
        await client.wait_closed()

    if isinstance(answer, bytes):
        server = await asyncio.start_server(request, "127.0.0.1", 0)
    else:
        server = await websockets.serve(greet, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
    about = {"host": socket.gethostname(), "address": address}
    async with a_hub(broker.port) as hub, a_node(broker.port, **about):
        await hub.until(lambda: hub.problem() is None)
        status, error = await ask(hub.port, "GET /taught?node=den")
    server.close()
    assert status == 502
    assert "is no rtgenre of this version" in error["message"]


async def test_what_another_rtgenre_was_taught_is_not_forgotten_in_its_place(
    broker, tmp_path, monkeypatch
):
    room = Room(
        tmp_path / "hall", broker.port, monkeypatch, websocket=OPEN, source={"node": "hall"}
    )
    async with a_hub(broker.port) as hub, a_taught_room(hub, room, "techno"):
        address = f"http://127.0.0.1:{room.port}/"
        async with a_node(broker.port, host=socket.gethostname(), address=address):
            await hub.until(lambda: set(hub.rooms()) == {"den", "hall"})
            status, error = await ask(hub.port, "DELETE /taught?node=den&all=yes")
        _, listed = await ask(room.port, "GET /taught")
    assert status == 502
    assert "another rtgenre" in error["message"]
    assert len(listed["stretches"]) == 1


@contextlib.asynccontextmanager
async def greeting_only(monkeypatch, answer):
    """Have every room let the hub in, and answer requests as the test says."""

    class Service:
        async def ask(self, *_):
            return await answer()

    @contextlib.asynccontextmanager
    async def connected(self, node):
        yield Service()

    monkeypatch.setattr("rtgenre.hub.own_service.OwnServices.connected", connected)
    yield


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        b"[" * 50_000,
        b"{}",
        json.dumps({"schema": 3, "type": "taught_list", "stretches": [7]}).encode(),
        b'"\\ud800"',
    ],
    ids=lambda body: str(body[:12]),
)
async def test_a_list_that_no_room_gives_is_not_passed_on(broker, monkeypatch, body):
    async def answer():
        return 200, body

    async with (
        greeting_only(monkeypatch, answer),
        a_hub(broker.port) as hub,
        a_node(broker.port),
    ):
        await hub.until(lambda: hub.rooms() == ["den"])
        status, error = await ask(hub.port, "GET /taught?node=den")
    assert status == 502
    assert "another version" in error["message"]


async def test_a_room_that_never_answers_keeps_nobody_waiting(broker, monkeypatch):
    monkeypatch.setattr(taught_lists_module, "ANSWER_WITHIN_SECONDS", 0.05)
    async with (
        greeting_only(monkeypatch, asyncio.Event().wait),
        a_hub(broker.port) as hub,
        a_node(broker.port),
    ):
        await hub.until(lambda: hub.rooms() == ["den"])
        status, error = await ask(hub.port, "GET /taught?node=den")
    assert status == 504
    assert "den did not answer" in error["message"]


async def test_where_teaching_is_off_at_the_hub_no_list_is_shown(broker):
    async with a_hub(broker.port, teach={"enabled": False}) as hub:
        for what, body in [("GET /taught?node=den", b""), ("POST /taught/import?node=den", b"x")]:
            status, error = await ask(hub.port, what, body)
            assert status == 403
            assert "teaching is off here" in error["message"]
