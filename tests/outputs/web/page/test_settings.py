"""Settings that are changed on the page: with the mouse, by keyboard, on a phone."""

import re
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from rtgenre.config import load_config
from rtgenre.config.settings_file import SettingsFile
from rtgenre.outputs.web.settings import settings_routes, settings_uploads
from rtgenre.service.settings_desk import SettingsDesk
from rtgenre.sources.devices import InputDevice
from rtgenre.sources.levels import InputLevel
from rtgenre.tracking.replay import LastMinutes
from tests.documents import COLORS, LABELS, a_hello, a_state, a_status
from tests.outputs.web.page.conftest import PHONE, TABLET
from tests.outputs.web.page.late import LateAnswers, Line
from tests.outputs.web.page.test_access import violations
from tests.tracking.test_replay import windows

TEXT = """\
# mine
[source]
node = "den"
[mqtt]
host = "broker"
[lights]
wled = ["shelf"] # on the left
[smoothing]
switch_margin = 0.2 # calm
"""


SAVE = re.compile(r"/settings$")


class Service:
    """What a service does of it, with a real file and a real desk."""

    def __init__(self, file):
        self.file = file
        file.write_text(TEXT)
        self.config = load_config(file)
        self.tried, self.restarts = [], 0
        heard = LastMinutes()
        for window in windows(*["jazz"] * 20, "rock", "rock", *["jazz"] * 20):
            heard.push(window)
        pipeline = SimpleNamespace(last_minutes=heard, labels=LABELS)
        source = SimpleNamespace(name="device: x")
        den = SimpleNamespace(pipeline=pipeline, source=source, problem=None)
        self.desk = SettingsDesk(
            SettingsFile(file, {}),
            {"den": den},
            config=lambda: self.config,
            colors=lambda: COLORS | {k: v for k, v in self.config.colors.items() if k in COLORS},
            reload=self.reload,
            restart=self.restart,
            try_color=lambda *what: self.tried.append(what),
        )

    def reload(self, config):
        self.config = config.model_copy(update={"source": self.config.source})
        self.desk.note(config)

    def restart(self):
        self.restarts += 1


@pytest.fixture
def service(tmp_path, monkeypatch):
    device = InputDevice(0, "USB Mic", "ALSA", 1, 48000, 0.01, False, True)
    heard = ([InputLevel(device, -30.0)], 0)
    monkeypatch.setattr("rtgenre.service.settings_desk.measure_levels", lambda _: heard)
    return Service(tmp_path / "rtgenre.toml")


@pytest.fixture
def show(puppet, open_page, service):
    def show(**options):
        page = open_page("about:blank", **options)
        show_settings(puppet, service, page)
        return page

    return show


def show_settings(puppet, service, page):
    service.puppet = puppet(
        "den",
        routes=settings_routes(service.desk),
        uploads=settings_uploads(service.desk),
        hello=lambda: {**a_hello("den"), "settings": True},
    )
    service.puppet.publish(a_state(1))
    page.goto(service.puppet.url)
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_role("heading", name="Colours")).to_be_visible()
    expect(page.get_by_role("list", name="Inputs").get_by_role("radio")).not_to_have_count(0)


def saved(page):
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()


def test_what_is_saved_on_the_page_is_in_the_file_and_every_comment_stays(show, service):
    page = show()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    page.get_by_label("Name of the room").fill("Wohnzimmer")
    page.get_by_role("button", name="Show levels").click()
    expect(page.get_by_role("list", name="Inputs")).to_contain_text("\u221230.0 dBFS")
    page.get_by_role("radio", name="USB Mic").check()
    page.get_by_label("Jazz", exact=True).fill("#123456")
    saved(page)
    text = service.file.read_text()
    for line in TEXT.splitlines():
        assert line in text
    assert 'name = "Wohnzimmer"' in text
    assert 'input = "USB Mic"' in text
    assert service.config.colors["jazz"] == "#123456"
    expect(page.locator("#settings-waiting")).to_contain_text("input of den, name of den")
    page.get_by_role("button", name="Start anew").click()
    expect(page.get_by_role("status").filter(has_text="starts anew")).to_be_visible()
    assert service.restarts == 1


def test_a_slider_moves_by_keyboard_and_shows_what_the_last_minutes_would_have_been(show, service):
    page = show()
    expect(page.locator("#preview-now-text")).to_contain_text("2 changes")
    slider = page.get_by_role("slider", name="How long it must lead")
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#preview-then-text")).to_contain_text("0 changes")
    expect(page.locator("#preview-now-text")).to_contain_text("2 changes")
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    assert service.config.smoothing.switch_hold_seconds == 10.0
    assert "switch_margin = 0.2 # calm" in service.file.read_text()


def test_a_file_that_was_changed_meanwhile_is_told_and_the_own_change_can_be_saved_again(
    show, service
):
    page = show()
    page.get_by_label("Rock", exact=True).fill("#654321")
    service.file.write_text(TEXT.replace("# mine", "# another's"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="changed meanwhile")).to_be_visible()
    expect(page.get_by_label("Rock", exact=True)).to_have_value("#654321")
    saved(page)
    assert service.file.read_text().startswith("# another's")
    assert service.config.colors["rock"] == "#654321"


def test_a_second_press_on_save_does_not_say_that_nothing_was_saved(show):
    page = show()
    late = LateAnswers(page, SAVE)
    saves = []
    page.on("request", lambda asked: asked.method == "POST" and saves.append(asked.url))
    page.get_by_label("Rock", exact=True).fill("#654321")
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    late.wait()
    late.arrive()
    expect(page.locator("#settings-hint")).to_have_text("Saved.")
    assert len([url for url in saves if SAVE.search(url)]) == 1


def test_what_is_typed_while_settings_are_saved_stays_and_can_be_saved(show, service):
    page = show()
    answers = LateAnswers(page, SAVE, times=1)
    name = page.get_by_label("Name of the room")
    name.fill("Wohn")
    page.get_by_role("button", name="Save").click()
    answers.wait()
    name.fill("Wohnzimmer")
    page.get_by_role("button", name="Add a Zigbee lamp").click()
    answers.arrive()
    expect(page.locator("#settings-hint")).to_have_text("Saved.")
    expect(name).to_have_value("Wohnzimmer")
    expect(page.get_by_role("textbox", name="Zigbee lamp 1")).to_be_focused()
    saved(page)
    assert 'name = "Wohnzimmer"' in service.file.read_text()


def test_settings_that_come_late_do_not_take_the_place_of_what_was_saved(show):
    page = show()
    late = LateAnswers(page, "**/settings", times=1)
    page.get_by_role("button", name="Settings").click()
    late.wait()
    rock = page.get_by_label("Rock", exact=True)
    rock.fill("#654321")
    saved(page)
    late.arrive()
    expect(rock).to_have_value("#654321")
    expect(page.locator("#settings-hint")).to_have_text("Saved.")


def test_a_preview_that_comes_late_does_not_take_the_place_of_a_newer_one(show):
    page = show()
    expect(page.locator("#preview-then-text")).to_contain_text("2 changes")
    late = LateAnswers(page, "**/settings/preview", times=1)
    page.get_by_role("slider", name="How long it must lead").focus()
    page.keyboard.press("ArrowRight")
    late.wait()
    for _ in range(19):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#preview-then-text")).to_contain_text("0 changes")
    late.arrive()
    expect(page.locator("#preview-then-text")).to_contain_text("0 changes")


def test_a_service_that_began_anew_is_no_longer_said_to_need_a_new_start(
    puppet, open_page, service
):
    page = open_page("about:blank")
    line = Line(page)
    show_settings(puppet, service, page)
    page.get_by_label("Name of the room").fill("Wohnzimmer")
    saved(page)
    expect(page.locator("#settings-waiting")).to_contain_text("name of den")
    page.get_by_role("button", name="Start anew").click()
    expect(page.locator("#settings-hint")).to_have_text("It starts anew …")
    expect(page.get_by_role("button", name="Start anew")).to_be_hidden()
    # It has begun anew, with the name that was saved.
    service.config = load_config(service.file)
    line.cut()
    expect(page.locator("#settings-waiting")).to_be_empty()
    expect(page.locator("#settings-hint")).to_be_empty()
    expect(page.get_by_label("Name of the room")).to_have_value("Wohnzimmer")


def test_a_colour_is_tried_on_the_lamps_before_it_is_saved(show, service):
    page = show()
    page.get_by_label("Rock", exact=True).fill("#654321")
    page.get_by_role("button", name="Try Rock on the lamps").click()
    expect(page.get_by_role("status").filter(has_text="next window")).to_be_visible()
    assert service.tried == [("den", "#654321")]
    assert service.file.read_text() == TEXT


def test_lamps_are_added_renamed_and_removed_and_their_comments_stay(show, service):
    service.file.write_text(TEXT.replace('["shelf"]', '[\n  "shelf", # oak\n  "tv", # big\n]'))
    service.config = load_config(service.file)
    page = show()
    page.get_by_role("textbox", name="WLED device 1").fill("rack")
    page.get_by_role("button", name="Remove WLED device 2").click()
    expect(page.get_by_role("button", name="Remove WLED device 1")).to_be_focused()
    page.get_by_role("button", name="Add a Zigbee lamp").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("Sofa lamp")
    # One that is left empty is none.
    page.get_by_role("button", name="Add a Zigbee lamp").click()
    saved(page)
    text = service.file.read_text()
    assert 'wled = [\n  "rack", # oak\n]' in text
    assert "# on the left" in text
    assert 'zigbee2mqtt = ["Sofa lamp"]' in text
    assert service.config.lights.lamps("den", first=True) == (("rack",), ("Sofa lamp",))
    expect(page.get_by_role("textbox", name="Zigbee lamp")).to_have_count(1)
    expect(page.locator("#settings-lamps")).to_contain_text("rack, Sofa lamp")


def show_four_lamps(show, service):
    """Show the settings of a room with four WLED devices; return the page and their fields."""
    service.file.write_text(TEXT.replace('["shelf"]', '["shelf", "tv", "rack", "stairs"]'))
    service.config = load_config(service.file)
    page = show()
    lamps = page.get_by_role("textbox", name="WLED device")
    expect(lamps).to_have_count(4)
    return page, lamps


def test_a_double_click_takes_one_lamp_away_also_where_browsers_count_anew(show, service):
    page, lamps = show_four_lamps(show, service)
    page.evaluate(
        """() => {
            const options = { bubbles: true, cancelable: true, detail: 1, clientX: 9, clientY: 9 };
            for (let i = 0; i < 2; i += 1) {
                const button = document.querySelector("#settings-wled button");
                button.dispatchEvent(new MouseEvent("click", options));
            }
        }"""
    )
    expect(lamps).to_have_count(3)
    for _ in range(2):
        page.keyboard.press("Enter")
    expect(lamps).to_have_count(1)
    expect(lamps).to_have_value("stairs")


def test_a_held_key_takes_one_lamp_away(show, service):
    page, lamps = show_four_lamps(show, service)
    page.locator("#settings-wled button").first.focus()
    for _ in range(3):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    expect(lamps).to_have_count(3)
    page.keyboard.press("Enter")
    expect(lamps).to_have_count(2)


def test_a_name_that_no_lamp_can_have_is_refused_as_in_the_file_and_stays_to_be_mended(
    show, service
):
    page = show()
    lamp = page.get_by_role("textbox", name="WLED device 1")
    lamp.fill("shelf/#")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="a topic has no '#'")).to_be_visible()
    expect(lamp).to_have_value("shelf/#")
    assert service.file.read_text() == TEXT
    page.get_by_role("button", name="Undo").click()
    expect(lamp).to_have_value("shelf")


def test_where_there_is_no_broker_the_page_says_what_lamps_need(show, service):
    service.file.write_text(TEXT.replace('host = "broker"', ""))
    service.config = load_config(service.file)
    page = show()
    expect(page.locator("#settings-broker")).to_contain_text("MQTT broker")
    expect(page.get_by_role("button", name="Try Rock on the lamps")).to_be_hidden()


def test_whoever_has_changed_something_on_a_phone_need_not_look_for_the_button(show):
    page = show(size=PHONE)
    save = page.get_by_role("button", name="Save")
    expect(save).not_to_be_in_viewport()
    page.get_by_label("Name of the room").fill("Küche")
    expect(save).to_be_in_viewport()


@pytest.mark.parametrize("size", [(360, 740), (768, 1024)], ids=["phone", "tablet"])
def test_no_notice_lies_upon_save_where_another_input_is_chosen_since_none_is_heard(
    show, service, size
):
    page = show(size=size)
    why = "the input cannot be opened, and the reason for that takes more than a line or two here"
    service.puppet.publish(a_status(why))
    expect(page.locator("#notice")).to_be_visible()
    save, notice = page.get_by_role("button", name="Save"), page.locator("#notice")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    box, above = notice.bounding_box(), save.bounding_box()
    assert above["y"] + above["height"] <= box["y"]
    page.get_by_label("Name of the room").fill("Bad")
    expect(save).to_be_enabled()
    box, below = notice.bounding_box(), page.locator(".save-bar").bounding_box()
    assert box["y"] + box["height"] <= below["y"]
    saved(page)


def test_a_read_only_file_is_told_and_nothing_can_be_pressed(show, service):
    service.file.chmod(0o400)
    page = show()
    told = page.get_by_role("status").filter(has_text="read-only")
    expect(told).to_have_text(re.compile(r"Nothing can be changed here: .* or edit it\.$"))
    expect(page.get_by_label("Name of the room")).to_be_disabled()


def test_nothing_can_be_typed_before_the_settings_are_known(puppet, open_page, service):
    page = open_page("about:blank")
    answers = LateAnswers(page, SAVE)
    service.puppet = puppet(
        "den",
        routes=settings_routes(service.desk),
        uploads=settings_uploads(service.desk),
        hello=lambda: {**a_hello("den"), "settings": True},
    )
    page.goto(f"{service.puppet.url}?view=settings")
    # Once for the view, and once for the room.
    answers.wait(2)
    expect(page.get_by_label("Name of the room")).to_be_disabled()
    answers.arrive(1)
    expect(page.get_by_label("Name of the room")).to_be_enabled()


def test_the_address_of_the_settings_says_where_they_are_if_none_can_be_changed(open_page, puppet):
    service = puppet("den")
    page = open_page(f"{service.url}?view=settings")
    expect(page.get_by_role("status").filter(has_text="settings file")).to_be_visible()
    expect(page.get_by_label("Name of the room")).to_be_disabled()
    expect(page.get_by_role("button", name="Add a WLED device")).to_be_disabled()


def test_a_page_whose_service_offers_no_settings_does_not_speak_of_them(open_page, puppet):
    service = puppet("den")
    service.publish(a_state(1))
    page = open_page(service.url)
    expect(page.locator("#genre")).to_have_text("Jazz")
    expect(page.get_by_role("button", name="Settings")).to_be_hidden()


@pytest.mark.parametrize(("theme", "size"), [("dark", PHONE), ("light", TABLET)])
def test_axe_finds_nothing_in_the_settings_and_nothing_is_cut_off(show, theme, size):
    page = show(theme=theme, size=size)
    page.get_by_label("Name of the room").fill("x" * 64)
    expect(page.locator("#preview-now-text")).to_contain_text("2 changes")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert violations(page) == []
