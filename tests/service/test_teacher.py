"""Teaching the running service: it follows at once, remembers, and takes no harm from files."""

import asyncio
import contextlib
import sqlite3
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from rtgenre.config import Config
from rtgenre.learning.taught.notebook import Notebook
from rtgenre.messages.taught import TeachError
from rtgenre.model.classifier import Classifier
from rtgenre.service import teacher as teacher_module
from rtgenre.service.service import Service
from rtgenre.service.teacher import Teacher
from tests.networks import (
    HEARING_INFO,
    HearingNetwork,
    hearing_classifier,
    tone_classifier,
    write_hearing_examples,
)
from tests.signals import noise, tone
from tests.sources_in_memory import HandSource

LOW, OTHER_LOW, HIGH = 700.0, 150.0, 6000.0


@pytest.fixture
def folder(tmp_path):
    write_hearing_examples(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def looks_often(monkeypatch):
    monkeypatch.setattr(teacher_module, "LOOK_EVERY_SECONDS", 0.05)


class Rooms:
    """A running service with a source for each node, and what it said."""

    def __init__(self, folder, *nodes, classifier=None):
        self.sources = {node: HandSource() for node in nodes or ("den",)}
        config = Config(
            source=[{"node": node} for node in self.sources],
            websocket={"enabled": False},
            history={"enabled": False},
        )
        classifier = classifier or hearing_classifier()
        self.notebook = Notebook(folder / "taught.db", classifier.info, folder)
        paired = list(zip(config.source, self.sources.values(), strict=True))
        self.service = Service(config, classifier, paired, self.notebook)
        self._stop = asyncio.Event()
        self._subscription = None
        self._clock = 1000.0

    async def __aenter__(self):
        self._stack = contextlib.ExitStack()
        self._subscription = self._stack.enter_context(self.service.hub.subscribe())
        self._running = asyncio.create_task(self.service.run(self._stop))
        while self.service.teacher is None:
            await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *exc_info):
        self._stop.set()
        await self._running
        self._stack.close()

    @property
    def teacher(self):
        return self.service.teacher

    async def hear(self, hz, *, windows=1, node="den"):
        """Play a sound and return the last window's document."""
        document = None
        for _ in range(windows):
            self._play(hz, node)
            document = await self.next_state()
        return document

    async def begin(self, hz, *, windows=4, node="den"):
        self._play(hz, node)
        return await self.hear(hz, windows=windows, node=node)

    def _play(self, hz, node):
        self._clock += 2.0
        sound = tone(hz, 2) + noise(2, amplitude=0.003)
        self.sources[node].play(sound, captured_at=self._clock)

    async def next_state(self):
        while True:
            document = await asyncio.wait_for(self._subscription.get(), 30)
            if document["type"] == "state":
                return document

    async def learnt(self, *labels):
        """Wait until the genres are the model's and these."""
        await self.until(
            lambda: (
                self.teacher.labels == ("jazz", "rock", *labels) and not self.teacher.is_learning
            )
        )

    async def until(self, condition):
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.01)


async def test_what_was_taught_is_shown_within_two_windows_and_known_again(folder):
    async with Rooms(folder) as rooms:
        assert (await rooms.begin(LOW))["genre"] == "jazz"
        answer = await rooms.teacher.teach("den", "techno")
        await rooms.learnt("techno")
        shown = await rooms.hear(LOW, windows=2)
        other = await rooms.hear(HIGH, windows=4)
        again = await rooms.hear(LOW, windows=4)
    assert answer["new"]
    assert answer["seconds"] >= 8.0
    assert shown["genre"] == "techno"
    assert set(shown["probabilities"]) == {"jazz", "rock", "techno"}
    assert other["genre"] == "rock"
    assert again["genre"] == "techno"


async def test_an_undone_lesson_leaves_no_trace(folder):
    async with Rooms(folder) as rooms:
        before = await rooms.begin(LOW)
        answer = await rooms.teacher.teach("den", "techno")
        await rooms.learnt("techno")
        assert (await rooms.hear(LOW, windows=2))["genre"] == "techno"
        assert await rooms.teacher.forget([answer["id"]]) == 1
        await rooms.learnt()
        after = await rooms.hear(LOW, windows=2)
        listed = await rooms.teacher.list()
    assert after["genre"] == "jazz"
    assert after["raw_probabilities"] == before["raw_probabilities"]
    assert listed["stretches"] == []


async def test_a_correction_to_a_genre_of_the_model_needs_no_new_one(folder):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        answer = await rooms.teacher.teach("den", "Rock")
        await rooms.learnt()
        shown = await rooms.hear(LOW, windows=2)
    assert not answer["new"]
    assert answer["genre"] == shown["genre"] == "rock"


async def test_a_service_that_is_killed_and_started_again_knows_what_was_answered(folder):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        # It stops right after the answer, before it has learnt.
        await rooms.teacher.teach("den", "techno")
    async with Rooms(folder) as rooms:
        await rooms.learnt("techno")
        assert (await rooms.begin(LOW))["genre"] == "techno"


async def test_a_second_service_learns_what_the_first_was_taught(folder):
    async with Rooms(folder) as first, Rooms(folder, "hall") as second:
        await first.begin(LOW)
        await second.begin(LOW, node="hall")
        await first.teacher.teach("den", "techno")
        await second.learnt("techno")
        shown = await second.hear(LOW, windows=2, node="hall")
    assert shown["genre"] == "techno"


async def test_two_pages_that_teach_at_once_both_count(folder):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        answers = await asyncio.gather(
            rooms.teacher.teach("den", "techno"), rooms.teacher.teach("den", "house")
        )
        await rooms.learnt("house", "techno")
        listed = await rooms.teacher.list()
    assert len({answer["id"] for answer in answers}) == 2
    assert {item["genre"] for item in listed["stretches"]} == {"techno", "house"}


async def test_a_damaged_file_is_said_left_alone_and_costs_no_window(folder):
    damaged = b"no SQLite file at all" * 100
    (folder / "taught.db").write_bytes(damaged)
    async with Rooms(folder) as rooms:
        assert (await rooms.begin(LOW))["genre"] == "jazz"
        with pytest.raises(TeachError, match="damaged"):
            await rooms.teacher.teach("den", "techno")
        assert (await rooms.hear(LOW))["genre"] == "jazz"
        await rooms.until(lambda: rooms.teacher.problem)
        assert "damaged" in rooms.teacher.problem
    assert (folder / "taught.db").read_bytes() == damaged


async def test_a_file_that_is_damaged_while_it_listens_is_said_and_what_was_learnt_stays(folder):
    file = folder / "taught.db"
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        await rooms.teacher.teach("den", "techno")
        await rooms.learnt("techno")
        for path in folder.glob("taught.db-*"):
            path.unlink()
        file.write_bytes(b"no SQLite file at all" * 100)
        await rooms.until(lambda: rooms.teacher.problem)
        assert "damaged" in rooms.teacher.problem
        assert (await rooms.hear(LOW, windows=2))["genre"] == "techno"
        # Once it is moved away, as the message says, all is well: nothing is taught.
        file.unlink()
        await rooms.learnt()
        assert rooms.teacher.problem is None
        assert (await rooms.hear(LOW, windows=2))["genre"] == "jazz"


async def test_a_full_disk_teaches_nothing_says_so_and_keeps_what_was_known(folder):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW, windows=14)
        await rooms.teacher.teach("den", "techno")
        await rooms.learnt("techno")
        lessons = (rooms.teacher.teach("den", "house") for _ in range(18))
        with full_file(), pytest.raises(TeachError, match="full"):
            await asyncio.gather(*lessons)
        shown = await rooms.hear(LOW, windows=2)
    assert shown["genre"] in {"techno", "house"}


@contextlib.contextmanager
def full_file():
    """Let a file grow no further than a page, as on a full disk."""
    connect = sqlite3.connect

    def limited(*arguments, **options):
        connection = connect(*arguments, **options)
        (n_pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {n_pages}")
        return connection

    sqlite3.connect = limited
    try:
        yield
    finally:
        sqlite3.connect = connect


async def test_an_updated_model_that_hears_alike_takes_over_what_was_taught(folder):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        await rooms.teacher.teach("den", "techno")
    updated = Classifier(replace(HEARING_INFO, version="2"), HearingNetwork())
    async with Rooms(folder, classifier=updated) as rooms:
        await rooms.learnt("techno")
        assert (await rooms.begin(LOW))["genre"] == "techno"


class KnowsTechno(HearingNetwork):
    """Hears alike, and has an output for techno, too, which it never says."""

    def run(self, features):
        said = super().run(features)
        return np.concatenate([said[:, :2], np.full_like(said[:, :1], 0.01), said[:, 2:]], axis=1)


@pytest.mark.parametrize("taught", ["techno", "Tech-No"])
async def test_an_updated_model_that_knows_a_taught_genre_by_now_has_it_once(folder, taught):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        await rooms.teacher.teach("den", taught)
    info = replace(HEARING_INFO, version="2", labels=("jazz", "rock", "techno"))
    write_hearing_examples(folder, 2000.0)
    async with Rooms(folder, classifier=Classifier(info, KnowsTechno())) as rooms:
        shown = await rooms.begin(LOW)
        await rooms.until(lambda: rooms.teacher._uses_taught)
        shown = await rooms.hear(LOW, windows=2)
        (item,) = (await rooms.teacher.list())["stretches"]
    assert item["used"]
    assert list(shown["probabilities"]) == ["jazz", "rock", "techno"]
    assert shown["genre"] == "techno"


async def test_a_model_without_examples_of_a_genre_says_that_nothing_can_be_taught(folder):
    info = replace(HEARING_INFO, labels=("jazz", "rock", "techno"))
    async with Rooms(folder, classifier=Classifier(info, KnowsTechno())) as rooms:
        await rooms.begin(LOW)
        await rooms.teacher.teach("den", "house")
        await rooms.until(lambda: rooms.teacher.problem)
        assert "has no examples of techno" in rooms.teacher.problem
        assert (await rooms.hear(LOW))["genre"] == "jazz"


class OtherEars(HearingNetwork):
    """Hears in another order."""

    def run(self, features):
        said = super().run(features)
        said[:, -8:] = said[:, -1:-9:-1]
        return said


async def test_an_updated_model_that_hears_otherwise_says_why_it_cannot(folder):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        await rooms.teacher.teach("den", "techno")
    updated = Classifier(replace(HEARING_INFO, version="2"), OtherEars())
    async with Rooms(folder, classifier=updated) as rooms:
        assert (await rooms.begin(LOW))["genre"] == "jazz"
        (item,) = (await rooms.teacher.list())["stretches"]
    assert not item["used"]
    assert item["network"] == "hearing 1"


async def test_a_model_that_cannot_be_taught_lists_what_another_was_and_lets_it_be_forgotten(
    folder,
):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        await rooms.teacher.teach("den", "techno")
    async with Rooms(folder, classifier=tone_classifier()) as rooms:
        (item,) = (await rooms.teacher.list())["stretches"]
        n_forgotten = await rooms.teacher.forget([item["id"]])
    assert not item["used"]
    assert item["network"] == "hearing 1"
    assert n_forgotten == 1


async def test_nothing_taught_changes_no_document_and_writes_no_file(folder):
    async with Rooms(folder) as rooms:
        shown = await rooms.begin(LOW)
        await rooms.teacher.list()
    assert not (folder / "taught.db").exists()
    assert set(shown["probabilities"]) == {"jazz", "rock"}


async def test_silence_teaches_nothing(folder):
    async with Rooms(folder) as rooms:
        rooms.sources["den"].play(0 * tone(LOW, 4))
        await rooms.next_state()
        with pytest.raises(TeachError, match="playing"):
            await rooms.teacher.teach("den", "techno")


async def test_nobody_can_flood_it(folder):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        lessons = (rooms.teacher.teach("den", "techno") for _ in range(100))
        with pytest.raises(TeachError, match="too much") as caught:
            await asyncio.gather(*lessons)
    assert caught.value.status == 429


async def test_nobody_can_keep_it_busy_with_forgetting_and_renaming(folder):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        await rooms.teacher.teach("den", "techno")
        changes = [rooms.teacher.forget([0]) for _ in range(100)]
        changes += [rooms.teacher.rename("techno", "house") for _ in range(100)]
        outcomes = await asyncio.gather(*changes, return_exceptions=True)
        refused = [one for one in outcomes if isinstance(one, TeachError) and one.status == 429]
        assert len(refused) >= 100
        assert "too much was changed" in str(refused[0])


async def test_a_number_that_no_lesson_can_have_is_forgotten_by_nobody(folder):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        await rooms.teacher.teach("den", "techno")
        assert await rooms.teacher.forget([10**30, -(10**30)]) == 0
        assert len((await rooms.teacher.list())["stretches"]) == 1


@pytest.mark.parametrize("name", ["", "unknown", "a/b", "#", 50 * "x", "<b>"])
async def test_names_that_no_topic_or_page_can_hold_are_refused(folder, name):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        with pytest.raises(TeachError):
            await rooms.teacher.teach("den", name)
        assert (await rooms.teacher.list())["stretches"] == []


async def test_a_renamed_genre_is_merged_with_one_that_exists(folder):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        await rooms.teacher.teach("den", "techno")
        await rooms.learnt("techno")
        assert await rooms.teacher.rename("techno", "rock") == 1
        await rooms.learnt()
        assert (await rooms.hear(LOW, windows=2))["genre"] == "rock"


async def test_a_taught_genre_is_renamed_to_the_same_name_in_other_letters(folder):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        await rooms.teacher.teach("den", "techno")
        await rooms.learnt("techno")
        assert await rooms.teacher.rename("techno", "Techno") == 1
        await rooms.learnt("Techno")
        assert (await rooms.hear(LOW, windows=2))["genre"] == "Techno"


async def test_what_was_taught_moves_to_another_machine_in_one_file(folder, tmp_path_factory):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        await rooms.teacher.teach("den", "techno")
        text = await rooms.teacher.written(None)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    write_hearing_examples(elsewhere)
    async with Rooms(elsewhere) as rooms:
        assert (await rooms.begin(LOW))["genre"] == "jazz"
        answer = await rooms.teacher.take_in(text)
        await rooms.learnt("techno")
        assert (await rooms.hear(LOW, windows=2))["genre"] == "techno"
        again = await rooms.teacher.take_in(text)
    assert (answer["stretches"], answer["known"]) == (1, 0)
    assert (again["stretches"], again["known"]) == (0, 1)


async def test_what_another_network_heard_is_taken_in_and_said_to_have_no_effect(folder):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        await rooms.teacher.teach("den", "techno")
        text = await rooms.teacher.written(None)
        await rooms.teacher.forget(None)
    updated = Classifier(replace(HEARING_INFO, version="2"), OtherEars())
    async with Rooms(folder, classifier=updated) as rooms:
        assert (await rooms.teacher.take_in(text))["stretches"] == 1
        (item,) = (await rooms.teacher.list())["stretches"]
        assert (await rooms.begin(LOW))["genre"] == "jazz"
    assert not item["used"]


async def test_a_file_with_a_name_that_no_genre_may_have_changes_nothing(folder):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW)
        await rooms.teacher.teach("den", "techno")
        text = await rooms.teacher.written(None)
        await rooms.teacher.forget(None)
        for name in ("unknown", "a/b", "#", "<b>"):
            with pytest.raises(TeachError, match="cannot be called"):
                await rooms.teacher.take_in(text.replace('"techno"', f'"{name}"'))
        assert (await rooms.teacher.list())["stretches"] == []


async def test_an_import_onto_a_full_disk_takes_nothing_in_and_says_so(folder):
    async with Rooms(folder) as rooms:
        await rooms.begin(LOW, windows=14)
        await rooms.teacher.teach("den", "techno")
        lines = (await rooms.teacher.written(None)).splitlines()
        moved = [lines[2].replace('"den"', f'"room{n}"') for n in range(40)]
        with full_file(), pytest.raises(TeachError, match="full"):
            await rooms.teacher.take_in("\n".join([*lines[:2], *moved]))
        assert len((await rooms.teacher.list())["stretches"]) == 1


@pytest.mark.parametrize("turns", range(4))
async def test_a_stop_in_the_moment_of_a_lesson_is_heeded(folder, monkeypatch, turns):
    monkeypatch.setattr(teacher_module, "LOOK_EVERY_SECONDS", 60)
    notebook = Notebook(folder / "taught.db", HEARING_INFO, folder)
    inference = SimpleNamespace(info=HEARING_INFO)
    teacher = Teacher(notebook, {}, inference, lambda: None)
    running = asyncio.create_task(teacher.run())
    while not teacher._stale._waiters:
        await asyncio.sleep(0.01)
    teacher._stale.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
