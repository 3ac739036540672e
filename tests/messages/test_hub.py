from __future__ import annotations

import asyncio

from rtgenre.messages.hub import Hub
from tests.documents import a_state, a_status


async def test_a_slow_subscriber_gets_the_newest_and_counts_what_it_missed():
    hub = Hub()
    with hub.subscribe() as subscription:
        for sequence in range(5):
            hub.publish(a_state(sequence))
        assert await subscription.get() == a_state(4)
        assert subscription.skipped == 4


async def test_nodes_and_types_do_not_replace_each_other():
    hub = Hub()
    documents = [a_state(1), a_status("gone"), a_state(1, node="hall")]
    with hub.subscribe() as subscription:
        for document in documents:
            hub.publish(document)
        assert [await subscription.get() for _ in documents] == documents
        assert subscription.skipped == 0


async def test_a_late_subscriber_begins_with_the_current_state():
    hub = Hub()
    hub.publish(a_state(1))
    hub.publish(a_state(2))
    with hub.subscribe() as subscription:
        assert await subscription.get() == a_state(2)


async def test_waiting_ends_when_something_comes():
    hub = Hub()
    with hub.subscribe() as subscription:
        waiting = asyncio.create_task(subscription.get())
        await asyncio.sleep(0)
        assert not waiting.done()
        hub.publish(a_state(7))
        assert await waiting == a_state(7)


async def test_a_lossless_subscriber_that_leaves_holds_nobody_up():
    hub = Hub()
    with hub.subscribe(lossless=True) as subscription:
        hub.publish(a_state(1))
        waiting = asyncio.create_task(hub.taken_by_lossless())
        await asyncio.sleep(0)
        assert not waiting.done()
        assert await subscription.get() == a_state(1)
    await waiting


async def test_nobody_hears_anything_after_leaving():
    hub = Hub()
    with hub.subscribe() as subscription:
        pass
    hub.publish(a_state(1))
    assert subscription.skipped == 0
    assert hub.latest() == [a_state(1)]


async def test_what_was_heard_of_an_input_that_is_gone_is_told_to_nobody_later():
    hub = Hub()
    hub.publish(a_status("the device is gone"))
    hub.publish(a_state(1))
    hub.publish(a_state(1, node="hall"))
    gone = a_status("the device is gone", gone=True)
    hub.publish(gone)
    assert hub.latest() == [gone, a_state(1, node="hall")]


async def test_a_slow_subscriber_takes_the_end_of_an_input_after_its_last_window():
    hub = Hub()
    with hub.subscribe() as subscription:
        for document in (a_status("lost"), a_state(1), a_status("lost", gone=True)):
            hub.publish(document)
        assert [(await subscription.get())["type"] for _ in range(2)] == ["state", "status"]
