"""The page beside the running service, with real music as its source."""

import re

import pytest
from playwright.sync_api import expect

from rtgenre.demo import DEMO_RECORDINGS
from rtgenre.sources.decode import open_audio
from tests.documents import a_state

HOP_MS = 2000

SHOWN = """() => JSON.stringify({
    genre: document.getElementById("genre").dataset.genre,
    percents: [...document.querySelectorAll("#bars li:not(:last-child) .value")]
        .map((e) => e.textContent),
})"""

# How many different colours a canvas holds, and a sum that tells two pictures apart.
CANVAS = """(id) => {
    const canvas = document.getElementById(id);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const pixels = new Uint32Array(data.buffer);
    return {
        colors: new Set(pixels).size,
        sum: pixels.reduce((sum, pixel, i) => (sum + pixel * (i % 9973)) % 2 ** 40, 0),
    };
}"""
N_COLORS = f"(id) => ({CANVAS})(id).colors"


def wait_for_music(page):
    expect(page.locator("#genre")).not_to_have_attribute("data-genre", "", timeout=60_000)


def test_the_page_shows_what_the_websocket_says_within_one_window(open_page, service):
    page = open_page(service.url)
    wait_for_music(page)
    document = service.next_state()
    familiar = document["familiar_probability"]
    shares = [p * familiar for p in document["probabilities"].values()]
    percents = [f"{int(100 * share + 0.5)} %" for share in [*shares, 1 - familiar]]
    page.wait_for_function(
        f"([genre, percents]) => {{ const shown = JSON.parse(({SHOWN})());"
        "return shown.genre === genre && shown.percents.join() === percents.join(); }",
        arg=[document["genre"] or document["state"], percents],
        timeout=HOP_MS,
    )
    assert page.title().lower().startswith((document["genre"] or document["state"])[:3])


def test_source_node_model_level_and_connection_are_shown(open_page, service):
    page = open_page(service.url)
    wait_for_music(page)
    expect(page.locator("#source")).to_have_text("classical.ogg")
    expect(page.locator("#node")).to_have_text("kitchen")
    hello = service.hello()
    expect(page.locator("#model")).to_have_text(f"Standard {hello['model_version']}")
    expect(page.locator("#latency")).to_have_text(re.compile(r"\d+ ms"))
    expect(page.locator("#level-text")).to_have_text(re.compile(r"\u2212\d+\.\d dBFS"))
    expect(page.locator("#connection")).to_have_text("Connected")
    expect(page.locator("#since")).to_have_text(re.compile(r"since \d+:\d\d"))
    expect(page.locator("#notice")).to_be_hidden()


def test_the_spectrogram_fills_and_moves_with_the_genre_band_below(open_page, service):
    page = open_page(service.url)
    page.wait_for_function(f'() => ({N_COLORS})("spectrogram") > 50', timeout=60_000)
    page.wait_for_function(f'() => ({N_COLORS})("band") > 1', timeout=60_000)
    before = page.evaluate(CANVAS, "spectrogram")["sum"]
    page.wait_for_function(
        f'(before) => ({CANVAS})("spectrogram").sum !== before', arg=before, timeout=60_000
    )


def test_a_paused_spectrogram_stands_still_and_goes_on(open_page, service):
    page = open_page(service.url)
    page.wait_for_function(f'() => ({N_COLORS})("spectrogram") > 50', timeout=60_000)
    page.get_by_role("button", name="Pause").click()
    before = page.evaluate(CANVAS, "spectrogram")["sum"]
    # A message about a later window came, and no column was drawn.
    sequence = service.next_state()["sequence"]
    assert sequence > 0
    assert page.evaluate(CANVAS, "spectrogram")["sum"] == before
    page.get_by_role("button", name="Go on").click()
    page.wait_for_function(
        f'(before) => ({CANVAS})("spectrogram").sum !== before', arg=before, timeout=60_000
    )


def test_a_page_that_asks_for_less_motion_begins_paused(open_page, service):
    page = open_page(service.url, reduced_motion="reduce")
    wait_for_music(page)
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    assert page.evaluate(N_COLORS, "spectrogram") == 1


def test_a_stopped_service_is_said_and_a_started_one_found_again(open_page, service):
    page = open_page(service.url)
    wait_for_music(page)
    service.stop()
    expect(page.locator("#notice")).to_have_text(re.compile("No connection to the service"))
    expect(page.locator("#connection")).to_have_text("Reconnecting …")
    expect(page.locator("#announcer")).to_have_text("Connection lost")
    service.start()
    expect(page.locator("#connection")).to_have_text("Connected")
    expect(page.locator("#notice")).to_be_hidden()
    service.next_state()
    wait_for_music(page)
    page.wait_for_function(f'() => ({N_COLORS})("spectrogram") > 50', timeout=60_000)


def test_a_phone_without_the_service_says_what_failed_beside_the_notice_and_its_head_stays(
    open_page, service
):
    page = open_page(service.url, size=(360, 740))
    wait_for_music(page)
    height = page.locator(".bar").bounding_box()["height"]
    service.stop()
    expect(page.locator("#notice")).to_have_text(re.compile("No connection to the service"))
    assert page.locator(".bar").bounding_box()["height"] == height
    page.get_by_role("button", name="Not right?").click()
    page.locator("#teach-genres button").first.click()
    expect(page.locator("#note-text")).to_have_text("Not learnt: the service cannot be reached")
    note, notice = (page.locator(name).bounding_box() for name in ("#note", "#notice"))
    assert note["y"] + note["height"] <= notice["y"]
    service.start()
    expect(page.locator("#notice")).to_be_hidden()


def test_a_lost_connection_is_said_however_often_coming_back_fails(service, browser):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{service.url}static/notices.js")  # for its origin
    page.evaluate(
        """async () => {
          document.body.innerHTML = '<p id="notice" hidden><span id="notice-text"></span></p>';
          const { Notices } = await import("/static/notices.js");
          const notices = new Notices();
          setInterval(() => notices.setConnected(false), 100);
        }"""
    )
    expect(page.locator("#notice")).to_be_visible()
    context.close()


def test_everything_comes_from_the_service_itself(open_page, service, browser):
    context = browser.new_context()
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(service.url)
    wait_for_music(page)
    page.get_by_role("button", name="History").click()
    expect(page.locator("#total")).not_to_have_text("\u00a0")
    context.close()
    assert [url for url in asked if not url.startswith((service.url, "data:"))] == []


def test_what_is_playing_appears_in_the_history(open_page, service):
    page = open_page(service.url)
    wait_for_music(page)
    service.next_state()
    page.get_by_role("button", name="History").click()
    expect(page.locator("#timeline canvas")).to_be_visible(timeout=60_000)
    # A function: the service's policy forbids the page to evaluate a text again and again.
    page.wait_for_function(
        f'() => {{ document.querySelector("#timeline canvas").id = "row"; '
        f'return ({N_COLORS})("row") > 1; }}',
        timeout=60_000,
    )


def test_a_badge_says_that_what_plays_is_the_demo_and_goes_with_it(open_page, puppet):
    service = puppet("den")
    page = open_page(service.url)
    service.publish(a_state() | {"source": "demo: 3 recordings", "title": "Sectoid - metal"})
    expect(page.locator("#demo")).to_be_visible()
    expect(page.locator("#title")).to_have_text("Sectoid - metal")
    service.publish(a_state(1))
    expect(page.locator("#demo")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 390, 1024, 1280])
def test_artist_genre_and_licence_of_the_demo_are_shown_whole(open_page, puppet, width):
    service = puppet("den")
    page = open_page(service.url, size=(width, 900))
    tracks = [open_audio(path).track for path in DEMO_RECORDINGS]
    longest = max(tracks, key=lambda track: len(track.title) + len(track.artist))
    played = {"title": longest.title, "artist": longest.artist}
    service.publish(a_state() | {"source": "demo: 4 recordings"} | played)
    is_whole = """text => text.scrollWidth <= text.clientWidth && text.clientWidth > 100
        && text.getBoundingClientRect().right <= text.parentElement.getBoundingClientRect().right"""
    for field, text in played.items():
        expect(page.locator(f"#{field}")).to_have_text(text)
        assert page.locator(f"#{field}").evaluate(is_whole)
