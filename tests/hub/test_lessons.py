"""Lessons through a real broker: from the hub's page to the room, and its answer back."""

from __future__ import annotations

import asyncio
import contextlib
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


async def asked_of(subscriber, genre):
    """Wait until den is told that a genre plays; return the message, as an object."""
    topic = "rtgenre/den/teach/set"
    await subscriber.until(lambda it: genre in it.latest.get(topic, ""))
    text = subscriber.latest[topic]
    return json.loads(text) if text.startswith("{") else {"teach": text}


async def answer_as_den(broker, **answer):
    await publish(broker.port, "rtgenre/den/teach/answer", json.dumps(answer))


@contextlib.asynccontextmanager
async def unanswered(broker, monkeypatch, **about):
    """Give a hub whose room den was told techno and did not answer, and who hears what is said."""
    monkeypatch.setattr(lessons_module, "ANSWER_WITHIN_SECONDS", 0.2)
    async with (
        a_hub(broker.port) as hub,
        a_node(broker.port, **about),
        subscribed(broker.port, "rtgenre/den/teach/#") as subscriber,
    ):
        await hub.until(lambda: hub.rooms() == ["den"])
        status, _ = await ask(hub.port, "POST /teach?node=den&genre=techno")
        assert status == 504
        yield hub, subscriber


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


@pytest.mark.usefixtures("patient")
async def test_a_room_that_is_away_is_said_to_be_at_once(broker):
    async with a_hub(broker.port) as hub:
        async with a_node(broker.port):
            await hub.until(lambda: hub.rooms() == ["den"])
        await hub.until(hub.problem)
        status, error = await ask(hub.port, "POST /teach?node=den&genre=techno")
    assert status == 504
    assert "has stopped" in error["message"]


@pytest.mark.usefixtures("patient")
async def test_a_name_that_no_genre_has_is_refused_at_once(broker, tmp_path, monkeypatch):
    async with a_hub(broker.port) as hub, Room(tmp_path, broker.port, monkeypatch) as room:
        await hub.until(lambda: hub.of("state", room.node))
        for genre in ("x" * 41, '"' * 200, "%F0%9F%8E%B5" * 200, "x" * 201, "a%07"):
            status, error = await ask(hub.port, f"POST /teach?node={room.node}&genre={genre}")
            # As its room would say, so that the page asks for the name again.
            assert status == 400
            assert "cannot be called" in error["message"]


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
        request = (await asked_of(subscriber, "techno"))["request"]
        await answer_as_den(broker, type="taught", id="x", request=request)
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


async def test_a_late_answer_is_not_shown_as_the_answer_to_another_request(broker, monkeypatch):
    async with unanswered(broker, monkeypatch) as (hub, subscriber):
        late = await asked_of(subscriber, "techno")
        monkeypatch.setattr(lessons_module, "ANSWER_WITHIN_SECONDS", 60.0)
        asking = asyncio.create_task(ask(hub.port, "POST /teach?node=den&genre=polka"))
        asked = await asked_of(subscriber, "polka")
        # Only what repeats the request is its answer, in whatever order they come.
        await answer_as_den(
            broker, type="taught", id=1, genre="techno", request=late.get("request")
        )
        await answer_as_den(broker, type="error", message="to somebody else")
        await answer_as_den(
            broker, type="taught", id=2, genre="polka", request=asked.get("request")
        )
        status, taught = await asking
    assert (status, taught["genre"]) == (200, "polka")
    assert "request" not in taught


async def test_a_lesson_that_the_room_did_not_undo_can_be_undone_later(broker, monkeypatch):
    async with unanswered(broker, monkeypatch) as (hub, subscriber):
        monkeypatch.setattr(lessons_module, "ANSWER_WITHIN_SECONDS", 60.0)
        asking = asyncio.create_task(ask(hub.port, "POST /teach?node=den&genre=polka"))
        request = (await asked_of(subscriber, "polka"))["request"]
        await answer_as_den(broker, type="taught", id=17, genre="polka", request=request)
        _, taught = await asking
        undo = f"DELETE /taught?id={taught['id']}"
        monkeypatch.setattr(lessons_module, "ANSWER_WITHIN_SECONDS", 0.2)
        assert (await ask(hub.port, undo))[0] == 504
        await asked_of(subscriber, '"forget": 17')
        subscriber.seen.clear()
        monkeypatch.setattr(lessons_module, "ANSWER_WITHIN_SECONDS", 60.0)
        asking = asyncio.create_task(ask(hub.port, undo))
        async with asyncio.timeout(10):
            request = (await asked_of(subscriber, '"forget": 17'))["request"]
        await answer_as_den(broker, type="forgotten", stretches=1, request=request)
        status, forgotten = await asking
    assert (status, forgotten["stretches"]) == (200, 1)


async def test_an_older_room_is_not_asked_again_while_an_answer_may_come_late(broker, monkeypatch):
    async with unanswered(broker, monkeypatch, repeats_requests=False) as (hub, subscriber):
        # An older room takes a genre as it is.
        assert subscriber.latest["rtgenre/den/teach/set"] == "techno"
        busy, error = await ask(hub.port, "POST /teach?node=den&genre=polka")
        assert (busy, "has not answered yet" in error["message"]) == (429, True)
        monkeypatch.setattr(lessons_module, "LATE_SECONDS", 0.0)
        monkeypatch.setattr(lessons_module, "ANSWER_WITHIN_SECONDS", 60.0)
        asking = asyncio.create_task(ask(hub.port, "POST /teach?node=den&genre=polka"))
        await asked_of(subscriber, "polka")
        await answer_as_den(broker, type="forgotten", stretches=1)
        await answer_as_den(broker, type="taught", id=2, genre="polka")
        status, taught = await asking
    assert (status, taught["genre"]) == (200, "polka")


async def test_an_answer_that_came_late_lets_an_older_room_be_asked_again(broker, monkeypatch):
    async with unanswered(broker, monkeypatch, repeats_requests=False) as (hub, subscriber):
        await answer_as_den(broker, type="taught", id=1, genre="techno")
        await subscriber.until(lambda it: "rtgenre/den/teach/answer" in it.latest)
        monkeypatch.setattr(lessons_module, "ANSWER_WITHIN_SECONDS", 60.0)
        asking = asyncio.create_task(ask(hub.port, "POST /teach?node=den&genre=polka"))
        await asked_of(subscriber, "polka")
        await answer_as_den(broker, type="taught", id=2, genre="polka")
        status, taught = await asking
    assert (status, taught["genre"]) == (200, "polka")
