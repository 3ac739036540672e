"""What the service answers late, or twice, puts nothing wrong on the page."""

import re
import time

import pytest
from playwright.sync_api import expect

from rtgenre.history.store import HistoryStore
from rtgenre.history.stretches import Stretch
from rtgenre.messages.news import GenreNews
from rtgenre.messages.taught import genres_document
from tests.documents import COLORS, LABELS
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
    page.route(
        "**/history?*",
        lambda route: (
            route.fulfill(status=503, json={"message": "the disk is full"})
            if route.request.method == "DELETE"
            else route.fallback()
        ),
    )
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
