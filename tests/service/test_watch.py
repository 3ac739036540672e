"""What a running service says of inputs that are lost, back or over."""

import asyncio
import contextlib
import logging

import numpy as np
import pytest
import soundfile

from rtgenre.config import Config
from rtgenre.messages.hub import Hub
from rtgenre.model.inference import InferenceWorkers
from rtgenre.service import watch
from rtgenre.service.listener import Listener
from rtgenre.service.service import Service
from rtgenre.service.watch import Watch
from rtgenre.sources import file
from rtgenre.sources.backoff import Backoff
from rtgenre.sources.file import FileSource
from tests.networks import HeldNetwork, tone_classifier
from tests.service.test_listener import make_listener
from tests.signals import tone
from tests.sources.conftest import eventually
from tests.sources_in_memory import HandSource


@pytest.fixture(autouse=True)
def every_log_line(caplog):
    caplog.set_level(logging.INFO)


@contextlib.asynccontextmanager
async def serving(*sources, classifier=None):
    """Run a service with one room a source: den, bath …; yield it and what it publishes."""
    rooms = [{"node": node} for node, _ in zip(("den", "bath"), sources, strict=False)]
    config = Config.model_validate(
        {"source": rooms, "websocket": {"enabled": False}, "history": {"enabled": False}}
    )
    played = list(zip(config.source, sources, strict=True))
    service = Service(config, classifier or tone_classifier(), played)
    stop = asyncio.Event()
    with service.hub.subscribe() as subscription:
        task = asyncio.create_task(service.run(stop))
        try:
            async with asyncio.timeout(30):
                yield task, subscription
        finally:
            stop.set()
            await asyncio.wait({task})


async def status_of(subscription, node):
    while True:
        document = await subscription.get()
        if (document["type"], document["node"]) == ("status", node):
            return document


async def test_an_input_that_is_lost_and_back_is_said_once_and_in_words(caplog):
    source = HandSource()
    source.name = "device: default"
    async with serving(source) as (_, published):
        source.play(tone(200, 0.5))
        await source.drained()
        source.problem = "unplugged"
        assert (await status_of(published, "den"))["problem"] == "unplugged"
        source.problem = None
        assert (await status_of(published, "den"))["problem"] is None
    assert caplog.messages == [
        "den: listening to default input",
        "den: unplugged",
        "den: hearing default input again",
    ]


async def test_a_looped_file_that_vanishes_is_said_once(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(file, "Backoff", lambda **_: Backoff(0.05, 0.05))
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(200, 0.1), 22050)
    source = FileSource((path,), loop=True)
    async with serving(source) as (_, published):
        await eventually(lambda: "den: listening to a.wav" in caplog.messages)
        path.rename(tmp_path / "hidden.wav")
        assert (await status_of(published, "den"))["problem"] == f"{path}: there is no such file"
    gone = [record for record in caplog.records if "no such file" in record.getMessage()]
    assert [(record.levelname, record.getMessage()) for record in gone] == [
        ("WARNING", f"den: {path}: there is no such file")
    ]


async def test_a_file_that_ends_while_other_rooms_go_on_says_so(caplog):
    ending, going_on = HandSource(), HandSource()
    ending.name = "file: song.wav"
    async with serving(ending, going_on) as (_, published):
        ending.play(tone(200, 4))
        going_on.play(tone(200, 4))
        ending.end()
        status = await status_of(published, "den")
        assert (status["problem"], status["gone"]) == ("the input has ended: song.wav", True)
    assert "den: the input has ended: song.wav" in caplog.messages
    assert not any(record.levelname == "WARNING" for record in caplog.records)


async def test_the_end_of_a_file_is_said_after_its_last_window_however_slow_the_machine():
    network, ending = HeldNetwork(), HandSource()
    async with serving(ending, HandSource(), classifier=tone_classifier(network)) as (_, published):
        ending.play(tone(200, 4))
        ending.end()
        await asyncio.to_thread(network.entered.wait)
        # Longer than from one look to the next.
        await asyncio.sleep(0.7)
        network.let_go.set()
        documents = [await published.get(), await published.get()]
    assert [document["type"] for document in documents] == ["state", "status"]


async def test_an_input_that_stays_lost_is_gone_for_whoever_shows_it(monkeypatch, caplog):
    monkeypatch.setattr(watch, "GONE_SECONDS", 0.2)
    source = HandSource()
    async with serving(source) as (_, published):
        source.problem = "unplugged"
        assert not (await status_of(published, "den"))["gone"]
        assert (await status_of(published, "den"))["gone"]
        source.problem = None
        assert not (await status_of(published, "den"))["gone"]
    assert caplog.messages.count("den: unplugged") == 1


async def test_the_last_input_to_end_ends_the_service_without_a_word_in_the_log(caplog):
    sources = HandSource(), HandSource()
    async with serving(*sources) as (task, published):
        for source in sources:
            source.play(np.zeros(2205, dtype=np.float32))
            source.end()
        assert await task == 0
        assert (await status_of(published, "den"))["gone"]
        assert (await status_of(published, "bath"))["gone"]
    assert not any("ended" in message for message in caplog.messages)


async def test_every_file_that_is_missing_is_said_once_though_none_is_waited_for(tmp_path, caplog):
    names = ["one.wav", "other.wav"]
    sources = [FileSource((tmp_path / name,), speed="max") for name in names]
    async with serving(*sources) as (task, _):
        assert await task == 1
    for name in names:
        assert sum(name in message for message in caplog.messages) == 1, caplog.messages


async def test_a_hint_about_many_rooms_is_one_line_in_the_log(caplog, monkeypatch):
    monkeypatch.setattr(Listener, "hint", "too slow: 12 % of windows skipped")
    async with InferenceWorkers(tone_classifier()) as workers:
        nodes = [f"room{number}" for number in range(100)]
        hub = Hub()
        listeners = [make_listener(HandSource(), workers, hub, node=node) for node in nodes]
        watch = Watch(listeners, hub)
        watch.look()
        watch.look()
    lines = [record.getMessage() for record in caplog.records if "too slow" in record.message]
    assert lines == ["room0, room1, room2 and 97 more: too slow: 12 % of windows skipped"]
    assert sum(document["hint"] is not None for document in hub.latest()) == 100
