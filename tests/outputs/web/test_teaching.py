"""Lessons over the port: who may give them, and what is answered."""

import json

import pytest
from websockets.asyncio.client import connect

from rtgenre.messages.hub import Hub
from rtgenre.outputs.web.teaching import teaching_routes
from tests.documents import a_websocket_output
from tests.lessons import Lessons
from tests.messages.test_payload import VALIDATOR
from tests.outputs.web.test_server import request

TOKEN = "a-token-that-is-long-enough"


@pytest.fixture
def lessons():
    return Lessons()


def output(lessons, **options):
    routes = teaching_routes(lessons, ["den"])
    return a_websocket_output(Hub(), "den", routes=routes, teaching=lessons, **options)


async def ask(server, what, **headers):
    method, target = what.split()
    status, _, body = await request(server, target, method=method, **headers)
    return status, json.loads(body)


async def test_a_lesson_over_http_is_answered_with_what_was_learnt(lessons):
    async with output(lessons) as server:
        status, answer = await ask(server, "POST /teach?genre=techno", Content_Length="0")
        _, listed = await ask(server, "GET /taught")
        _, forgotten = await ask(server, f"DELETE /taught?id={answer['id']}")
    assert status == 200
    assert lessons.lessons == [("den", "techno")]
    assert lessons.genres == {}
    for document in (answer, listed, forgotten):
        VALIDATOR.validate(document)


async def test_a_link_teaches_nothing_so_that_no_page_can_hide_one(lessons):
    async with output(lessons) as server:
        status, _ = await ask(server, "GET /teach?genre=techno")
    assert status in {404, 405}
    assert lessons.lessons == []


async def test_pages_of_other_sites_teach_nothing(lessons):
    async with output(lessons) as server:
        status, _ = await ask(server, "POST /teach?genre=techno", Origin="https://evil.example")
    assert status == 403
    assert lessons.lessons == []


async def test_where_there_is_a_token_only_those_who_know_it_teach(lessons):
    async with output(lessons, token=TOKEN) as server:
        refused, _ = await ask(server, "POST /teach?genre=techno")
        assert lessons.lessons == []
        taken, _ = await ask(server, "POST /teach?genre=techno", Authorization=f"Bearer {TOKEN}")
    assert (refused, taken) == (401, 200)


async def test_a_lesson_over_the_websocket_is_answered_and_undone(lessons):
    async with output(lessons) as server, connect(server.url) as client:
        await client.recv()
        await client.send(json.dumps({"teach": {"node": "den", "genre": "techno"}}))
        answer = json.loads(await client.recv())
        await client.send(json.dumps({"forget": answer["id"]}))
        forgotten = json.loads(await client.recv())
        lessons.problem = "nothing is playing"
        await client.send(json.dumps({"teach": {"node": "den", "genre": "techno"}}))
        error = json.loads(await client.recv())
    assert answer["type"] == "taught"
    assert forgotten == {"schema": 2, "type": "forgotten", "stretches": 1}
    assert error["message"] == "nothing is playing"


@pytest.mark.parametrize("lesson", [{}, {"node": "den"}, {"node": 1, "genre": "x"}, "jazz", None])
async def test_a_lesson_that_makes_no_sense_is_answered_with_what_it_takes(lessons, lesson):
    async with output(lessons) as server, connect(server.url) as client:
        await client.recv()
        await client.send(json.dumps({"teach": lesson}))
        answer = json.loads(await client.recv())
    assert "teach takes" in answer["message"]
    assert lessons.lessons == []
