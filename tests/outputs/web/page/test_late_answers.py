"""What the service answers late, or twice, puts nothing wrong on the page."""

import re
import time
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from rtgenre.history.store import HistoryStore
from rtgenre.history.stretches import Stretch
from rtgenre.messages.news import GenreNews
from rtgenre.messages.taught import genres_document
from rtgenre.outputs.web.teaching import teaching_routes, teaching_uploads
from tests.documents import COLORS, LABELS, a_hello, a_presence, a_state
from tests.lessons import Lessons
from tests.outputs.web.page.conftest import IS_DRAWN, draw_spectrogram, refuse_to_delete
from tests.outputs.web.page.late import LateAnswers, Line

LIST = re.compile(r"/history\?since=20")
PAST = re.compile(r"/history\?since=12h")


@pytest.fixture
def history(tmp_path):
    """Jazz and rock were heard in den, blues in studio."""
    now = time.time()
    with HistoryStore(tmp_path / "history.db") as store:
        store.write(
            [
                Stretch("den", now - 1500, now - 900, "jazz", 0.8, "crnn 4"),
                Stretch("den", now - 900, now - 300, "rock", 0.8, "crnn 4"),
                Stretch("studio", now - 1200, now - 600, "blues", 0.9, "crnn 4"),
            ]
        )


def test_a_list_of_another_room_that_comes_late_is_not_shown_as_this_rooms(
    history, puppet, open_page
):
    page = open_page(f"{puppet('den', 'studio').url}?view=history&node=den")
    heard = page.locator("#stretches .heard")
    expect(heard).to_have_text(["Rock", "Jazz"])
    late = LateAnswers(page, LIST)
    page.get_by_role("button", name="History").click()
    late.wait()
    page.get_by_role("button", name="studio").click()
    late.wait(2)
    # What would be deleted of it were this room's.
    expect(page.get_by_role("button", name="Delete Rock")).to_have_count(0)
    late.arrive()
    expect(page.get_by_role("button", name="Delete Rock")).to_have_count(0)
    late.arrive()
    expect(heard).to_have_text(["Blues"])


def test_why_nothing_was_deleted_stays_in_sight_when_the_list_is_fetched_anew(
    history, puppet, open_page
):
    page = open_page(f"{puppet('den').url}?view=history")
    refuse_to_delete(page)
    page.get_by_role("button", name="Delete Rock").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    hint = page.locator("#timeline-hint")
    expect(hint).to_have_text("It cannot be deleted: the disk is full")
    late = LateAnswers(page, LIST)
    page.get_by_role("button", name="History").click()
    late.wait()
    late.arrive()
    assert hint.text_content() == "It cannot be deleted: the disk is full"


def test_who_reads_older_rows_goes_on_reading_when_the_connection_comes_back(
    tmp_path, puppet, open_page
):
    now = time.time()
    with HistoryStore(tmp_path / "history.db") as store:
        store.write(
            Stretch("den", now - 20 * i - 20, now - 20 * i, ("jazz", "rock")[i % 2], 0.8, "crnn 4")
            for i in range(100)
        )
    page = open_page("about:blank")
    line = Line(page)
    page.goto(f"{puppet('den').url}?view=history")
    page.get_by_role("button", name="Show more").click()
    rows = page.locator("#stretches tr:not(.day-row)")
    expect(rows).to_have_count(100)
    late = LateAnswers(page, LIST)
    line.cut()
    late.wait()
    assert rows.count() == 100
    late.arrive()
    assert rows.count() == 100


def test_the_past_is_shown_also_when_a_genre_is_taught_while_it_is_fetched(
    history, puppet, open_page
):
    news = GenreNews()
    service = puppet("den", news=news)
    page = open_page("about:blank")
    late = LateAnswers(page, PAST)
    with page.expect_websocket() as opened:
        page.goto(service.url)
    late.wait()
    with opened.value.expect_event("framereceived", lambda frame: '"genres"' in str(frame)):
        service.soon(lambda: news.publish(genres_document(LABELS, COLORS)))
    late.arrive()
    expect(page.locator("#recent li")).to_have_text([re.compile("Jazz")])


def test_what_was_deleted_does_not_come_back_with_an_answer_from_before(history, puppet, open_page):
    page = open_page("about:blank")
    late = LateAnswers(page, PAST)
    page.goto(f"{puppet('den').url}?view=history")
    late.wait()
    page.get_by_role("button", name="Delete Jazz").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#announcer")).to_have_text("Deleted")
    late.wait(2)
    late.arrive(1)
    late.arrive(0)
    expect(page.locator("#recent li")).to_have_count(0)
    expect(page.locator("#strip")).to_have_attribute("aria-label", re.compile(r": Rock \d+ min$"))


def test_the_spectrogram_stays_when_somebody_teaches_a_new_genre(puppet, open_page):
    news = GenreNews()
    service = puppet("den", news=news)
    page = open_page("about:blank")
    page.goto(service.url)
    expect(page.locator("#connection")).to_have_text("Connected")
    draw_spectrogram(page, service)
    service.soon(lambda: news.publish(genres_document([*LABELS, "techno"], COLORS)))
    expect(page.locator("#bars li[data-label=techno]")).to_be_visible()
    assert page.evaluate(IS_DRAWN)


@pytest.fixture
def hub(puppet, open_page):
    """A page of den, which goes away once the test says so, and hall is shown."""
    rooms = ["den", "hall"]
    hub = SimpleNamespace(lessons=Lessons(), asked=[])
    hub.lessons.genres = {1: "techno"}
    service = puppet(
        *rooms,
        hello=lambda: a_hello(*rooms),
        routes=teaching_routes(hub.lessons, rooms),
        uploads=teaching_uploads(hub.lessons),
    )

    def show(path):
        for node in ("den", "hall"):
            service.publish(a_presence(node))
            service.publish(a_state(1, node=node))
        hub.page = open_page(service.url + path)
        hub.page.on("request", lambda asked: hub.asked.append((asked.method, asked.url)))
        expect(hub.page.locator("#node")).to_have_text("den")

    def lose_den():
        del rooms[0]
        service.publish(a_presence("hall"))
        expect(hub.page.locator("#node")).to_have_text("hall")

    hub.show, hub.lose_den = show, lose_den
    return hub


def test_only_the_room_that_was_asked_about_is_made_to_forget_everything(hub):
    hub.show("?view=taught")
    page = hub.page
    page.get_by_role("button", name="Forget everything").click()
    expect(page.get_by_role("dialog")).to_contain_text("taught in den.")
    hub.lose_den()
    page.get_by_role("button", name="Forget", exact=True).click()
    expect(page.locator("#announcer")).to_have_text("Everything is forgotten")
    (deleted,) = [url for method, url in hub.asked if method == "DELETE"]
    assert "node=den" in deleted


def test_what_is_taught_is_taught_in_the_room_where_it_was_asked(hub):
    hub.show("")
    page = hub.page
    page.get_by_role("button", name="Not right?").click()
    hub.lose_den()
    page.get_by_role("dialog").get_by_role("button", name="Rock").click()
    expect(page.locator("#note-text")).to_contain_text("Learnt")
    assert hub.lessons.lessons == [("den", "rock")]


def test_what_came_of_an_import_is_said_of_the_room_that_took_it_in(hub, tmp_path):
    hub.show("?view=taught")
    page = hub.page
    file = tmp_path / "taught.jsonl"
    file.write_text('{"rtgenre": "taught"}\n{"node": "den"}\n')
    late = LateAnswers(page, "**/taught/import?*")
    page.locator("#taught-file").set_input_files(file)
    late.wait()
    page.get_by_role("button", name="hall").click()
    late.arrive()
    expect(page.locator("#taught-hint")).to_have_text("den: Took in 1 stretch.")
