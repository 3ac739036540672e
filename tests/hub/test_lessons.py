"""Lessons through a real broker: from the hub's page to the room, and its answer back."""

from __future__ import annotations

import asyncio
import json

import pytest
import websockets

from rtgenre.hub import lessons as lessons_module
from rtgenre.learning.taught.notebook import Notebook
from rtgenre.service import teacher as teacher_module
from rtgenre.service.service import Service
from tests.broker import Broker, subscribed
from tests.hub.running import a_hub, a_node, publish
from tests.networks import hearing_classifier, write_hearing_examples
from tests.outputs.mqtt.test_smarthome import settings
from tests.outputs.web.test_server import answer
from tests.signals import noise, tone
from tests.sources_in_memory import HandSource


@pytest.fixture
async def broker(tmp_path):
    async with Broker(tmp_path) as broker:
        yield broker


class Room:
    """A room that can be taught, and publishes to a broker."""

    def __init__(self, folder, port, monkeypatch):
        monkeypatch.setattr(teacher_module, "LOOK_EVERY_SECONDS", 0.05)
        write_hearing_examples(folder)
        config = settings(port, websocket={"enabled": False}, history={"enabled": False})
        self.node = config.source[0].node
        self.source = HandSource()
        classifier = hearing_classifier()
        notebook = Notebook(folder / "taught.db", classifier.info, folder)
        self.service = Service(config, classifier, [(config.source[0], self.source)], notebook)
        self._stop = asyncio.Event()

    async def __aenter__(self):
        self._running = asyncio.create_task(self.service.run(self._stop))
        self._playing = asyncio.create_task(self._play())
        return self

    async def __aexit__(self, *exc_info):
        self._playing.cancel()
        self._stop.set()
        await self._running

    async def _play(self):
        """Play a low sound, some times as fast as it would be heard."""
        captured_at = 1000.0
        while True:
            captured_at += 2.0
            sound = tone(700.0, 2) + noise(2, amplitude=0.003)
            self.source.play(sound, captured_at=captured_at)
            await asyncio.sleep(0.5)


async def post(hub, what):
    method, target = what.split()
    port = hub.url.split(":")[2].split("/")[0]
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    writer.write(f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    status, _, body = await answer(reader, writer)
    return status, json.loads(body)


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
        other, unknown = await post(hub, "POST /teach?node=attic&genre=techno")
    assert error["type"] == "error"
    assert "cannot be called 'unknown'" in error["message"]
    assert other == 400
    assert room.node in unknown["message"]


async def test_a_room_that_does_not_answer_is_said_to(broker, monkeypatch):
    monkeypatch.setattr(lessons_module, "ANSWER_WITHIN_SECONDS", 0.2)
    async with a_hub(broker.port) as hub, a_node(broker.port):
        await hub.until(lambda: hub.rooms() == ["den"])
        status, error = await post(hub, "POST /teach?node=den&genre=techno")
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
        asking = asyncio.create_task(post(hub, "POST /teach?node=den&genre=techno"))
        await subscriber.until(lambda it: it.latest.get("rtgenre/den/teach/set") == "techno")
        await publish(broker.port, "rtgenre/den/teach/answer", b'{"type": "taught", "id": "x"}')
        status, error = await asking
    assert status == 409
    assert "cannot be read" in error["message"]


async def test_what_was_taught_is_on_the_pages_of_the_rooms_and_the_hub_says_so(broker):
    async with a_hub(broker.port) as hub, a_node(broker.port, address="http://192.168.1.7:8765/"):
        await hub.until(lambda: hub.rooms() == ["den"])
        status, error = await post(hub, "GET /taught")
    assert status == 409
    assert "kept by each room" in error["message"]
    assert "den: http://192.168.1.7:8765/" in error["message"]


async def test_where_teaching_is_off_at_the_hub_nothing_is_passed_on(broker):
    async with (
        a_hub(broker.port, teach={"enabled": False}) as hub,
        a_node(broker.port),
    ):
        await hub.until(lambda: hub.rooms() == ["den"])
        status, error = await post(hub, "POST /teach?node=den&genre=techno")
    assert status == 403
    assert "teaching is off here" in error["message"]
