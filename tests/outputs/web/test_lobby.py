import pytest

from rtgenre.outputs.web.lobby import Lobby, client_network


def test_one_address_may_take_every_place_that_nobody_else_wants():
    lobby = Lobby(3)
    assert [lobby.enter(name, "192.0.2.1") for name in "abc"] == [None] * 3


def test_a_newcomer_takes_the_place_of_the_oldest_that_has_not_asked():
    lobby = Lobby(3)
    for name in "abc":
        lobby.enter(name, "192.0.2.1")
    lobby.has_asked("a")
    assert lobby.enter("d", "192.0.2.1") == "b"
    assert lobby.enter("e", "192.0.2.1") == "c"


def test_the_address_with_most_connections_gives_way_and_not_one_that_has_few():
    lobby = Lobby(4)
    lobby.enter("first", "198.51.100.7")
    for name in "abc":
        lobby.enter(name, "192.0.2.1")
    assert lobby.enter("second", "203.0.113.9") == "a"
    assert lobby.enter("third", "203.0.113.10") == "b"


def test_those_that_have_asked_go_too_where_nobody_is_silent():
    lobby = Lobby(2)
    for name in "ab":
        lobby.enter(name, "192.0.2.1")
        lobby.has_asked(name)
    assert lobby.enter("c", "192.0.2.2") == "a"


def test_those_that_left_free_their_places():
    lobby = Lobby(1)
    lobby.enter("a", "192.0.2.1")
    lobby.leave("a")
    lobby.leave("a")
    lobby.has_asked("a")
    assert len(lobby) == 0
    assert lobby.enter("b", "192.0.2.1") is None
    assert lobby.pop() == "b"
    assert lobby.pop() is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "", True),
    ],
)
def test_ipv6_addresses_of_one_network_count_as_one(one, other, same):
    assert (client_network(one) == client_network(other)) is same
