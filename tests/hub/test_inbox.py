from __future__ import annotations

from rtgenre.hub.inbox import BURST_MESSAGES, MAX_NAMES, MESSAGES_PER_SECOND, Inbox, Incoming


def a_message(number: int, node: str = "den", kind: str = "state") -> Incoming:
    return Incoming(node, kind, str(number).encode(), live=True)


def test_what_a_node_normally_sends_is_never_held_back():
    inbox = Inbox()
    for number in range(1000):
        message = a_message(number)
        assert inbox.put(message, number / 10) is message


def test_of_a_flood_the_newest_is_read_as_often_as_a_node_may_speak():
    inbox = Inbox()
    read = [
        message for number in range(5000) if (message := inbox.put(a_message(number), number / 1e6))
    ]
    for tick in range(1, 11):
        read += inbox.due(tick / 10)
    assert len(read) <= BURST_MESSAGES + MESSAGES_PER_SECOND
    assert read[-1] == a_message(4999)
    assert inbox.skipped["den"] == 5000 - len(read)


def test_a_flood_of_one_node_or_kind_holds_up_no_other():
    inbox = Inbox()
    for number in range(1000):
        inbox.put(a_message(number), 0.0)
    inbox.put(a_message(0, kind="availability"), 0.0)
    assert inbox.put(a_message(7, node="hall"), 0.0) == a_message(7, node="hall")
    kinds = {message.kind for message in inbox.due(1.0)}
    assert kinds == {"state", "availability"}


def test_a_flood_of_names_takes_no_more_memory_than_a_large_house():
    inbox = Inbox()
    taken = [
        inbox.put(a_message(0, node=f"n{number}"), 0.0) is not None
        for number in range(3 * MAX_NAMES)
    ]
    assert len(inbox._limits) == sum(taken) == MAX_NAMES
