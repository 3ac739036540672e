"""Teaching on the page: with the mouse, by keyboard, and for those who listen to it."""

import pytest
from playwright.sync_api import expect

from rtgenre.messages.news import GenreNews
from rtgenre.messages.taught import genres_document
from rtgenre.outputs.web.teaching import (
    no_teaching_routes,
    teaching_routes,
    teaching_uploads,
)
from tests.documents import COLORS, LABELS, a_state
from tests.lessons import Lessons
from tests.outputs.web.page.conftest import PHONE, TABLET, WALL, second_click
from tests.outputs.web.page.test_access import violations


@pytest.fixture
def lessons():
    return Lessons()


@pytest.fixture
def show(puppet, open_page, lessons):
    def show(path="", **options):
        routes, uploads = teaching_routes(lessons, ["den"]), teaching_uploads(lessons)
        service = puppet("den", routes=routes, uploads=uploads)
        service.publish(a_state(1))
        page = open_page(service.url + path, **options)
        expect(page.locator("#genre")).to_have_text("Jazz")
        page.evaluate("Promise.all(document.getAnimations().map((a) => a.finished))")
        return page

    return show


def test_one_press_teaches_what_is_playing_and_one_undoes_it(show, lessons):
    page = show()
    page.get_by_role("button", name="Not right?").click()
    dialog = page.get_by_role("dialog", name="What is playing?")
    names = dialog.get_by_role("list").get_by_role("button")
    # Likeliest first.
    expect(names).to_have_text(["Jazz", "Blues", "Rock"])
    names.nth(2).click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("status").filter(has_text="Learnt")).to_have_text(
        "Learnt: the last 24 s are Rock."
    )
    assert lessons.lessons == [("den", "rock")]
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#note-text")).to_have_text("Forgotten again.")
    expect(page.locator("#note")).not_to_contain_class("is-failure")
    assert lessons.genres == {}


def test_a_new_genre_is_taught_by_keyboard_alone(show, lessons):
    page = show()
    page.get_by_role("heading", name="Jazz").get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Jazz").last).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(page.get_by_label("Another genre")).to_be_focused()
    page.keyboard.type("techno")
    page.keyboard.press("Enter")
    expect(page.locator("#note-text")).to_have_text("Learnt: the last 24 s are Techno.")
    assert lessons.lessons == [("den", "techno")]


def test_a_name_that_cannot_be_taken_stays_in_its_field_with_the_reason(show, lessons):
    page = show()
    page.get_by_role("button", name="Not right?").click()
    field = page.get_by_label("Another genre")
    field.fill("kids' songs")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("for example 'kids-songs'")
    expect(field).to_be_focused()
    expect(field).to_have_value("kids'-songs")
    assert violations(page) == []
    # It is selected, so that typing replaces it.
    page.keyboard.type("kids songs")
    page.keyboard.press("Enter")
    expect(page.locator("#note-text")).to_contain_text("Kids-songs")
    assert lessons.lessons == [("den", "kids-songs")]
    page.get_by_role("button", name="Not right?").click()
    expect(field).to_have_value("")
    expect(page.locator("#teach-problem")).to_be_hidden()


def test_the_note_waits_while_somebody_is_about_to_press_undo(show, lessons):
    page = show()
    page.clock.install()
    page.get_by_role("button", name="Not right?").click()
    page.get_by_role("button", name="Rock").click()
    page.get_by_role("button", name="Undo").focus()
    page.clock.run_for(60_000)
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.locator("#genre-name").focus()
    page.clock.run_for(60_000)
    expect(page.locator("#note")).to_be_hidden()


def test_who_works_by_keyboard_is_not_thrown_out_when_the_list_becomes_empty(show, lessons):
    lessons.genres = {1: "techno"}
    page = show("?view=taught")
    page.get_by_role("button", name="Remove Techno").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Import")).to_be_focused()
    lessons.genres = {2: "techno"}
    page.get_by_role("button", name="Live").click()
    page.get_by_role("button", name="Taught").click()
    expect(page.get_by_role("button", name="Remove Techno")).to_be_visible()
    page.get_by_role("button", name="Forget everything").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Forget", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#taught-rows")).to_contain_text("Nothing was taught yet")
    expect(page.get_by_role("button", name="Import")).to_be_focused()


def test_why_a_genre_was_not_renamed_is_in_sight_below_a_long_list(show, lessons):
    lessons.genres = dict.fromkeys(range(1, 50), "techno")
    page = show("?view=taught")
    page.get_by_label("is called").fill("unknown")
    page.get_by_label("is called").press("Enter")
    hint = page.locator("#taught-hint")
    expect(hint).to_contain_text("cannot be called 'unknown'")
    expect(hint).to_be_in_viewport()


def test_long_names_leave_every_button_of_the_list_within_a_phone(show, lessons):
    lessons.genres = {1: "christmas-songs-of-the-whole-wide-world", 2: "grandmas-jazz"}
    page = show("?view=taught", size=PHONE)
    expect(page.locator("#taught-rows tr")).to_have_count(2)
    for button in page.locator("#taught-rows button").all():
        box = button.bounding_box()
        assert box["x"] + box["width"] <= PHONE[0]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_why_nothing_was_learnt_is_said(show, lessons):
    lessons.problem = "nothing that could be taught is playing in den"
    page = show()
    page.get_by_role("button", name="Not right?").click()
    page.get_by_role("button", name="Rock").click()
    expect(page.locator("#note-text")).to_contain_text("nothing that could be taught")
    expect(page.locator("#note")).to_contain_class("is-failure")
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()


def test_a_taught_genre_appears_by_itself(puppet, open_page):
    news = GenreNews()
    service = puppet("den", news=news)
    service.publish(a_state(1))
    page = open_page(service.url)
    expect(page.locator("#genre")).to_have_text("Jazz")
    document = genres_document([*LABELS, "techno"], COLORS | {"techno": "#123456"})
    service.soon(lambda: news.publish(document))
    row = page.locator("#bars li[data-label=techno]")
    expect(row).to_be_visible()
    assert row.evaluate("row => row.style.getPropertyValue('--color')") == "#123456"
    # What was shown stays.
    expect(page.locator("#genre")).to_have_text("Jazz")


def test_the_taught_view_removes_renames_and_forgets(show, lessons):
    lessons.genres = {1: "techno", 2: "house", 3: "techno"}
    page = show("?view=taught")
    rows = page.locator("#taught-rows tr")
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="Remove House").click()
    expect(rows).to_have_count(2)
    page.get_by_label("Genre", exact=True).select_option("techno")
    page.get_by_label("is called").fill("electro")
    page.get_by_role("button", name="Rename or merge").click()
    expect(rows.first).to_contain_text("Electro")
    page.get_by_role("button", name="Forget everything").click()
    page.get_by_role("button", name="Keep").click()
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Forget everything").click()
    page.get_by_role("button", name="Forget", exact=True).click()
    expect(rows.first).to_contain_text("Nothing was taught yet")
    assert lessons.genres == {}


def test_a_double_click_on_remove_leaves_the_row_that_moved_up(show, lessons):
    lessons.genres = {1: "techno", 2: "house", 3: "polka"}
    page = show("?view=taught")
    asked = []
    page.on("request", lambda request: asked.append(request.method))
    rows = page.locator("#taught-rows tr")
    page.get_by_role("button", name="Remove").first.click()
    expect(rows).to_have_count(2)
    second_click(page, page.get_by_role("button", name="Remove").first)
    with page.expect_request("**/healthz"):
        page.evaluate("fetch('healthz')")
    assert asked.count("DELETE") == 1
    # A key is pressed once each time.
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    assert lessons.genres == {3: "polka"}


def test_what_was_taught_is_exported_and_imported_by_keyboard_alone(show, lessons, tmp_path):
    lessons.genres = dict.fromkeys(range(1, 131), "techno")
    page = show("?view=taught")
    # Has the browser ask the test from now on: it takes a moment until it does.
    page.on("filechooser", lambda _: None)
    expect(page.locator("#taught-count")).to_have_text("130 stretches")
    page.get_by_role("button", name="Export").focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "rtgenre-taught.jsonl"
    # Asked for in three parts, and all of it in the file.
    text = download.value.path().read_text()
    assert text.count('"node"') == 130
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Import")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    big = tmp_path / "big.jsonl"
    big.write_text('{"rtgenre": "taught"}\n' + f'{{"node": "{"x" * 300_000}"}}\n' * 5)
    chooser.value.set_files(big)
    expect(page.get_by_role("status").filter(has_text="Took")).to_have_text("Took in 5 stretches.")
    # Each part can be read by itself, and is small enough for the service.
    assert len(lessons.parts) == 3
    assert all(part.startswith('{"rtgenre": "taught"}\n') for part in lessons.parts)


def test_an_empty_file_is_said_to_hold_nothing(show, tmp_path):
    file = tmp_path / "taught.jsonl"
    file.touch()
    page = show("?view=taught")
    page.locator("#taught-file").set_input_files(file)
    told = "Not taken in: this file holds nothing that was taught"
    expect(page.locator("#taught-hint")).to_have_text(told)


def test_what_came_of_an_import_stays_in_sight_when_another_page_teaches(
    puppet, open_page, lessons, tmp_path
):
    routes, uploads = teaching_routes(lessons, ["den"]), teaching_uploads(lessons)
    news = GenreNews()
    service = puppet("den", routes=routes, uploads=uploads, news=news)
    service.publish(a_state(1))
    page = open_page(service.url + "?view=taught")
    file = tmp_path / "taught.jsonl"
    file.write_text('{"rtgenre": "taught"}\n{"node": "den"}\n')
    page.locator("#taught-file").set_input_files(file)
    expect(page.locator("#taught-hint")).to_have_text("Took in 1 stretch.")
    lessons.genres[1] = "techno"
    service.soon(lambda: news.publish(genres_document([*LABELS, "techno"], COLORS)))
    expect(page.locator("#taught-count")).to_have_text("1 stretch")
    assert page.locator("#taught-hint").text_content() == "Took in 1 stretch."


def test_all_that_is_exported_or_forgotten_is_also_what_others_taught_since_the_list_was_shown(
    show, lessons, tmp_path
):
    lessons.genres = {1: "techno"}
    page = show("?view=taught")
    expect(page.locator("#taught-count")).to_have_text("1 stretch")
    lessons.genres[2] = "techno"
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    download.value.save_as(tmp_path / "taught.jsonl")
    assert len((tmp_path / "taught.jsonl").read_text().splitlines()) == 2
    lessons.genres[3] = "techno"
    page.get_by_role("button", name="Forget everything").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    # Whoever is asked sees what it is about.
    expect(page.locator("#taught-count")).to_have_text("3 stretches")


@pytest.fixture
def emptied(show, lessons):
    """A list of one stretch, which others forget while it is shown."""
    lessons.genres = {1: "techno"}
    page = show("?view=taught")
    expect(page.locator("#taught-count")).to_have_text("1 stretch")
    lessons.genres = {}
    return page


def test_a_list_that_others_emptied_does_not_go_on_showing_what_is_gone(emptied):
    page = emptied
    page.get_by_label("is called").fill("electro")
    page.get_by_role("button", name="Rename or merge").click()
    expect(page.locator("#taught-hint")).to_have_text("nothing was taught by the name 'techno'")
    expect(page.locator("#taught-rows")).to_contain_text("Nothing was taught yet")


def test_no_empty_file_that_would_be_taken_for_a_backup_is_exported(emptied):
    page = emptied
    page.evaluate("void (URL.createObjectURL = () => (window.isMade = true))")
    page.get_by_role("button", name="Export").click()
    expect(page.locator("#taught-rows")).to_contain_text("Nothing was taught yet")
    assert not page.evaluate("window.isMade")


def test_a_file_of_another_kind_is_refused_in_words(show, tmp_path):
    page = show("?view=taught")
    virus = tmp_path / "virus.jsonl"
    virus.write_text("virus")
    page.locator("#taught-file").set_input_files(virus)
    expect(page.locator("#taught-hint")).to_have_text(
        "Not taken in: line 1 cannot be taken in: this is no file of what was taught"
    )
    expect(page.get_by_role("button", name="Export")).to_be_disabled()


def test_where_teaching_is_off_the_page_says_so(puppet, open_page):
    service = puppet("den", routes=no_teaching_routes())
    service.publish(a_state(1))
    page = open_page(service.url + "?view=taught")
    expect(page.locator("#taught-hint")).to_contain_text("teaching is off")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [PHONE, TABLET, WALL], ids=["phone", "tablet", "wall"])
def test_axe_finds_nothing_while_somebody_teaches(show, lessons, theme, size):
    lessons.genres = {1: "techno"}
    page = show(theme=theme, size=size)
    page.locator("#genre-name").click()
    assert violations(page) == []
    page.get_by_role("button", name="Rock").click()
    expect(page.locator("#undo")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Taught").click()
    expect(page.locator("#taught-rows tr")).to_have_count(2)
    assert violations(page) == []
