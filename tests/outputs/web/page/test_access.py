"""The page for everybody: contrast, screen readers, keyboard, every size, nothing that jumps."""

import time
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

from rtgenre.history.store import HistoryStore
from rtgenre.history.stretches import Stretch
from rtgenre.outputs.colors import GENRE_COLORS
from rtgenre.types import PlayState, UnknownReason
from tests.documents import a_state
from tests.outputs.web.page.conftest import PHONE, TABLET, WALL

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
BACKGROUND = "(element) => getComputedStyle(element).backgroundColor"
SIZES = {"phone": PHONE, "tablet": TABLET, "wall": WALL}


def violations(page):
    """Return what axe-core finds, of any impact."""
    # By evaluation, since the page's own policy lets nothing foreign in.
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa',"
        " 'best-practice'], resultTypes: ['violations'] }).then((found) => found.violations)"
    )
    return [(v["id"], v["impact"], v["nodes"][0]["html"], len(v["nodes"])) for v in found]


def show_music(puppet, open_page, path="", **options):
    service = puppet("den", "studio")
    service.publish(a_state(1))
    page = open_page(service.url + path, **options)
    expect(page.locator("#genre")).to_have_text("Jazz")
    # What enters has arrived.
    page.evaluate("Promise.all(document.getAnimations().map((a) => a.finished))")
    return page


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_in_the_live_view(open_page, puppet, theme, size):
    page = show_music(puppet, open_page, theme=theme, size=SIZES[size])
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("shown", ["Hour", "Week"])
def test_axe_finds_nothing_in_the_history(open_page, puppet, theme, shown):
    page = show_music(puppet, open_page, theme=theme)
    page.get_by_role("button", name="History").click()
    page.get_by_role("button", name=shown).click()
    expect(page.locator("#timeline canvas").first).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_in_the_wall_display_and_the_token_dialog(open_page, puppet, theme):
    page = show_music(puppet, open_page, "?kiosk&night=off", theme=theme, size=WALL)
    page.mouse.move(100, 100)
    expect(page.locator("#leave-kiosk")).to_have_css("opacity", "1")
    assert violations(page) == []
    page = open_page(puppet(token="a-token-of-enough-characters").url, theme=theme)
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_where_rows_are_listed_and_one_is_to_be_deleted(
    open_page, puppet, theme, tmp_path
):
    now = time.time()
    with HistoryStore(tmp_path / "history.db") as store:
        store.write(
            [
                Stretch("den", now - 90, now - 60, "jazz", 0.8, "crnn 4"),
                Stretch("den", now - 60, now - 30, "silence", None, "crnn 4"),
            ]
        )
    page = open_page(f"{puppet('den').url}?view=history", theme=theme)
    expect(page.locator("#stretches button")).to_have_count(2)
    assert violations(page) == []
    page.get_by_role("button", name="Delete Jazz").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_where_no_genre_is_named(open_page, puppet, theme):
    service = puppet()
    page = open_page(service.url, theme=theme)
    hum = a_state(1, state=PlayState.UNKNOWN, reason=UnknownReason.NOT_MUSIC)
    for document, heading in ((hum, "No music"), (a_state(2, state=PlayState.SILENCE), "Silence")):
        service.publish(document)
        expect(page.locator("#genre")).to_have_text(heading)
        page.evaluate("Promise.all(document.getAnimations().map((a) => a.finished))")
        assert violations(page) == []


def test_with_the_systems_own_colours_bars_stay_and_what_is_pressed_is_seen(open_page, puppet):
    page = show_music(puppet, open_page)
    bar = page.locator("#bars .shown .fill")
    color = bar.evaluate(BACKGROUND)
    page.emulate_media(forced_colors="active")
    assert bar.evaluate(BACKGROUND) == color
    view, other_view = page.locator("[data-view-button]:visible").all()[:2]
    room, other_room = page.locator("#rooms button").all()
    highlight = view.evaluate(BACKGROUND)
    assert room.evaluate(BACKGROUND) == highlight
    assert highlight not in {other_view.evaluate(BACKGROUND), other_room.evaluate(BACKGROUND)}


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_genre_can_be_read_on_its_own_glow(open_page, puppet, theme):
    page = open_page(puppet().url, theme=theme)
    for genre, color in GENRE_COLORS.items():
        page.evaluate(
            """async ([genre, color]) => {
                const { readable, mix, contrast } = await import("/static/colors.js");
                const styles = getComputedStyle(document.documentElement);
                const surface = styles.getPropertyValue("--surface").trim();
                const glow = parseFloat(styles.getPropertyValue("--glow")) / 100;
                const text = readable(color, surface);
                if (contrast(text, surface) < 4.5) throw new Error(`${genre} on the card`);
                // Large text, where the glow is strongest.
                const glowing = mix(surface, color, glow);
                if (contrast(text, glowing) < 3) throw new Error(`${genre} on its glow`);
            }""",
            [genre, color],
        )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ["live", "history", "kiosk"])
def test_nothing_is_wider_than_the_screen(open_page, puppet, size, view):
    path = "?kiosk" if view == "kiosk" else ""
    page = show_music(puppet, open_page, path, size=SIZES[size])
    if view == "history":
        page.get_by_role("button", name="History").click()
        page.get_by_role("button", name="Week").click()
        expect(page.locator("#timeline canvas")).to_have_count(7)
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]


@pytest.mark.parametrize("size", ["tablet", "wall"])
@pytest.mark.parametrize("path", ["", "?kiosk"])
def test_tablet_and_wall_show_everything_at_once_without_scrolling(open_page, puppet, size, path):
    page = show_music(puppet, open_page, path, size=SIZES[size])
    assert page.evaluate("document.documentElement.scrollHeight") <= SIZES[size][1]


@pytest.mark.parametrize("size", SIZES)
def test_nothing_jumps_while_the_page_fills_and_genres_change(open_page, puppet, size):
    service = puppet("den", "studio")
    page = open_page("about:blank", size=SIZES[size])
    page.add_init_script(
        """
        window.shifts = [];
        new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) window.shifts.push(
                [entry.value, entry.sources.map(({ node }) => node?.id ?? node?.nodeName)]
            );
        }).observe({ type: "layout-shift", buffered: true });
        """
    )
    page.goto(service.url)
    expect(page.locator("#connection")).to_have_text("Connected")
    for sequence, genre in enumerate(["jazz", "rock", "blues"]):
        service.publish(a_state(sequence, genre=genre, confidence=0.5))
        expect(page.locator("#genre")).to_have_text(genre.capitalize())
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))")
    shifts = page.evaluate("window.shifts")
    assert sum(value for value, _ in shifts) < 0.005, shifts


def test_the_theme_follows_the_system_and_the_button_and_is_remembered(open_page, puppet):
    page = show_music(puppet, open_page, theme="light")
    theme = "document.documentElement.dataset.theme"
    assert page.evaluate(theme) == "light"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"() => {theme} === 'dark'")
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="Theme").click()
    assert page.evaluate(theme) == "light"
    page.reload()
    assert page.evaluate(theme) == "light"


def test_the_keyboard_alone_reaches_the_history_and_back(open_page, puppet):
    page = show_music(puppet, open_page)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#timeline")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#genre")).to_be_visible()
