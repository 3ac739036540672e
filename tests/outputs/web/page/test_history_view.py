"""The history view, with a week that the test wrote."""

import csv
import io
import re
import time
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from rtgenre.history.store import HistoryStore, read_stretches
from rtgenre.history.stretches import Stretch
from rtgenre.messages.payload import iso_utc
from tests.documents import a_hello, a_state
from tests.outputs.web.page.conftest import PHONE, TABLET, refuse_to_delete, second_click

DASH = "\u2013"
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


def test_a_bookmark_of_a_day_shows_that_day_also_when_it_is_older_than_the_week(
    open_page, puppet, tmp_path
):
    midnight = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    that_day = midnight - timedelta(days=30)
    nine = that_day.timestamp() + 9 * 3600
    with HistoryStore(tmp_path / "history.db") as store:
        store.write([Stretch("den", nine, nine + 3600, "jazz", 0.8, "crnn 4")])
    service = puppet()
    service.publish(a_state(1))
    page = open_page(f"{service.url}?view=history&range=day&day={that_day:%Y-%m-%d}")
    expect(page.locator("#total")).to_have_text("1 h 00 min of music")
    expect(page.locator("#stretches")).to_contain_text("Jazz")
    # It is none of the last seven days.
    expect(page.locator("#heat tbody td", has_text="Jazz")).to_have_count(0)
    page.get_by_role("button", name="Week").click()
    expect(page.locator("#total")).to_have_text("no music in this time")


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_a_day_that_no_history_has_is_none_and_its_csv_can_be_made(page, day):
    page.goto(f"{page.url.partition('?')[0]}?view=history&range=day&day={day}")
    expect(page.locator("#timeline-title")).to_have_text("Last 24 hours")
    with page.expect_download():
        page.get_by_role("button", name="CSV").click()


@pytest.mark.parametrize("size", [PHONE, TABLET])
def test_days_that_are_long_in_other_languages_do_not_lie_upon_the_week(page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.get_by_role("button", name="Week").click()
    label = page.locator("#timeline .row-label").nth(3)
    label.evaluate("(label) => { label.textContent = 'sex., 27 de nov., quinta'; }")
    text_end = label.evaluate(
        """(label) => {
            const text = document.createRange();
            text.selectNodeContents(label);
            return text.getBoundingClientRect().right;
        }"""
    )
    rows = page.locator("#timeline canvas").evaluate_all(
        "all => all.map((each) => each.getBoundingClientRect().left)"
    )
    assert text_end < min(rows) == max(rows)
    assert page.locator(".axis").evaluate("(e) => e.getBoundingClientRect().left") == rows[0]
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


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
    expect(page.get_by_role("tooltip")).to_contain_text(f"Tuesday, 01:00 {DASH} 02:00")


def test_hours_are_written_in_one_way(page):
    page.get_by_role("button", name="Day", exact=True).click()
    hours = [f"{hour:02}" for hour in range(0, 24, 3)]
    assert page.locator("#heat thead th").all_text_contents() == hours
    expect(page.locator(".axis span").first).to_be_visible()
    assert set(page.locator(".axis span").all_text_contents()) <= set(hours)


def test_a_legend_names_every_colour_and_what_is_low(page):
    expect(page.locator("#legend li")).to_have_text(["Rock", "Unknown or no music", "Silence"])
    page.get_by_role("button", name="Week").click()
    expect(page.locator("#legend li")).to_have_text(
        ["Jazz", "Blues", "Rock", "Unknown or no music", "Silence"]
    )


def rows(page):
    return page.locator("#stretches tr:not(.day-row)")


def test_a_table_lists_every_stretch_newest_first_for_screen_readers_too(page):
    table = page.get_by_role("table", name="One after another")
    expect(table.get_by_role("columnheader", name="Heard")).to_be_visible()
    expect(rows(page)).to_have_text(
        [re.compile("Silence.*10 min"), re.compile("Rock.*20 min.*90 %")]
    )
    # Nobody is sure of silence.
    assert "%" not in rows(page).first.text_content()
    page.get_by_role("button", name="Week").click()
    expect(rows(page)).to_have_count(4)
    assert re.search(f"09:00 {DASH} 12:00.*Jazz.*3 h 00 min.*80 %", rows(page).last.text_content())
    # Each day has a heading of its own.
    expect(page.locator("#stretches .day-row").last).to_have_text(re.compile(r"\w+,? \d+ \w+"))


def test_what_played_stands_below_its_genre_as_text(open_page, puppet, tmp_path):
    now = time.time()
    song = Stretch("den", now - 200, now - 100, "jazz", 0.8, "crnn 4")
    with HistoryStore(tmp_path / "history.db") as store:
        store.write([song._replace(title="<b>So What</b>", artist="Miles Davis")])
    page = open_page(f"{puppet().url}?view=history")
    expect(rows(page).locator(".played")).to_have_text("<b>So What</b> · Miles Davis")
    expect(rows(page)).to_have_text([re.compile("Jazz.*So What")])


@pytest.mark.parametrize("size", [PHONE, (768, 1024), TABLET])
def test_shares_can_be_told_apart_by_their_bars(open_page, puppet, tmp_path, size):
    now = time.time()
    with HistoryStore(tmp_path / "history.db") as store:
        store.write([Stretch("den", now - 600, now - 200, "jazz", 0.8, "crnn 4")])
        store.write([Stretch("den", now - 200, now - 100, "rock", 0.8, "crnn 4")])
    page = open_page(f"{puppet().url}?view=history", size=size)
    expect(page.locator("#shares li")).to_have_count(2)
    jazz, rock = (bar.bounding_box()["width"] for bar in page.locator("#shares .fill").all())
    assert jazz > 3 * rock > 0
    assert jazz > 50


@pytest.mark.parametrize("size", [PHONE, TABLET])
def test_a_long_title_does_not_push_the_history_out_of_the_screen(
    open_page, puppet, tmp_path, size
):
    now = time.time()
    song = Stretch("den", now - 200, now - 100, "jazz", 0.8, "crnn 4")
    with HistoryStore(tmp_path / "history.db") as store:
        store.write([song._replace(title="So What, live " * 14, artist="M" * 200)])
    page = open_page(f"{puppet().url}?view=history", size=size)
    expect(rows(page).locator(".played")).to_contain_text("So What")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_on_a_small_phone_titles_break_between_words_and_in_the_longest_alone(
    open_page, puppet, tmp_path
):
    now = time.time()
    title = "Brandenburg Concerto No. 2, performed by Supercalifragilisticexpialidocious"
    with HistoryStore(tmp_path / "history.db") as store:
        for end, heard in (
            (now - 100, "classical"),
            (now - 9000, "christmas-songs-of-the-wide-world"),
        ):
            song = Stretch("den", end - 100, end, heard, 0.8, "crnn 4")
            store.write([song._replace(title=title, artist="Miles Davis")])
        store.write([Stretch("den", now - 9000, now - 200, "silence", 0.2, "crnn 4")])
    page = open_page(f"{puppet().url}?view=history&range=day", size=(360, 740))
    expect(rows(page)).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    broken = (
        rows(page)
        .locator(".played")
        .first.evaluate(
            """({ firstChild: text }) => [...text.data.matchAll(/[^ ]+/g)].filter((word) => {
            const range = document.createRange();
            range.setStart(text, word.index);
            range.setEnd(text, word.index + word[0].length);
            return range.getClientRects().length > 1;
        }).map(([word]) => word)"""
        )
    )
    assert broken == ["Supercalifragilisticexpialidocious"]


def test_a_long_list_is_shown_in_parts(open_page, puppet, tmp_path):
    now = time.time()
    with HistoryStore(tmp_path / "history.db") as store:
        store.write(
            [
                Stretch(
                    "den", now - 20 * i - 20, now - 20 * i, ("jazz", "rock")[i % 2], 0.8, "crnn 4"
                )
                for i in range(100)
            ]
        )
    page = open_page(f"{puppet().url}?view=history")
    expect(rows(page)).to_have_count(25)
    page.get_by_role("button", name="Show more").click()
    expect(rows(page)).to_have_count(100)
    expect(rows(page).nth(25).get_by_role("button")).to_be_focused()
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()


def genres_kept(tmp_path, node="den"):
    kept = read_stretches(tmp_path / "history.db", 0, 4e9)
    return [stretch.genre for stretch in kept if stretch.node == node and stretch.ended_at > 1.7e9]


def test_a_stretch_is_deleted_once_it_was_confirmed(page, tmp_path):
    page.get_by_role("button", name="Delete Rock").click()
    dialog = page.get_by_role("dialog", name="Delete from the history?")
    expect(dialog).to_contain_text("Rock")
    dialog.get_by_role("button", name="Keep").click()
    expect(rows(page)).to_have_count(2)
    assert "rock" in genres_kept(tmp_path)
    page.get_by_role("button", name="Delete Rock").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(rows(page)).to_have_count(1)
    expect(page.locator("#announcer")).to_have_text("Deleted")
    expect(rows(page).get_by_role("button")).to_be_focused()
    assert genres_kept(tmp_path) == ["jazz", "blues", "silence"]
    assert genres_kept(tmp_path, "attic") == ["blues"]


def test_the_second_click_of_a_double_click_confirms_nothing(page, tmp_path):
    page.get_by_role("button", name="Delete Rock").click()
    answer = page.get_by_role("dialog").get_by_role("button", name="Delete")
    second_click(page, answer)
    expect(answer).to_be_visible()
    answer.press("Enter")
    expect(rows(page)).to_have_count(1)


def test_all_of_a_time_is_deleted_and_nothing_else(page, tmp_path):
    page.get_by_role("button", name="Week").click()
    page.locator("#timeline .row-label").nth(3).click()
    expect(rows(page)).to_have_count(2)
    page.get_by_role("button", name="Delete all these").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(rows(page)).to_have_text(["Nothing was heard in this time."])
    expect(page.get_by_role("button", name="Delete all these")).to_be_disabled()
    assert genres_kept(tmp_path) == ["rock", "silence"]


def test_what_cannot_be_deleted_is_said(page):
    refuse_to_delete(page)
    page.get_by_role("button", name="Delete Rock").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#timeline-hint")).to_have_text("It cannot be deleted: the disk is full")


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


@pytest.mark.parametrize("wrong_by", [timedelta(hours=-1), timedelta(hours=1)])
def test_a_browser_whose_clock_is_wrong_shows_the_last_hour_of_the_service(
    open_page, puppet, tmp_path, wrong_by
):
    now = time.time()
    with HistoryStore(tmp_path / "history.db") as store:
        store.write([Stretch("den", now - 600, now - 60, "jazz", 0.8, "crnn 4")])
    service = puppet()
    service.publish(a_state(1) | {"since": iso_utc(now - 600)})
    page = open_page("about:blank")
    page.clock.install(time=datetime.now() + wrong_by)
    page.goto(f"{service.url}?view=history")
    expect(page.locator("#total")).to_have_text("9 min of music")
    page.get_by_role("button", name="Live").click()
    expect(page.locator("#since")).to_contain_text("· 10 min")


def test_whoever_deletes_is_asked_with_the_name_that_people_give_the_room(
    open_page, puppet, tmp_path
):
    now = time.time()
    with HistoryStore(tmp_path / "history.db") as store:
        store.write([Stretch("sued", now - 600, now - 60, "jazz", 0.8, "crnn 4")])
    hello = a_hello("sued", names={"sued": "Wohnzimmer Süd"})
    page = open_page(f"{puppet('sued', hello=lambda: hello).url}?view=history")
    page.get_by_role("button", name="Delete all these").click()
    expect(page.locator("#confirm-text")).to_contain_text("room Wohnzimmer Süd.")
