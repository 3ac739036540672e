"""The page of a hub: rooms that come, go and have no spectrogram."""

from playwright.sync_api import expect

from rtgenre.messages.payload import hub_document
from tests.documents import NOW, a_hello, a_presence, a_state, a_status


def test_rooms_appear_and_go_without_disturbing_the_one_that_is_shown(open_page, puppet):
    rooms = ["den"]
    service = puppet("den", "hall", hello=lambda: a_hello(*rooms))
    page = open_page(service.url)
    buttons = page.locator("#rooms button")
    service.publish(a_presence("den"))
    service.publish(a_state(1))
    expect(page.locator("#genre")).to_have_text("Jazz")
    rooms.append("hall")
    service.publish(a_presence("hall"))
    expect(buttons).to_have_count(2)
    expect(page.locator("#genre")).to_have_text("Jazz")
    expect(buttons.first).to_contain_text("Jazz")

    service.publish(a_status("the device is gone"))
    service.publish(a_presence("den", present=False, problem="rtgenre on pi has stopped"))
    expect(page.locator("#notice-text")).to_have_text("rtgenre on pi has stopped")
    expect(buttons.first).to_contain_text("away")

    # Another process, to which the old problem is unknown.
    service.publish(a_presence("den", instance="11111111"))
    service.publish(a_state(0, instance="11111111", genre="rock"))
    expect(page.locator("#notice")).to_be_hidden()
    expect(buttons.first).to_contain_text("Rock")


def test_a_room_in_the_address_that_is_not_there_is_told_and_shown_once_it_comes(open_page, puppet):
    rooms = ["den"]
    service = puppet("den", "hall", hello=lambda: a_hello(*rooms))
    page = open_page(f"{service.url}?node=hall")
    service.publish(a_presence("den"))
    expect(page.locator("#notice-text")).to_have_text('No room here is called "hall"; this is den.')
    rooms.append("hall")
    service.publish(a_presence("hall"))
    expect(page.locator("#node")).to_have_text("hall")
    expect(page.locator("#notice")).to_be_hidden()


def test_the_page_says_why_there_is_no_spectrogram_and_why_no_room_is_heard(open_page, puppet):
    service = puppet("den")
    page = open_page(service.url)
    service.publish(a_presence("den", spectrogram_problem="its token is not known"))
    expect(page.locator("#spectrogram-problem")).to_have_text(
        "No spectrogram: its token is not known"
    )
    service.publish(hub_document("the broker is gone", time=NOW))
    expect(page.locator("#notice-text")).to_contain_text("the broker is gone")
    service.publish(hub_document(None, time=NOW))
    service.publish(a_presence("den"))
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#spectrogram-problem")).to_be_hidden()


def test_a_room_that_comes_back_with_another_name_is_called_by_it_everywhere(open_page, puppet):
    names = {"den": "Den"}
    service = puppet("den", hello=lambda: a_hello("den", names=names))
    page = open_page(service.url)
    service.publish(a_presence("den"))
    service.publish(a_state(1))
    expect(page.locator("#genre")).to_have_text("Jazz")
    names["den"] = "Study"
    service.publish(a_presence("den", instance="11111111"))
    expect(page.locator("#rooms")).to_contain_text("Study")
    expect(page.locator("#node")).to_have_text("Study")
    expect(page.locator("#genre")).to_have_text("Jazz")


def test_a_room_that_is_back_is_not_called_away_before_it_has_heard_something(open_page, puppet):
    service = puppet("den", hello=lambda: a_hello("den"))
    page = open_page(service.url)
    button = page.locator("#rooms button")
    service.publish(a_presence("den", present=False, problem="rtgenre on pi has stopped"))
    expect(button).to_contain_text("away")
    service.publish(a_presence("den", instance="11111111"))
    service.publish(a_status("the device is gone"))
    expect(page.locator("#notice-text")).to_contain_text("the device is gone")
    expect(button).not_to_contain_text("away")


def test_the_tab_does_not_name_the_genre_of_another_room(open_page, puppet):
    service = puppet("den", "hall", "attic")
    service.publish(a_state(1, node="den", genre="rock"))
    service.publish(a_state(1, node="hall", genre="blues"))
    page = open_page(f"{service.url}?node=den")
    expect(page).to_have_title("Rock · rtgenre")
    # Whose rtgenre is away, so that nothing new comes.
    page.locator("#rooms button", has_text="hall").click()
    expect(page).to_have_title("Blues · rtgenre")
    page.locator("#rooms button", has_text="attic").click()
    expect(page).to_have_title("rtgenre")
