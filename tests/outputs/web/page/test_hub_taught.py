"""What rooms were taught, on the page of a hub: real rooms, a real broker, a real hub."""

import asyncio
import contextlib
import threading

import pytest
from playwright.sync_api import expect

from rtgenre.hub import lessons, taught_lists
from tests.broker import Broker
from tests.hub.room import Room
from tests.hub.running import a_hub, a_node
from tests.outputs.web.page.test_access import violations


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub of two rooms, in a thread of their own: den can be taught, attic serves no page."""
    for module in (lessons, taught_lists):
        monkeypatch.setattr(module, "ANSWER_WITHIN_SECONDS", 60.0)
    loop, house = asyncio.new_event_loop(), contextlib.AsyncExitStack()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def call(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)

    async def open_house():
        broker = await house.enter_async_context(Broker(tmp_path))
        hub = await house.enter_async_context(a_hub(broker.port))
        await house.enter_async_context(a_node(broker.port, "attic", address=""))
        room = Room(tmp_path / "den", broker.port, monkeypatch, websocket={"port": 0})
        await house.enter_async_context(room)
        await hub.until(lambda: hub.of("state", "den"))
        return hub

    try:
        yield call(open_house())
    finally:
        call(house.aclose())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_what_a_room_was_taught_is_seen_and_changed_on_the_page_of_the_hub(
    hub, open_page, tmp_path
):
    page = open_page(f"http://127.0.0.1:{hub.port}/?node=den")
    expect(page.locator("#genre")).to_have_text("Jazz")
    page.get_by_role("button", name="Not right?").click()
    page.get_by_label("Another genre").fill("techno")
    page.keyboard.press("Enter")
    expect(page.locator("#note-text")).to_contain_text("Learnt: the last")
    page.get_by_role("button", name="Taught").click()
    rows, hint = page.locator("#taught-rows tr"), page.locator("#taught-hint")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Techno")

    page.get_by_label("is called").fill("electro")
    page.get_by_role("button", name="Rename or merge").click()
    expect(rows).to_contain_text("Electro")
    page.get_by_label("is called").fill("unknown")
    page.get_by_role("button", name="Rename or merge").click()
    expect(hint).to_contain_text("den: a genre cannot be called 'unknown'")

    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    file = tmp_path / "taught.jsonl"
    download.value.save_as(file)
    page.get_by_role("button", name="Remove Electro").click()
    expect(rows).to_contain_text("Nothing was taught yet")
    page.locator("#taught-file").set_input_files(file)
    expect(hint).to_have_text("Took in 1 stretch.")
    page.get_by_role("button", name="Forget everything").click()
    expect(page.get_by_role("dialog")).to_contain_text("Everything that was taught in den.")
    page.get_by_role("button", name="Forget", exact=True).click()
    expect(rows).to_contain_text("Nothing was taught yet")

    # Of a room that cannot be asked nothing is said but why.
    page.locator("#rooms button", has_text="attic").click()
    expect(hint).to_contain_text("No list: it serves no page")
    expect(rows).to_have_count(0)
    expect(page.get_by_role("button", name="Export")).to_be_disabled()
    assert violations(page) == []
