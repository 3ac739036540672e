"""Lessons over MQTT."""

import asyncio
import json

import pytest

from rtgenre.messages.hub import Hub
from rtgenre.messages.taught import TeachError
from rtgenre.outputs.mqtt.broker import publish_once
from rtgenre.outputs.mqtt.homeassistant import (
    DiscoveryParams,
    HomeAssistantExtension,
    discovery_payload,
)
from rtgenre.outputs.mqtt.teach import MAX_WAITING_ANSWERS, TeachExtension
from rtgenre.outputs.mqtt.topics import Message
from tests.broker import Broker, settings_for, subscribed
from tests.documents import a_state
from tests.outputs.mqtt.test_publisher import publishing


class Lessons(list):
    async def teach(self, node, genre):
        if genre == "#":
            raise TeachError("a genre cannot be called '#'")
        self.append((node, genre))
        return {"type": "taught", "genre": genre}

    async def forget(self, numbers):
        self.append(("forgotten", *numbers))
        return len(numbers)


@pytest.fixture
async def broker(tmp_path):
    async with Broker(tmp_path) as broker:
        yield broker


def teaching(lessons):
    return TeachExtension(
        lessons.teach, lessons.forget, prefix="rtgenre", nodes=["den", "hall"], qos=1
    )


async def told(payload):
    """Send a lesson and return what was taught and what is answered."""
    lessons = Lessons()
    extension = teaching(lessons)
    extension.on_message("den", "rtgenre/den/teach/set", payload)
    return lessons, await extension.next_message("den")


async def test_a_genre_is_taught_and_answered():
    lessons, answer = await told(b"techno")
    assert lessons == [("den", "techno")]
    assert answer.topic == "rtgenre/den/teach/answer"
    assert json.loads(answer.payload)["genre"] == "techno"
    assert not answer.retain


@pytest.mark.parametrize(
    ("payload", "genre"), [(b'"techno"', "techno"), (b"80", "80"), (b"[80s", "[80s")]
)
async def test_a_genre_may_be_sent_as_json_and_look_like_it(payload, genre):
    lessons, _ = await told(payload)
    assert lessons == [("den", genre)]


async def test_a_room_takes_its_own_lessons_only():
    lessons = Lessons()
    extension = teaching(lessons)
    extension.on_message("hall", "rtgenre/den/teach/set", b"techno")
    extension.on_message("hall", "rtgenre/hall/teach/set", b"house")
    answer = await extension.next_message("hall")
    assert answer.topic == "rtgenre/hall/teach/answer"
    assert lessons == [("hall", "house")]


async def test_a_lesson_is_answered_while_no_window_and_no_status_comes(broker):
    extension = teaching(Lessons())
    async with (
        subscribed(broker.port, "rtgenre/den/teach/answer") as subscriber,
        publishing(settings_for(broker.port), Hub(), extensions=[extension]),
    ):
        await broker.has_logged("rtgenre/den/teach/set (QoS 1)", times=1)
        lessons = [Message("rtgenre/den/teach/set", '{"forget": 17}', retain=False)] * 2
        await publish_once(settings_for(broker.port), lessons)
        await subscriber.until(lambda it: len(it.seen) == 2)
    assert json.loads(subscriber.seen[0][1])["type"] == "forgotten"


async def test_of_answers_that_nobody_fetched_the_newest_are_kept():
    extension = teaching(lessons := Lessons())
    for number in range(MAX_WAITING_ANSWERS + 1):
        asked = {"forget": number, "request": f"a{number}"}
        extension.on_message("den", "rtgenre/den/teach/set", json.dumps(asked).encode())
    while len(lessons) <= MAX_WAITING_ANSWERS:
        await asyncio.sleep(0)
    oldest = json.loads((await extension.next_message("den")).payload)
    assert oldest["request"] == "a1"


async def test_a_lesson_is_undone_by_its_id():
    lessons, answer = await told(b'{"forget": 17}')
    assert lessons == [("forgotten", 17)]
    assert json.loads(answer.payload) == {"schema": 2, "type": "forgotten", "stretches": 1}


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ({"teach": "techno"}, "taught"),
        ({"teach": "#"}, "error"),
        ({"teach": 17}, "error"),
        ({"forget": 17}, "forgotten"),
    ],
)
async def test_an_answer_repeats_the_request_so_that_it_is_told_from_others(payload, kind):
    _, answer = await told(json.dumps({**payload, "request": "a1"}).encode())
    found = json.loads(answer.payload)
    assert (found["type"], found["request"]) == (kind, "a1")


@pytest.mark.parametrize("request_", ["", "x" * 33, "\ud800", 17, None, ["a1"]])
async def test_a_request_that_cannot_be_repeated_is_refused(request_):
    lessons, answer = await told(json.dumps({"teach": "techno", "request": request_}).encode())
    assert lessons == []
    assert "request is no text" in json.loads(answer.payload)["message"]


@pytest.mark.parametrize(
    "payload",
    [
        b"#",
        b"\xff\xfe",
        b"x" * 1000,
        b"{",
        b"{}",
        b'{"forget": "x"}',
        b'{"forget": true}',
        b"null",
        b"true",
        b'["jazz"]',
    ],
)
async def test_what_cannot_be_taught_is_answered_with_why(payload):
    lessons, answer = await told(payload)
    assert lessons == []
    assert json.loads(answer.payload).items() >= {"schema": 2, "type": "error"}.items()


def params(**options):
    return DiscoveryParams(labels=("jazz", "rock"), version="1", model="crnn", **options)


def test_home_assistant_gets_a_select_with_the_genres_where_teaching_is_possible():
    entities = discovery_payload("den", params(teachable=True))["cmps"]
    assert entities["teach"]["options"] == ["jazz", "rock"]
    assert entities["teach"]["command_topic"] == "rtgenre/den/teach/set"
    assert "teach" not in discovery_payload("den", params())["cmps"]


def test_home_assistant_is_told_once_when_genres_are_new():
    extension = HomeAssistantExtension(params(teachable=True))
    extension.on_connect("den")
    assert extension.on_document(a_state(1)) == []
    extension.change(labels=("jazz", "rock", "techno"), music_threshold=0.5)
    (message,) = extension.on_document(a_state(2))
    assert "techno" in json.loads(message.payload)["cmps"]["teach"]["options"]
    assert extension.on_document(a_state(3)) == []
