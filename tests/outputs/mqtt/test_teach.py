"""Lessons over MQTT."""

import asyncio
import json

import pytest

from rtgenre.messages.taught import TeachError
from rtgenre.outputs.mqtt.homeassistant import (
    DiscoveryParams,
    HomeAssistantExtension,
    discovery_payload,
)
from rtgenre.outputs.mqtt.teach import TeachExtension
from tests.documents import a_state


class Lessons(list):
    async def teach(self, node, genre):
        if genre == "#":
            raise TeachError("a genre cannot be called '#'")
        self.append((node, genre))
        return {"type": "taught", "genre": genre}

    async def forget(self, numbers):
        self.append(("forgotten", *numbers))
        return len(numbers)


async def told(payload, node="den", topic="rtgenre/den/teach/set"):
    """Send a lesson and return what was taught and what is answered with the next window."""
    lessons = Lessons()
    extension = TeachExtension(
        lessons.teach, lessons.forget, prefix="rtgenre", nodes=["den", "hall"], qos=1
    )
    extension.on_message(node, topic, payload)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return lessons, extension.on_document(a_state(1, node=node))


async def test_a_genre_is_taught_and_answered_with_the_next_window():
    lessons, (answer,) = await told(b"techno")
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
    lessons, answers = await told(b"techno", node="hall")
    assert lessons == []
    assert answers == []


async def test_a_lesson_is_undone_by_its_id():
    lessons, (answer,) = await told(b'{"forget": 17}')
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
    _, (answer,) = await told(json.dumps({**payload, "request": "a1"}).encode())
    found = json.loads(answer.payload)
    assert (found["type"], found["request"]) == (kind, "a1")


@pytest.mark.parametrize("request_", ["", "x" * 33, "\ud800", 17, None, ["a1"]])
async def test_a_request_that_cannot_be_repeated_is_refused(request_):
    lessons, (answer,) = await told(json.dumps({"teach": "techno", "request": request_}).encode())
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
    lessons, (answer,) = await told(payload)
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
