"""The page of a hundred rooms: all of them at a glance, those that need attention first."""

import pytest
from playwright.sync_api import expect

from tests.documents import a_hello, a_presence, a_state, a_status
from tests.outputs.web.page.conftest import PHONE, TABLET, WALL
from tests.outputs.web.page.test_access import violations

N_ROOMS = 100
ROOMS = [f"room{number}" for number in range(N_ROOMS)]


@pytest.fixture
def service(puppet):
    names = {"room7": "Wohnzimmer Süd"}
    service = puppet(*ROOMS, hello=lambda: a_hello(*ROOMS, names=names))
    for number, node in enumerate(ROOMS):
        genre = ("jazz", "rock", "blues")[number % 3]
        service.publish(a_state(1, node=node, genre=genre))
    plays = {"title": "So What", "artist": "Miles Davis"}
    service.publish({**a_state(2, node="room3", genre="jazz"), **plays})
    service.publish(a_status("unplugged", node="room42"))
    service.publish(a_status(None, hint="too slow: 12 % of windows skipped", node="room17"))
    service.publish(a_presence("room99", present=False, problem="rtgenre on pi has stopped"))
    return service


def shown_names(page):
    return page.locator("#room-grid li:not([hidden]) b").all_text_contents()


def test_what_needs_attention_comes_first_and_the_rest_by_name(open_page, service):
    page = open_page(f"{service.url}?view=rooms")
    expect(page.locator("#room-count")).to_have_text("100 rooms · 3 need attention")
    first = page.locator("#room-grid b")
    expect(first.nth(0)).to_have_text("room42")
    expect(first.nth(1)).to_have_text("room99")
    expect(first.nth(2)).to_have_text("room17")
    expect(page.locator("#room-grid li").nth(2)).to_contain_text("too slow: 12 %")
    names = shown_names(page)
    assert len(names) == N_ROOMS
    assert names[3:7] == ["room0", "room1", "room2", "room3"]
    assert names.index("room9") < names.index("room10")
    expect(page.locator("#rooms-button")).to_have_text("Rooms3")

    service.publish(a_status(None, node="room42"))
    service.publish(a_status("the stream ended", node="room5"))
    expect(page.locator("#room-grid b").first).to_have_text("room5")
    assert shown_names(page).index("room42") > 3


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("süd", ["Wohnzimmer Süd"]),
        ("miles what", ["room3"]),
        ("unplugged", ["room42"]),
        ("ROOM1 rock", ["room1", "room10", "room13", "room16", "room19"]),
        ("nowhere", []),
    ],
)
def test_rooms_are_found_by_name_by_what_plays_and_by_what_is_wrong(
    open_page, service, search, found
):
    page = open_page(f"{service.url}?view=rooms")
    expect(page.locator("#room-count")).to_contain_text("100 rooms")
    page.get_by_role("searchbox").fill(search)
    expect(page.locator("#room-count")).to_contain_text(f"{len(found)} of 100 rooms")
    assert shown_names(page) == found


def test_a_pressed_room_is_shown_and_the_header_has_it_alone(open_page, service):
    page = open_page(service.url)
    page.get_by_role("button", name="Rooms").click()
    expect(page.locator("#room-grid li")).to_have_count(N_ROOMS)
    page.get_by_role("searchbox").fill("room73")
    page.keyboard.press("Enter")
    expect(page.locator("#node")).to_have_text("room73")
    expect(page.locator("#genre")).to_have_text("Rock")
    expect(page.locator("#rooms button:visible")).to_have_count(1)
    expect(page.locator("#rooms button:visible")).to_contain_text("room73")
    page.go_back()
    expect(page.locator("#all-rooms")).to_be_visible()


def test_the_focus_stays_with_a_room_that_moves(open_page, service):
    page = open_page(f"{service.url}?view=rooms")
    expect(page.locator("#room-count")).to_contain_text("100 rooms")
    page.locator("#room-grid button", has_text="room60").focus()
    service.publish(a_status("unplugged", node="room60"))
    expect(page.locator("#room-grid b").nth(1)).to_have_text("room60")
    assert "room60" in page.evaluate("document.activeElement.textContent")


def test_few_rooms_need_no_view_of_their_own(open_page, puppet):
    page = open_page(puppet("den", "hall").url)
    expect(page.locator("#rooms button")).to_have_count(2)
    expect(page.locator("#rooms button:visible")).to_have_count(2)
    expect(page.locator("#rooms-button")).to_be_hidden()


@pytest.mark.parametrize(
    ("n_rooms", "size"),
    [(2, (768, 1024)), (8, (744, 1000)), (4, TABLET), (8, (1280, 800)), (8, WALL)],
)
def test_every_name_of_a_few_rooms_is_in_sight_beside_a_mouse_that_cannot_scroll_sideways(
    open_page, puppet, n_rooms, size
):
    nodes = ["kitchen", "bathroom", "living-room", "study", "bedroom", "hall", "shed", "garage"]
    service = puppet(*nodes[:n_rooms])
    for node in nodes[:n_rooms]:
        service.publish(a_state(1, node=node, genre="rock"))
    page = open_page(service.url, size=size)
    expect(page.locator("#rooms .now").last).to_have_text("Rock")
    strip = page.locator("#rooms").bounding_box()
    for name in page.locator("#rooms b").all():
        box = name.bounding_box()
        assert strip["x"] <= box["x"]
        assert box["x"] + box["width"] <= strip["x"] + strip["width"]
        assert name.evaluate("name => name.scrollWidth <= name.clientWidth")
    # No genre that is longer moves the page.
    height = page.locator(".bar").bounding_box()["height"]
    for node in nodes[:n_rooms]:
        service.publish(a_state(2, node=node, genre="blues"))
    expect(page.locator("#rooms .now").last).to_have_text("Blues")
    assert page.locator(".bar").bounding_box()["height"] == height


def test_the_room_that_is_asked_for_is_in_sight_on_a_phone(open_page, puppet):
    nodes = ["kitchen", "bathroom", "living-room", "study", "bedroom", "hall", "shed", "garage"]
    service = puppet(*nodes)
    for node in nodes:
        service.publish(a_state(1, node=node, genre="rock"))
    page = open_page(f"{service.url}?node=bedroom", size=(360, 740))
    expect(page.locator("#rooms .now").last).to_have_text("Rock")
    expect(page.locator("#rooms [aria-pressed=true]")).to_contain_text("bedroom")
    expect(page.locator("#rooms [aria-pressed=true]")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(("node", "is_there"), [("den", True), ("bedroom-upstairs-left", False)])
def test_a_genre_beside_a_rooms_name_is_not_cut_in_half_on_a_phone(
    open_page, puppet, node, is_there
):
    service = puppet(node)
    service.publish(a_state(1, node=node, genre="classical"))
    page = open_page(service.url, size=PHONE)
    expect(page.locator("#rooms .now")).to_have_text("Classical")
    button, genre = (page.locator(f"#rooms {one}").bounding_box() for one in ("button", ".now"))
    is_inside = genre["y"] < button["y"] + button["height"]
    assert is_inside == is_there
    assert genre["x"] + genre["width"] <= button["x"] + button["width"]


def test_names_of_many_rooms_are_whole_where_how_sure_it_is_does_not_fit_beside(open_page, puppet):
    nodes = [f"Meeting-room-{number}" for number in range(10)]
    service = puppet(*nodes)
    for node in nodes:
        service.publish(a_state(1, node=node, genre="rock"))
    page = open_page(f"{service.url}?view=rooms", size=(768, 1024))
    expect(page.locator("#room-grid .room-sure").last).not_to_be_empty()
    for name in page.locator("#room-grid b").all():
        assert name.evaluate("name => name.scrollWidth <= name.clientWidth")
    heights = {each.bounding_box()["height"] for each in page.locator("#room-grid li").all()}
    assert len(heights) == 1


@pytest.mark.parametrize("size", [PHONE, TABLET, WALL], ids=["phone", "tablet", "wall"])
def test_a_hundred_rooms_fit_every_screen(open_page, service, size):
    page = open_page(f"{service.url}?view=rooms", size=size)
    expect(page.locator("#room-count")).to_contain_text("100 rooms")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    boxes = [each.bounding_box() for each in page.locator("#room-grid button").all()[:12]]
    assert all(box["height"] >= 44 and box["width"] >= 44 for box in boxes)
    columns = len({round(box["x"]) for box in boxes})
    assert columns >= (2 if size == PHONE else 5)
    if size == WALL:
        # Whoever looks at the wall sees all of them at once, or nearly.
        assert page.evaluate("document.documentElement.scrollHeight") < 1.2 * size[1]


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [PHONE, WALL], ids=["phone", "wall"])
def test_axe_finds_nothing_among_a_hundred_rooms(open_page, service, theme, size):
    page = open_page(f"{service.url}?view=rooms", size=size, theme=theme)
    expect(page.locator("#room-count")).to_contain_text("3 need attention")
    assert violations(page) == []
