"""The history view, with a week that the test wrote."""

import csv
import io
import re
import time
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from rtgenre.history.store import HistoryStore
from rtgenre.history.stretches import Stretch
from tests.documents import a_state

N_COLORS = """(canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
}"""


@pytest.fixture
def page(open_page, puppet, tmp_path):
    """The history view; three days ago jazz was heard from 9 to 12 and blues from 12 to 13."""
    now = time.time()
    midnight = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    that_day = (midnight - timedelta(days=3)).timestamp()
    with HistoryStore(tmp_path / "history.db") as store:
        store.write(
            [
                Stretch("den", that_day + 9 * 3600, that_day + 12 * 3600, "jazz", 0.8, "crnn 4"),
                Stretch("den", that_day + 12 * 3600, that_day + 13 * 3600, "blues", 0.6, "crnn 4"),
                Stretch("den", now - 2400, now - 1200, "rock", 0.9, "crnn 4"),
                Stretch("den", now - 1200, now - 600, "silence", 0.2, "crnn 4"),
                Stretch("attic", now - 2400, now - 1200, "blues", 0.9, "crnn 4"),
            ]
        )
    service = puppet()
    service.publish(a_state(1))
    page = open_page(service.url)
    page.get_by_role("button", name="History").click()
    expect(page.locator("#total")).to_have_text("20 min of music")
    return page


def shares(page):
    return [text.strip() for text in page.locator("#shares .name").all_text_contents()]


def test_the_hour_shows_the_chosen_room_alone_and_silence_is_no_music(page):
    assert shares(page) == ["Rock"]
    assert page.locator("#timeline canvas").evaluate(N_COLORS) >= 3
    expect(page.locator("#timeline canvas")).to_have_attribute(
        "aria-label", re.compile("Rock 20 min")
    )


def test_the_week_has_a_row_for_each_day_and_adds_up(page):
    page.get_by_role("button", name="Week").click()
    expect(page.locator("#timeline canvas")).to_have_count(7)
    expect(page.locator("#total")).to_have_text("4 h 20 min of music")
    assert shares(page) == ["Jazz", "Blues", "Rock"]


def test_a_day_of_the_week_can_be_looked_at_alone(page):
    page.get_by_role("button", name="Week").click()
    page.locator("#timeline .row-label").nth(3).click()
    expect(page.locator("#timeline canvas")).to_have_count(1)
    expect(page.locator("#total")).to_have_text("4 h 00 min of music")
    assert shares(page) == ["Jazz", "Blues"]
    expect(page.get_by_role("button", name="Day", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )


def test_a_tooltip_says_what_lies_under_the_pointer(page):
    page.get_by_role("button", name="Week").click()
    page.locator("#timeline .row-label").nth(3).click()
    box = page.locator("#timeline canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 10.5 / 24, box["y"] + box["height"] / 2)
    tooltip = page.get_by_role("tooltip")
    expect(tooltip).to_contain_text("Jazz")
    expect(tooltip).to_contain_text("3 h 00 min")
    expect(tooltip).to_contain_text("80 % sure")
    page.mouse.move(box["x"] + box["width"] * 20 / 24, box["y"] + box["height"] / 2)
    expect(tooltip).to_be_hidden()


def test_the_keyboard_reaches_every_stretch_and_each_is_spoken(page):
    page.locator("#timeline canvas").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#announcer")).to_contain_text("Rock")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#announcer")).to_contain_text("Silence")
    expect(page.get_by_role("tooltip")).to_contain_text("Silence")
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip")).to_be_hidden()


def test_the_heat_map_has_the_hours_of_that_day_and_tells_them(page):
    weekday = (datetime.now() - timedelta(days=3)).weekday()
    row = page.locator("#heat tbody tr").nth(weekday)
    expect(row.locator("td").nth(10)).to_contain_text("1 h 00 min of music, Jazz 100 %")
    expect(row.locator("td").nth(12)).to_contain_text("Blues 100 %")
    expect(row.locator("td").nth(8)).to_contain_text("no music")
    row.locator("td").nth(10).hover()
    expect(page.get_by_role("tooltip")).to_contain_text("Jazz 100 %")


def test_arrow_keys_move_through_the_heat_map(page):
    page.locator("#heat td[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tooltip")).to_contain_text("Tuesday, 1 to 2")


def test_the_csv_holds_what_is_shown(page):
    page.get_by_role("button", name="Week").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    text = download.value.path().read_text()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["genre"] for row in rows] == ["jazz", "blues", "rock", "silence"]
    assert {row["node"] for row in rows} == {"den"}


def test_a_history_that_is_switched_off_is_said(open_page, puppet):
    service = puppet(routes={})
    page = open_page(service.url)
    page.get_by_role("button", name="History").click()
    expect(page.locator("#timeline-hint")).to_contain_text("This service keeps no history")
