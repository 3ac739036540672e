import asyncio
import csv
import io
import json
import sqlite3
import threading
import time
from contextlib import asynccontextmanager, suppress

import pytest

from rtgenre.config import HistoryConfig
from rtgenre.history.store import HistoryStore, read_stretches
from rtgenre.history.stretches import Stretch
from rtgenre.messages.hub import Hub
from rtgenre.messages.payload import iso_utc
from rtgenre.outputs import history
from rtgenre.outputs.history import HistoryOutput, history_file


def document(at, genre="rock", node="kitchen"):
    return {
        "type": "state",
        "node": node,
        "time": iso_utc(at),
        "state": "music",
        "genre": genre,
        "confidence": 0.8,
        "reason": None,
        "title": f"a song of {genre}",
        "artist": None,
    }


@asynccontextmanager
async def running(tmp_path, nodes=("kitchen",), **options):
    hub = Hub()
    config = HistoryConfig(file=tmp_path / "history.db")
    output = HistoryOutput(config, hub, model_of=dict.fromkeys(nodes, "crnn 1").get, **options)
    task = asyncio.create_task(output.run())
    await asyncio.sleep(0)
    try:
        yield hub, output
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def hear(hub, *documents):
    for each in documents:
        await asyncio.sleep(0)
        hub.publish(each)
        await hub.taken_by_lossless()


async def ask(output, **query):
    response = await output.answer(query)
    return response, json.loads(response.body)


def genres_in(file):
    return [stretch.genre for stretch in read_stretches(file, 0, 4e9)]


async def until(condition, seconds=20.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def test_what_is_playing_now_is_answered_before_it_is_written(tmp_path):
    now = time.time()
    async with running(tmp_path) as (hub, output):
        await hear(hub, document(now - 60), document(now - 50), document(now - 50, "jazz"))
        await hear(hub, document(now - 40, "jazz"))
        _, answer = await ask(output, since="1h")
        _, jazz = await ask(output, since="1h", genre="jazz")
    assert [stretch["genre"] for stretch in answer["stretches"]] == ["rock", "jazz"]
    assert [stretch["title"] for stretch in jazz["stretches"]] == ["a song of jazz"]


async def test_a_stretch_is_written_when_it_ends(tmp_path):
    now = time.time()
    async with running(tmp_path) as (hub, _):
        await hear(hub, document(now - 20), document(now - 10), document(now - 5, "jazz"))
        await until(lambda: genres_in(tmp_path / "history.db") == ["rock"])


async def test_a_stretch_that_goes_on_is_written_meanwhile(tmp_path):
    now = time.time()
    async with running(tmp_path, write_every_seconds=0.02) as (hub, _):
        await hear(hub, document(now - 20), document(now - 10))
        await until(lambda: genres_in(tmp_path / "history.db") == ["rock"])
        await hear(hub, document(now - 5))
        await until(lambda: read_stretches(tmp_path / "history.db", 0, 4e9)[0].seconds > 14)
    assert genres_in(tmp_path / "history.db") == ["rock"]


async def test_a_clean_stop_writes_what_was_heard_to_the_end(tmp_path):
    now = time.time()
    async with running(tmp_path) as (hub, _):
        await hear(hub, document(now - 20), document(now - 10))
    (stretch,) = read_stretches(tmp_path / "history.db", 0, 4e9)
    assert round(stretch.seconds, 3) == 10


async def test_a_stop_waits_for_another_process_that_has_the_file(tmp_path):
    file = tmp_path / "history.db"
    now = time.time()
    async with running(tmp_path) as (hub, output):
        await hear(hub, document(now - 20), document(now - 10))
        HistoryStore(file)
        other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(1.5, other.execute, "COMMIT")
    assert genres_in(file) == ["rock"]
    assert output.writer.waiting() == []


async def test_what_a_stop_loses_is_told_with_the_reason(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("rtgenre.history.store.BUSY_TIMEOUT_SECONDS", 0.05)
    file = tmp_path / "history.db"
    now = time.time()
    async with running(tmp_path) as (hub, _):
        await hear(hub, document(now - 20), document(now - 10))
        HistoryStore(file)
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
    message = caplog.messages[-1]
    assert "the newest 10 s of the history are lost" in message
    assert "locked" in message


async def test_rooms_are_kept_apart_and_can_be_asked_for_one_by_one(tmp_path):
    now = time.time()
    async with running(tmp_path, nodes=("kitchen", "studio")) as (hub, output):
        await hear(hub, document(now - 20), document(now - 20, "jazz", "studio"))
        await hear(hub, document(now - 10), document(now - 10, "jazz", "studio"))
        _, both = await ask(output)
        _, one = await ask(output, node="studio")
    assert len(both["stretches"]) == 2
    assert [stretch["genre"] for stretch in one["stretches"]] == ["jazz"]


async def test_sources_that_are_not_listed_are_not_kept(tmp_path):
    now = time.time()
    async with running(tmp_path) as (hub, output):
        await hear(hub, document(now - 20, node="file"), document(now - 10, node="file"))
        _, answer = await ask(output)
    assert answer["stretches"] == []


async def test_csv_holds_the_same_stretches(tmp_path):
    now = time.time()
    async with running(tmp_path) as (hub, output):
        await hear(hub, document(now - 20), document(now - 10))
        response = await output.answer({"format": "csv"})
    assert response.content_type.startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(response.body.decode()))
    assert (row["genre"], float(row["seconds"])) == ("rock", 10)


async def test_all_that_was_ever_heard_can_be_asked_for(tmp_path):
    async with running(tmp_path) as (_, output):
        response, answer = await ask(output, since="999999w")
    assert (response.status, answer["since"]) == (200, "1970-01-01T00:00:00.000Z")


@pytest.mark.parametrize(
    "query", [{"since": "soon"}, {"until": "x"}, {"until": "2d"}, {"format": "xml"}]
)
async def test_a_query_that_makes_no_sense_is_told_what_may_be_asked(tmp_path, query):
    async with running(tmp_path) as (_, output):
        response, answer = await ask(output, **query)
    assert response.status == 400
    assert next(iter(query.values())) in answer["message"]


async def test_a_file_that_cannot_be_read_is_an_answer_and_not_an_end(tmp_path):
    (tmp_path / "history.db").write_text("not a database " * 100)
    async with running(tmp_path) as (_, output):
        response, answer = await ask(output)
    assert response.status == 503
    assert "history.db" in answer["message"]


async def test_a_disk_that_hangs_holds_up_neither_the_loop_nor_the_end(tmp_path, monkeypatch):
    released, begun = threading.Event(), []

    def hang(*_):
        begun.append(threading.current_thread())
        released.wait()

    monkeypatch.setattr(history, "READ_TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr(history, "CLOSE_SECONDS", 0.1)
    monkeypatch.setattr(history, "read_stretches", hang)
    async with running(tmp_path) as (_, output):
        for _ in range(history.MAX_READS + 2):
            response, _ = await ask(output)
            assert response.status == 503
        assert 0 < len(begun) <= history.MAX_READS
        released.set()


async def test_a_week_of_short_stretches_is_answered_whole(tmp_path):
    now = time.time()
    week = [
        Stretch("kitchen", now - 60 * (i + 1), now - 60 * i, ("rock", "jazz")[i % 2], 0.8, "crnn 1")
        for i in range(7 * 24 * 60 - 1)
    ]
    with HistoryStore(tmp_path / "history.db") as store:
        store.write(week)
    async with running(tmp_path) as (_, output):
        _, answer = await ask(output, since="7d")
    assert len(answer["stretches"]) == len(week)


def test_the_file_is_where_the_settings_say_or_in_the_users_data_folder(tmp_path, monkeypatch):
    assert history_file(HistoryConfig(file=tmp_path / "x.db")) == tmp_path / "x.db"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert history_file(HistoryConfig()).name == "history.db"
    assert history_file(HistoryConfig()).is_relative_to(tmp_path)
    assert history_file(HistoryConfig(file="~/heard.db")) == tmp_path / "heard.db"


async def test_what_is_deleted_stays_deleted_though_the_genre_goes_on(tmp_path):
    now = time.time() - 100
    async with running(tmp_path, nodes=("kitchen", "studio")) as (hub, output):
        await hear(hub, *(document(now + 2 * i) for i in range(4)))
        await hear(hub, document(now), document(now, node="studio"))
        await hear(hub, document(now + 6, node="studio"))
        query = {"since": iso_utc(now - 1), "until": iso_utc(now + 6), "node": "kitchen"}
        response = await output.delete(query)
        assert response.status == 200
        assert json.loads(response.body)["stretches"] == []
        await hear(hub, document(now + 8), document(now + 10, "jazz"))
    kept = read_stretches(tmp_path / "history.db", 0, 4e9)
    assert [(s.node, s.genre, round(s.started_at - now)) for s in kept] == [
        ("studio", "rock", 0),
        ("kitchen", "rock", 6),
    ]
    assert {stretch.confidence for stretch in kept} == {0.8}


async def test_a_deletion_of_one_genre_leaves_the_others_as_they_are(tmp_path):
    now = time.time() - 100
    async with running(tmp_path) as (hub, output):
        await hear(hub, *(document(now + 2 * i, "rock") for i in range(3)))
        await hear(hub, *(document(now + 6 + 2 * i, "jazz") for i in range(3)))
        query = {"since": iso_utc(now - 1), "until": iso_utc(now + 50), "genre": "rock"}
        assert (await output.delete(query)).status == 200
        await hear(hub, document(now + 12, "jazz"), document(now + 14, "rock"))
    kept = read_stretches(tmp_path / "history.db", 0, 4e9)
    assert [(s.genre, round(s.started_at - now)) for s in kept] == [("jazz", 6)]
    assert round(kept[0].seconds) == 8


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({}, "since"),
        ({"since": "7d"}, "until"),
        ({"since": "1d", "until": "2d"}, "come after"),
        ({"since": "tomorrow", "until": "1d"}, "tomorrow"),
        (
            {"since": "1d", "until": "now", "gerne": "rock"},
            "since, until, node, genre, not 'gerne'",
        ),
    ],
)
async def test_a_deletion_says_what_it_needs_and_deletes_nothing(tmp_path, query, message):
    async with running(tmp_path) as (_, output):
        response = await output.delete(query)
    assert response.status == 400
    assert message in json.loads(response.body)["message"]


async def test_a_deletion_that_fails_says_why_at_once(tmp_path):
    (tmp_path / "history.db").write_text("no database at all, but long enough to be taken for one")
    now = time.time() - 100
    async with running(tmp_path) as (hub, output):
        await hear(hub, document(now), document(now + 2))
        for _ in range(2):
            response = await output.delete({"since": "7d", "until": iso_utc(now + 2)})
            assert response.status == 503
            assert "not a history" in json.loads(response.body)["message"]
