"""Lessons through a real broker: from the hub's page to the room, and its answer back."""

from __future__ import annotations

import asyncio
import json

import pytest
import websockets

from rtgenre.hub import lessons as lessons_module
from tests.broker import Broker, subscribed
from tests.hub.room import Room, ask
from tests.hub.running import a_hub, a_node, publish


@pytest.fixture
async def broker(tmp_path):
    async with Broker(tmp_path) as broker:
        yield broker


async def say(hub, **request):
    """Send a message over the WebSocket, and return what is answered to it."""
    async with websockets.connect(hub.url) as client:
        await client.send(json.dumps(request))
        while True:
            document = json.loads(await client.recv())
            if document["type"] in {"taught", "forgotten", "error"}:
                return document


@pytest.fixture
def patient(monkeypatch):
    """Wait for the room on a busy machine, too."""
    monkeypatch.setattr(lessons_module, "ANSWER_WITHIN_SECONDS", 60.0)


@pytest.mark.usefixtures("patient")
async def test_a_room_is_taught_and_undone_from_the_page_of_the_hub(broker, tmp_path, monkeypatch):
    async with a_hub(broker.port) as hub, Room(tmp_path, broker.port, monkeypatch) as room:
        await hub.until(lambda: hub.of("state", room.node))
        taught = await say(hub, teach={"node": room.node, "genre": "techno"})
        assert (taught["type"], taught["genre"], taught["new"]) == ("taught", "techno", True)
        await hub.until(lambda: hub.of("state", room.node)[-1]["genre"] == "techno")
        # The genre and its colour are known to whoever looks at the hub.
        await hub.until(
            lambda: "techno" in [m for m in hub.received if m["type"] == "hello"][-1]["colors"]
        )
        forgotten = await say(hub, forget=taught["id"])
        assert (forgotten["type"], forgotten["stretches"]) == ("forgotten", 1)
        await hub.until(lambda: hub.of("state", room.node)[-1]["genre"] == "jazz")


@pytest.mark.usefixtures("patient")
async def test_why_a_room_learnt_nothing_is_passed_on(broker, tmp_path, monkeypatch):
    async with a_hub(broker.port) as hub, Room(tmp_path, broker.port, monkeypatch) as room:
        await hub.until(lambda: hub.of("state", room.node))
        error = await say(hub, teach={"node": room.node, "genre": "unknown"})
        other, unknown = await ask(hub.port, "POST /teach?node=attic&genre=techno")
    assert error["type"] == "error"
    assert "cannot be called 'unknown'" in error["message"]
    assert other == 400
    assert room.node in unknown["message"]


async def test_a_room_that_does_not_answer_is_said_to(broker, monkeypatch):
    monkeypatch.setattr(lessons_module, "ANSWER_WITHIN_SECONDS", 0.2)
    async with a_hub(broker.port) as hub, a_node(broker.port):
        await hub.until(lambda: hub.rooms() == ["den"])
        status, error = await ask(hub.port, "POST /teach?node=den&genre=techno")
    assert status == 504
    assert "teaching may be off there" in error["message"]


async def test_an_answer_that_no_room_gives_harms_nobody(broker):
    async with (
        a_hub(broker.port) as hub,
        a_node(broker.port),
        subscribed(broker.port, "rtgenre/den/teach/set") as subscriber,
    ):
        await hub.until(lambda: hub.rooms() == ["den"])
        # Nobody has asked yet.
        await publish(broker.port, "rtgenre/den/teach/answer", b"\xff")
        asking = asyncio.create_task(ask(hub.port, "POST /teach?node=den&genre=techno"))
        await subscriber.until(lambda it: it.latest.get("rtgenre/den/teach/set") == "techno")
        await publish(broker.port, "rtgenre/den/teach/answer", b'{"type": "taught", "id": "x"}')
        status, error = await asking
    assert status == 409
    assert "cannot be read" in error["message"]


async def test_where_teaching_is_off_at_the_hub_nothing_is_passed_on(broker):
    async with (
        a_hub(broker.port, teach={"enabled": False}) as hub,
        a_node(broker.port),
    ):
        await hub.until(lambda: hub.rooms() == ["den"])
        status, error = await ask(hub.port, "POST /teach?node=den&genre=techno")
    assert status == 403
    assert "teaching is off here" in error["message"]
