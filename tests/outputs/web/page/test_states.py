"""Every state that the page can be in, from documents that the test chooses."""

import re
import time
from datetime import datetime

import numpy as np
import pytest
from playwright.sync_api import expect

from rtgenre.messages.payload import iso_utc
from rtgenre.outputs.colors import GENRE_COLORS
from rtgenre.types import PlayState, UnknownReason
from tests.documents import a_hello, a_state, a_status
from tests.outputs.web.page.conftest import IS_DRAWN, PHONE, TABLET, WALL, draw_spectrogram

TOKEN = "a-token-of-enough-characters"
DASH = "\u2013"


def test_music_is_shown_with_its_colour_and_confidence(open_page, puppet):
    service = puppet()
    service.publish(a_state(1, genre="jazz", confidence=0.7))
    page = open_page(service.url)
    expect(page.locator("#genre")).to_have_text("Jazz")
    expect(page.locator("#confidence")).to_have_text("70 % sure")
    expect(page.locator("#bars li.shown .name")).to_have_text("Jazz")
    color = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--genre')")
    assert color in {"#00ff00", "rgb(0, 255, 0)"}


def test_rooms_are_called_by_their_names(open_page, puppet):
    hello = a_hello("sued", "nord", names={"sued": "Wohnzimmer Süd"})
    service = puppet("sued", "nord", hello=lambda: hello)
    service.publish(a_state(1, node="sued"))
    page = open_page(service.url)
    expect(page.locator("#genre")).to_have_text("Jazz")
    expect(page.locator("#node")).to_have_text("Wohnzimmer Süd")
    expect(page.locator("#rooms b")).to_have_text(["Wohnzimmer Süd", "nord"])


def test_the_bars_hold_smoothed_values_and_the_ticks_raw_ones(open_page, puppet):
    service = puppet()
    document = a_state(1)
    document["probabilities"] = {"blues": 0.1, "jazz": 0.6, "rock": 0.3}
    document["raw_probabilities"] = {"blues": 0.7, "jazz": 0.2, "rock": 0.1}
    service.publish(document)
    page = open_page(service.url)
    expect(page.locator("#bars [data-label=jazz] .value")).to_have_text("60 %")
    bar, tick, track = (
        page.locator(f"#bars [data-label=blues] {part}").bounding_box()
        for part in (".fill", ".tick", ".track")
    )
    assert bar["width"] / track["width"] == pytest.approx(0.1, abs=0.02)
    assert (tick["x"] + 1 - track["x"]) / track["width"] == pytest.approx(0.7, abs=0.02)


def test_silence_and_unknown_are_shown_as_such(open_page, puppet):
    service = puppet()
    page = open_page(service.url)
    service.publish(a_state(1, state=PlayState.SILENCE, level_dbfs=-90.0))
    expect(page.locator("#genre")).to_have_text("Silence")
    expect(page.locator("#confidence")).to_have_text("nothing to hear")
    service.publish(a_state(2, state=PlayState.UNKNOWN, confidence=0.25))
    expect(page.locator("#genre")).to_have_text("Not sure yet")
    expect(page.locator("#confidence")).to_contain_text("perhaps")
    expect(page.locator("#bars li.shown")).to_have_count(0)


def values(page):
    return [text.strip() for text in page.locator("#bars .value").all_text_contents()]


def test_in_silence_no_bar_and_no_number_names_a_genre(open_page, puppet):
    service = puppet()
    service.publish(a_state(1, state=PlayState.SILENCE, level_dbfs=-120.0))
    page = open_page(service.url)
    expect(page.locator("#genre")).to_have_text("Silence")
    assert values(page) == [DASH] * 5
    assert "%" not in page.locator(".hero").text_content()
    for fill in page.locator("#bars .fill").all():
        expect(fill).to_be_hidden()


def test_bars_and_number_leave_room_for_music_of_other_genres(open_page, puppet):
    service = puppet()
    page = open_page(service.url)
    service.publish(a_state(1, confidence=0.5, familiar=0.6))
    expect(page.locator("#confidence")).to_have_text("30 % sure")
    assert values(page) == ["12 %", "30 %", "18 %", "40 %", "0 %"]


def test_a_hum_fills_the_bar_of_no_music_and_is_not_painted_as_a_genre(open_page, puppet):
    service = puppet()
    page = open_page(service.url)
    unknown = a_state(1, state=PlayState.UNKNOWN, reason=UnknownReason.NOT_MUSIC)
    hum = {**unknown, "music_probability": 0.1}
    service.publish(hum)
    expect(page.locator("#genre")).to_have_text("No music")
    assert values(page) == [DASH, DASH, DASH, DASH, "90 %"]
    expect(page.locator("#bars li.shown .name")).to_have_text("No music")
    fill, track = (page.locator(f"#bars li.shown {part}") for part in (".fill", ".track"))
    assert fill.bounding_box()["width"] / track.bounding_box()["width"] == pytest.approx(
        0.9, abs=0.02
    )
    expect(page.locator("#bars .fill:visible")).to_have_count(1)
    # A column, so that there is a clock to draw by.
    now = page.evaluate("performance.now() / 1000")
    for ago in (2, 1, 0):
        service.publish_column("den", np.zeros(128, np.uint8), now - ago, now)
    service.publish({**hum, "sequence": 2, "window_end_seconds": now - 1})
    page.wait_for_function(
        """() => {
            const band = document.getElementById("band");
            const { data } = band.getContext("2d").getImageData(0, 0, band.width, 2);
            const colors = new Set();
            for (let i = 0; i < data.length; i += 4) {
                if (data[i + 3]) colors.add([...data.slice(i, i + 3)].join());
            }
            // The test's colour of unknown.
            return [...colors].join(" ") === "119,119,119";
        }"""
    )


@pytest.mark.parametrize(
    ("reason", "heading", "words"),
    [
        ("not_music", "No music", "does not sound like music"),
        ("unfamiliar", "Unknown", "music, but none of my genres"),
        ("unsure", "Not sure yet", "perhaps jazz"),
    ],
)
def test_why_no_genre_is_named_is_said_in_words(open_page, puppet, reason, heading, words):
    service = puppet()
    reason = UnknownReason(reason)
    service.publish(a_state(1, state=PlayState.UNKNOWN, confidence=0.4, reason=reason))
    page = open_page(service.url)
    expect(page.locator("#genre")).to_have_text(heading)
    expect(page.locator("#confidence")).to_contain_text(words)


def test_before_the_first_window_the_page_says_that_it_listens(open_page, puppet):
    page = open_page(puppet().url)
    expect(page.locator("#connection")).to_have_text("Connected")
    expect(page.locator("#eyebrow")).to_have_text("Listening …")


def test_clipping_is_said(open_page, puppet):
    service = puppet()
    page = open_page(service.url)
    service.publish(a_state(1, level_dbfs=-3.0))
    expect(page.locator("#level-text")).to_have_text("\u22123.0 dBFS")
    expect(page.locator("#clipping")).to_be_hidden()
    service.publish({**a_state(2, level_dbfs=-1.0), "clipped_samples": 12})
    expect(page.locator("#clipping")).to_be_visible()


def test_a_lost_input_is_said_and_the_notice_goes_when_it_is_back(open_page, puppet):
    service = puppet()
    service.publish(a_state(1))
    page = open_page(service.url)
    service.publish({**a_status("the device is gone"), "time": "2030-01-01T00:00:00.000Z"})
    expect(page.locator("#notice")).to_have_text("No sound comes in: the device is gone")
    expect(page.locator("#announcer")).to_have_text("the device is gone")
    # Windows that were on their way say nothing about the input.
    service.publish({**a_state(2, genre="rock"), "time": "2030-01-01T00:00:02.000Z"})
    expect(page.locator("#genre")).to_have_text("Rock")
    expect(page.locator("#notice")).to_be_visible()
    service.publish(a_status(None))
    expect(page.locator("#notice")).to_be_hidden()


def test_a_hint_is_said_without_greying_what_is_heard(open_page, puppet):
    service = puppet()
    service.publish(a_state(1))
    page = open_page(service.url)
    service.publish(a_status(None, hint="digital silence: is it muted?"))
    expect(page.locator("#notice")).to_have_text("digital silence: is it muted?")
    assert page.evaluate("document.documentElement.hasAttribute('data-stale')") is False
    service.publish(a_status(None))
    expect(page.locator("#notice")).to_be_hidden()


def test_a_page_opened_while_the_input_is_lost_says_so_beside_the_last_genre(open_page, puppet):
    service = puppet()
    service.publish({**a_status("the device is gone"), "time": "2030-01-01T00:00:00.000Z"})
    service.publish(a_state(1))
    page = open_page(service.url)
    expect(page.locator("#genre")).to_have_text("Jazz")
    expect(page.locator("#notice")).to_contain_text("the device is gone")


def test_of_an_input_that_is_gone_no_genre_is_shown_as_if_it_played_on(open_page, puppet):
    service = puppet()
    service.publish(a_state(1))
    page = open_page(service.url)
    expect(page.locator("#genre")).to_have_text("Jazz")
    gone = a_status("the input has ended: song.wav", gone=True)
    service.publish(gone)
    for opened in (page, open_page(service.url)):
        expect(opened.locator("#genre")).to_have_text("No sound")
        expect(opened.locator("#notice")).to_contain_text("the input has ended: song.wav")
        expect(opened.locator("#rooms .now")).to_have_text("No sound")
        expect(opened).to_have_title("No sound · rtgenre")
        assert set(opened.locator("#bars .value").all_inner_texts()) == {DASH}
    expect(page.locator("#eyebrow")).to_have_text("Last heard: Jazz")
    service.publish(a_status(None))
    service.publish(a_state(2))
    expect(page.locator("#genre")).to_have_text("Jazz")
    expect(page.locator("#notice")).to_be_hidden()


def test_a_screen_reader_hears_changes_and_not_every_window(open_page, puppet):
    service = puppet()
    page = open_page(service.url)
    page.evaluate(
        """() => {
            window.spoken = [];
            const announcer = document.getElementById("announcer");
            new MutationObserver(() => window.spoken.push(announcer.textContent))
                .observe(announcer, { childList: true, characterData: true, subtree: true });
        }"""
    )
    for sequence in range(3):
        service.publish(a_state(sequence, confidence=0.6 + 0.05 * sequence))
        expect(page.locator("#confidence")).to_have_text(f"{60 + 5 * sequence} % sure")
    service.publish(a_state(3, genre="rock"))
    expect(page.locator("#genre")).to_have_text("Rock")
    service.publish(a_state(4, state=PlayState.SILENCE))
    expect(page.locator("#genre")).to_have_text("Silence")
    assert page.evaluate("window.spoken") == ["Jazz, 60 % sure", "Rock, 70 % sure", "Silence"]


def test_what_was_shown_before_stays_in_a_line(open_page, puppet):
    service = puppet()
    page = open_page(service.url)
    for sequence, genre in enumerate(["jazz", "rock", "blues"]):
        service.publish(a_state(sequence, genre=genre))
        expect(page.locator("#genre")).to_have_text(genre.capitalize())
    assert [text.split()[0] for text in page.locator("#recent li").all_text_contents()] == [
        "Rock",
        "Jazz",
    ]


def a_state_at(unix_seconds, **options):
    """Return a document of that time, when what it says began."""
    moment = iso_utc(unix_seconds)
    return {**a_state(**options), "time": moment, "since": moment}


def test_a_reload_loses_nothing_of_what_was_shown_before(open_page, puppet):
    service = puppet()
    page = open_page(service.url)
    now = time.time()
    for sequence, (genre, ago) in enumerate([("jazz", 9), ("rock", 7), ("blues", 5)]):
        service.publish(a_state_at(now - ago, sequence=sequence, genre=genre))
        expect(page.locator("#genre")).to_have_text(genre.capitalize())
    for _ in range(2):
        expect(page.locator("#recent li")).to_have_count(2)
        assert [text.split()[0] for text in page.locator("#recent li").all_text_contents()] == [
            "Rock",
            "Jazz",
        ]
        expect(page.locator("#strip")).to_have_attribute("aria-label", re.compile("Rock 2 s"))
        page.reload()


def test_the_band_below_the_spectrogram_begins_with_what_the_history_holds(open_page, puppet):
    service = puppet()
    page = open_page(service.url)
    now = time.time()
    for sequence, (genre, ago) in enumerate([("jazz", 9), ("rock", 5)]):
        service.publish(a_state_at(now - ago, sequence=sequence, genre=genre))
        expect(page.locator("#genre")).to_have_text(genre.capitalize())
    page.reload()
    expect(page.locator("#recent li")).to_have_count(1)
    end_seconds = a_state(1)["window_end_seconds"]
    for ago in (1, 0):
        service.publish_column("den", np.zeros(128, np.uint8), end_seconds + 2 - ago, time.time())
    # The test's colours of jazz and rock, in the row of what was shown.
    page.wait_for_function(
        """() => {
            const band = document.getElementById("band");
            const { data } = band.getContext("2d").getImageData(0, 1, band.width, 1);
            const colors = new Set();
            for (let i = 0; i < data.length; i += 4) {
                if (data[i + 3]) colors.add([...data.slice(i, i + 3)].join());
            }
            return colors.has("0,255,0") && colors.has("255,0,0");
        }"""
    )


def test_without_a_history_the_past_begins_with_the_page(open_page, puppet):
    service = puppet(routes={})
    page = open_page(service.url)
    for sequence, genre in enumerate(["jazz", "rock"]):
        service.publish(a_state(sequence, genre=genre))
        expect(page.locator("#genre")).to_have_text(genre.capitalize())
    expect(page.locator("#recent li")).to_have_text([re.compile("Jazz")])


def test_an_unsure_genre_comes_with_the_second_guess_and_a_sure_one_alone(open_page, puppet):
    service = puppet()
    page = open_page(service.url)
    service.publish(a_state(1, genre="jazz", confidence=0.45))
    expect(page.locator("#second")).to_have_text("or Rock, 35 %")
    service.publish(a_state(2, genre="jazz", confidence=0.7))
    expect(page.locator("#confidence")).to_have_text("70 % sure")
    expect(page.locator("#second")).to_be_empty()


def test_on_a_small_phone_nothing_of_the_head_is_cut_and_the_artist_has_a_line(open_page, puppet):
    service = puppet("den")
    title = "A title that is longer than a small phone is wide"
    service.publish({**a_state(1), "title": title, "artist": "Miles Davis"})
    page = open_page(service.url, size=(320, 640))
    expect(page.locator("#artist")).to_have_text("Miles Davis")
    assert page.locator(".brand").bounding_box()["y"] >= 0
    # Two lines, not three.
    assert page.locator(".bar").bounding_box()["height"] < 120
    artist, title = (page.locator(name).bounding_box() for name in ("#artist", "#title"))
    assert artist["y"] >= title["y"] + title["height"]
    assert page.evaluate(
        "(() => { const a = document.getElementById('artist');"
        "return a.scrollWidth <= a.clientWidth })()"
    )


def test_the_title_of_what_plays_is_shown_as_text_and_cut_where_there_is_no_room(open_page, puppet):
    service = puppet()
    page = open_page(service.url, size=PHONE)
    title = "<b>So What</b>, " + "live and very long " * 9
    artist = "Miles Davis & " + "many others " * 12
    service.publish({**a_state(1), "title": title, "artist": artist})
    expect(page.locator("#title")).to_have_text(title.strip())
    expect(page.locator("#artist")).to_have_text(artist.strip())
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    heights = [page.locator("#live .hero").bounding_box()["height"]]
    service.publish({**a_state(2), "title": None, "artist": None})
    expect(page.locator("#title")).to_be_empty()
    expect(page.locator("#artist")).to_be_empty()
    heights.append(page.locator("#live .hero").bounding_box()["height"])
    assert heights[0] == heights[1]


def test_what_is_looked_at_is_in_the_address_for_reloads_bookmarks_and_the_way_back(
    open_page, puppet
):
    service = puppet("den", "studio")
    service.publish(a_state(1))
    page = open_page(service.url)
    page.get_by_role("button", name="History").click()
    page.get_by_role("button", name="Week").click()
    page.locator("#timeline .row-label").nth(1).click()
    expect(page.locator("#timeline-title")).to_have_text("Yesterday")
    assert re.search(r"\?view=history&range=day&day=\d{4}-\d\d-\d\d$", page.url)
    page.get_by_role("button", name="studio").click()
    assert page.url.endswith("&node=studio")
    page.reload()
    expect(page.locator("#timeline-title")).to_have_text("Yesterday")
    expect(page.get_by_role("button", name="studio")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(page.locator("#timeline-title")).to_have_text("Last seven days")
    page.get_by_role("button", name="Live").click()
    expect(page.locator("#live")).to_be_visible()
    page.get_by_role("button", name="History").click()
    expect(page.locator("#timeline-title")).to_have_text("Last seven days")


def test_on_the_way_back_within_a_room_what_is_shown_of_it_stays(open_page, puppet):
    service = puppet("den")
    service.publish(a_state(1))
    page = open_page(service.url)
    expect(page.locator("#genre")).to_have_text("Jazz")
    draw_spectrogram(page, service)
    # What is drawn anew for another room begins with this.
    page.evaluate(
        """() => {
            window.eyebrows = [];
            new MutationObserver((changes) => window.eyebrows.push(...changes))
                .observe(document.getElementById("eyebrow"), { childList: true });
        }"""
    )
    page.get_by_role("button", name="History").click()
    page.go_back()
    expect(page.locator("#live")).to_be_visible()
    assert page.evaluate(IS_DRAWN)
    assert page.evaluate("window.eyebrows.length") == 0


def test_another_room_is_one_press_away_and_remembered(open_page, puppet):
    service = puppet("den", "studio")
    service.publish(a_state(1, genre="jazz"))
    service.publish(a_state(1, genre="rock", node="studio"))
    page = open_page(service.url)
    expect(page.locator("#genre")).to_have_text("Jazz")
    room = page.get_by_role("button", name="studio")
    expect(room).to_contain_text("Rock")
    room.click()
    expect(page.locator("#genre")).to_have_text("Rock")
    expect(page.locator("#node")).to_have_text("studio")
    page.reload()
    expect(page.locator("#genre")).to_have_text("Rock")
    expect(page.get_by_role("button", name="studio")).to_have_attribute("aria-pressed", "true")


def test_the_spectrogram_shows_the_room_that_was_chosen(open_page, puppet):
    service = puppet("den", "studio")
    page = open_page(service.url)
    expect(page.locator("#connection")).to_have_text("Connected")
    loud, quiet = np.full(128, 255, np.uint8), np.zeros(128, np.uint8)
    newest = """() => {
        const canvas = document.getElementById("spectrogram");
        const { data } = canvas.getContext("2d").getImageData(canvas.width - 1, 64, 1, 1);
        return data[0] > 200;
    }"""

    def play(column, other):
        now = page.evaluate("performance.now() / 1000")
        service.publish_column("den", column, now, now)
        service.publish_column("studio", other, now, now)
        return page.evaluate(newest)

    def until_shown(column, other, shown):
        for _ in range(200):
            if play(column, other) is shown:
                return
            page.wait_for_timeout(50)
        raise AssertionError("the column did not appear")

    until_shown(loud, quiet, True)
    page.get_by_role("button", name="studio").click()
    until_shown(loud, quiet, False)
    until_shown(quiet, loud, True)


def test_a_page_with_many_rooms_does_not_grow_wider_than_a_phone(open_page, puppet):
    rooms = [f"a-room-with-a-long-name-{i}" for i in range(8)]
    page = open_page(puppet(*rooms).url, size=(360, 740))
    expect(page.locator("#rooms button")).to_have_count(8)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_protected_service_is_asked_for_its_token_until_it_is_right_and_only_once(
    open_page, puppet
):
    service = puppet(token=TOKEN)
    service.publish(a_state(1))
    page = open_page(service.url)
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("textbox", name="Token").fill("not-the-token-at-all")
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#token-hint")).to_contain_text("not the right one")
    page.get_by_role("textbox", name="Token").fill(TOKEN)
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#genre")).to_have_text("Jazz")
    page.reload()
    expect(page.locator("#genre")).to_have_text("Jazz")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="History").click()
    expect(page.locator("#total")).to_contain_text("music")
    assert page.locator("#timeline-hint").text_content().strip() == ""


def test_a_browser_that_keeps_nothing_of_sites_shows_everything_until_it_is_closed(
    open_page, puppet
):
    service = puppet("den", "hall", token=TOKEN)
    service.publish(a_state(1))
    service.publish(a_state(1, node="hall", genre="blues"))
    page = open_page("about:blank")
    page.add_init_script(
        """Object.defineProperty(window, "localStorage", {
            get() { throw new DOMException("Access is denied.", "SecurityError"); },
        });"""
    )
    page.goto(service.url)
    page.get_by_role("textbox", name="Token").fill(TOKEN)
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#genre")).to_have_text("Jazz")
    page.locator("#rooms button", has_text="hall").click()
    expect(page.locator("#genre")).to_have_text("Blues")
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="History").click()
    # Which asks with the token.
    expect(page.locator("#total")).to_contain_text("music")


def test_who_does_not_enter_the_token_is_asked_until_he_does(open_page, puppet):
    service = puppet(token=TOKEN)
    service.publish(a_state(1))
    page = open_page(service.url)
    field = page.get_by_role("textbox", name="Token")
    expect(field).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Escape")
    expect(field).to_be_focused()
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")
    expect(page.locator("#genre")).to_have_text("Jazz")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_token_in_the_address_is_taken_and_removed_from_it(open_page, puppet):
    service = puppet(token=TOKEN)
    service.publish(a_state(1))
    page = open_page(f"{service.url}#token={TOKEN}")
    expect(page.locator("#genre")).to_have_text("Jazz")
    assert TOKEN not in page.url


def test_the_address_with_the_token_lets_in_where_the_page_asks_for_it_already(open_page, puppet):
    service = puppet(token=TOKEN)
    service.publish(a_state(1))
    page = open_page(service.url)
    expect(page.get_by_role("textbox", name="Token")).to_be_visible()
    page.goto(f"{service.url}#token={TOKEN}")
    expect(page.locator("#genre")).to_have_text("Jazz")
    assert "token" not in page.url


def test_a_genre_of_another_model_needs_no_colour_of_its_own(open_page, puppet):
    service = puppet()
    page = open_page(service.url)
    document = a_state(1)
    document["genre"] = "drum_and_bass"
    service.publish(document)
    expect(page.locator("#genre")).to_have_text("Drum and bass")


def test_long_names_of_taught_genres_stay_in_their_places_on_a_phone(open_page, puppet):
    long, longer = "singer-songwriter-with-a-guitar", 40 * "m"
    labels = ["jazz", long, longer]
    service = puppet(hello=lambda: {**a_hello("den"), "labels": labels})
    page = open_page(service.url, size=(360, 740))
    for sequence, genre, other in ((1, longer, long), (2, long, longer)):
        likely = {genre: 0.45, other: 0.35, "jazz": 0.2}
        state = a_state(sequence, genre=genre, confidence=0.45)
        service.publish(state | {"probabilities": likely, "raw_probabilities": likely})
        expect(page.locator("#second")).to_contain_text(other[1:])
    expect(page.locator("#recent li")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for row in page.locator("#bars li").all():
        name, track = (row.locator(part).bounding_box() for part in (".name", ".track"))
        assert name["x"] + name["width"] <= track["x"]
        assert name["height"] < 25
        assert row.locator(".name").evaluate("(e) => getComputedStyle(e).overflow") == "hidden"
    facts, recent = (page.locator(name).bounding_box() for name in ("#since", "#recent"))
    assert facts["y"] + facts["height"] <= recent["y"]
    # Its dot is beside it.
    assert page.locator("#recent li").bounding_box()["height"] <= recent["height"]


def test_the_name_of_the_room_makes_way_for_the_clock_of_a_phone_on_the_wall(open_page, puppet):
    service = puppet(hello=lambda: a_hello("den", names={"den": "Wohnzimmer im Süden"}))
    service.publish(a_state(1))
    page = open_page(f"{service.url}?kiosk", size=PHONE)
    expect(page.locator("#room-name")).to_have_text("Wohnzimmer im Süden")
    ends = page.locator(".eyebrow > *").evaluate_all(
        "all => all.map((each) => each.getBoundingClientRect().right)"
    )
    assert max(ends) <= page.locator("#clock").bounding_box()["x"]


@pytest.mark.parametrize("size", [(844, 390), (740, 360), PHONE, TABLET])
def test_no_name_of_a_room_is_so_long_that_it_lies_upon_the_clock_of_the_wall_display(
    open_page, puppet, size
):
    service = puppet(hello=lambda: a_hello("den", names={"den": 8 * "Zimmer, "}))
    service.publish(a_state(1))
    page = open_page(f"{service.url}?kiosk", size=size)
    expect(page.locator("#genre")).to_have_text("Jazz")
    # As wide as it gets, where the day has twice twelve hours.
    page.locator("#clock").evaluate("(clock) => { clock.textContent = '12:48 PM'; }")
    ends = page.locator(".eyebrow, .eyebrow > *").evaluate_all(
        "all => all.map((each) => each.getBoundingClientRect().right)"
    )
    assert max(ends) <= page.locator("#clock").bounding_box()["x"]


def test_kiosk_shows_the_genre_alone_and_as_large_as_it_fits(open_page, puppet):
    service = puppet()
    service.publish(a_state(1))
    page = open_page(f"{service.url}?kiosk", size=(1920, 1080))
    expect(page.locator("#genre")).to_have_text("Jazz")
    expect(page.locator("#clock")).to_have_text(re.compile(r"\d+:\d\d"))
    expect(page.locator("#recent")).to_have_css("font-size", "32.4px")
    for hidden in (".bar", ".genres", ".hears", ".level", ".about"):
        expect(page.locator(hidden)).to_be_hidden()
    box = page.locator("#genre").bounding_box()
    assert box["height"] > 1080 / 4


@pytest.mark.parametrize("way_out", ["the button", "Escape"])
def test_the_wall_display_has_the_rooms_name_and_a_way_out(open_page, puppet, way_out):
    service = puppet("den", "studio")
    service.publish(a_state(1, node="studio"))
    page = open_page(f"{service.url}?kiosk&node=studio", size=WALL)
    expect(page.locator("#room-name")).to_have_text("studio")
    button = page.get_by_role("button", name="Leave the wall display")
    assert button.evaluate("(e) => getComputedStyle(e).opacity") == "0"
    page.mouse.move(100, 100)
    expect(button).to_have_css("opacity", "1")
    if way_out == "Escape":
        page.keyboard.press("Escape")
    else:
        button.click()
    expect(page.locator(".bar")).to_be_visible()
    expect(page.locator("#kiosk")).to_be_focused()
    assert page.url == f"{service.url}?node=studio"
    page.go_back()
    expect(page.locator(".bar")).to_be_hidden()


def test_a_touch_anywhere_on_the_wall_display_shows_the_way_out_and_opens_nothing(
    open_page, puppet
):
    service = puppet()
    service.publish(a_state(1))
    page = open_page(f"{service.url}?kiosk", size=WALL, has_touch=True)
    expect(page.locator("#genre")).to_have_text("Jazz")
    box = page.locator("#genre-name").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#leave-kiosk")).to_have_css("opacity", "1")
    expect(page.get_by_role("dialog")).to_have_count(0)
    # Who then wants to teach does, and Escape leads back to the wall display first.
    page.locator("#genre-name").tap()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".bar")).to_be_hidden()


def test_who_goes_back_from_the_wall_display_is_out_of_the_full_screen(open_page, puppet):
    page = open_page(puppet().url)
    page.get_by_role("link", name="Wall display").click()
    expect(page.locator(":root:fullscreen")).to_have_count(1)
    page.go_back()
    expect(page.locator(":root:fullscreen")).to_have_count(0)
    expect(page.locator(".bar")).to_be_visible()


def test_the_wall_display_is_dark_at_night_and_bright_by_day(open_page, puppet):
    service = puppet()
    page = open_page("about:blank", size=WALL, theme="light")
    page.clock.install(time=datetime(2024, 5, 1, 22, 58))
    page.goto(f"{service.url}?kiosk")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.clock.run_for("03:00")
    expect(page.locator("html")).to_have_attribute("data-night", "")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.clock.fast_forward("07:00:00")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.keyboard.press("Escape")
    page.clock.fast_forward("17:00:00")
    assert page.evaluate("document.documentElement.hasAttribute('data-night')") is False


def test_on_the_wall_display_nothing_stays_on_the_same_pixels(open_page, puppet):
    service = puppet()
    page = open_page("about:blank", size=WALL)
    page.clock.install()
    page.goto(f"{service.url}?kiosk")
    expect(page.locator("#connection")).to_have_text("Connected")
    places = set()
    for _ in range(8):
        places.add(tuple(page.locator("#clock").bounding_box().values())[:2])
        page.clock.run_for("01:00")
    assert len(places) == 8
    assert max(x for x, _ in places) - min(x for x, _ in places) == 8


def test_what_was_heard_before_is_written_larger_on_the_wall_display(open_page, puppet):
    service = puppet()
    service.publish(a_state(1, genre="jazz"))
    page = open_page(service.url, size=WALL)
    expect(page.locator("#genre")).to_have_text("Jazz")
    size = "() => parseFloat(getComputedStyle(document.getElementById('recent')).fontSize)"
    on_the_page = page.evaluate(size)
    page.goto(f"{service.url}?kiosk")
    expect(page.locator("#genre")).to_have_text("Jazz")
    assert page.evaluate(size) >= 1.5 * on_the_page


def test_the_bars_of_three_genres_stay_in_their_card_and_fill_it(open_page, puppet):
    service = puppet()
    service.publish(a_state(1, genre="jazz"))
    page = open_page(service.url, size=(1280, 800))
    expect(page.locator("#genre")).to_have_text("Jazz")
    rows = [row.bounding_box() for row in page.locator("#bars li").all()]
    bars, card = page.locator("#bars").bounding_box(), page.locator(".hero").bounding_box()
    assert len(rows) == 5  # blues, jazz, rock, other music, no music
    assert rows[-1]["y"] + rows[-1]["height"] <= bars["y"] + bars["height"] + 1
    assert bars["y"] + bars["height"] <= card["y"] + card["height"] + 1
    used = rows[-1]["y"] + rows[-1]["height"] - rows[0]["y"]
    assert used >= 0.6 * bars["height"]


def test_no_genre_is_wider_than_the_wall_display_or_the_card(open_page, puppet):
    service = puppet()
    right = """() => {
        const text = document.createRange();
        text.selectNodeContents(document.getElementById("genre"));
        return text.getBoundingClientRect().right;
    }"""
    for path, size in (("?kiosk", WALL), ("?kiosk", PHONE), ("", PHONE), ("", TABLET)):
        page = open_page(service.url + path, size=size)
        card = page.locator(".hero").bounding_box()
        for sequence, genre in enumerate([*GENRE_COLORS, "wwwwwwwwwwwwwww"]):
            service.publish({**a_state(sequence), "genre": genre})
            expect(page.locator("#genre")).to_have_attribute("data-genre", genre)
            assert page.evaluate(right) <= card["x"] + card["width"], (genre, path, size)
        page.close()


def test_what_plays_has_no_bar_behind_it_and_bars_stand_beside_their_genres(open_page, puppet):
    service = puppet()
    service.publish({**a_state(1), "title": "So What", "artist": "Miles Davis"})
    page = open_page(service.url)
    expect(page.locator("#title")).to_have_text("So What")
    middles = page.evaluate(
        """() => {
            const middle = (element) => {
                const { top, height } = element.getBoundingClientRect();
                return top + height / 2;
            };
            return [...document.querySelectorAll("#bars li")].map((row) =>
                middle(row.querySelector(".track")) - middle(row.querySelector(".name")));
        }"""
    )
    assert max(map(abs, middles)) < 3
    behind = page.evaluate(
        "getComputedStyle(document.querySelector('#title').parentElement).backgroundColor"
    )
    assert behind == "rgba(0, 0, 0, 0)"
