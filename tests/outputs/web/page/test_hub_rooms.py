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
