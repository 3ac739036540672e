"""Lessons over the port: who may give them, and what is answered."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect

from rtgenre.messages.hub import Hub
from rtgenre.outputs.web.connection import MAX_BODY_BYTES
from rtgenre.outputs.web.teaching import teaching_routes, teaching_uploads
from tests.documents import a_websocket_output
from tests.lessons import Lessons
from tests.messages.test_payload import VALIDATOR
from tests.outputs.web.test_server import answer, request

TOKEN = "a-token-that-is-long-enough"


@pytest.fixture
def lessons():
    return Lessons()


def output(lessons, **options):
    routes = teaching_routes(lessons, ["den"])
    uploads = teaching_uploads(lessons)
    return a_websocket_output(
        Hub(), "den", routes=routes, uploads=uploads, teaching=lessons, **options
    )


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


async def send(server, target, content, *, length=None, pause_at=None, **headers):
    """Send a file as a body and return status and answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    length = len(content) if length is None else length
    lines = {"Host": f"127.0.0.1:{server.port}", "Content-Length": length} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    sent = f"POST {target} HTTP/1.1\r\n{head}\r\n".encode() + content
    for part in (sent[:pause_at], sent[pause_at:] if pause_at else b""):
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0)
    if len(content) < length:
        writer.write_eof()
    status, _, body = await answer(reader, writer)
    return status, json.loads(body)


async def test_what_was_exported_is_a_file_and_is_taken_in_again(lessons):
    lessons.genres = {1: "techno", 2: "house"}
    async with output(lessons) as server:
        status, headers, exported = await request(server, "/taught/export")
        _, _, one = await request(server, "/taught/export?id=2,7")
        taken, answered = await send(server, "/taught/import", exported)
    assert status == taken == 200
    assert "attachment" in headers["Content-Disposition"]
    assert one.count(b"\n") == 1
    assert lessons.parts == [exported.decode()]
    assert (answered["stretches"], answered["note"]) == (2, "Took in 2 stretches.")
    VALIDATOR.validate(answered)


@pytest.mark.parametrize("pause_at", [3, 40, 85, 120, 5000])
async def test_a_file_may_arrive_in_pieces(lessons, pause_at):
    content = b'{"node": 1}\n' * 1000
    async with output(lessons) as server:
        status, _ = await send(server, "/taught/import", content, pause_at=pause_at)
    assert status == 200
    assert lessons.parts == [content.decode()]


async def test_a_file_of_the_largest_size_is_taken_and_none_beyond(lessons):
    async with output(lessons) as server:
        status, _ = await send(server, "/taught/import", b"x" * MAX_BODY_BYTES)
        refused, error = await send(server, "/taught/import", b"", length=MAX_BODY_BYTES + 1)
    assert status == 200
    assert (refused, len(lessons.parts)) == (413, 1)
    assert "at most" in error["message"]


async def test_a_file_that_ends_early_is_not_taken_in(lessons):
    async with output(lessons) as server, asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            b"POST /taught/import HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"
        )
        writer.close()
        await writer.wait_closed()
        await reader.read()
        while len(server.connections):
            await asyncio.sleep(0.01)
    assert lessons.parts == []


@pytest.mark.parametrize("content", [b"\xff\xfe", b"virus"])
async def test_what_is_no_such_file_is_refused_with_why(lessons, content):
    async with output(lessons) as server:
        status, error = await send(server, "/taught/import", content)
    assert status == 400
    assert "no file of what was taught" in error["message"]


async def test_a_file_is_taken_from_those_who_know_the_token_and_from_no_other_site(lessons):
    evil = {"Origin": "https://evil.example"}
    async with output(lessons, token=TOKEN) as server:
        without, _ = await send(server, "/taught/import", b"{}")
        secret, _, _ = await request(server, "/taught/export")
        known = {"Authorization": f"Bearer {TOKEN}"}
        elsewhere, _ = await send(server, "/taught/import", b"{}", **known, **evil)
        assert lessons.parts == []
        taken, _ = await send(server, "/taught/import", b"{}", **known)
    assert (without, secret, elsewhere, taken) == (401, 401, 403, 200)


async def test_a_request_without_a_file_is_told_what_is_missing(lessons):
    async with output(lessons) as server:
        status, error = await send(server, "/taught/import", b"")
        wrong, _, _ = await request(server, "/taught/import")
    assert (status, wrong) == (411, 404)
    assert "body" in error["message"]


async def test_no_other_path_takes_a_body_and_none_is_waited_for(lessons):
    async with output(lessons) as server, asyncio.timeout(5):
        for target in ("/teach?genre=techno", "/state", "/ws", "/"):
            status, error = await send(server, target, b"", length=1000)
            assert status == 400
            assert "without a body" in error["message"]
    assert lessons.lessons == []
