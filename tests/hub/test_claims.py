from __future__ import annotations

from rtgenre.hub.claims import HANDOVER_SECONDS, MAX_REMEMBERED, RIVALRY_SECONDS, Claims


def claims_of(first: str = "a", **hosts: str) -> Claims:
    claims = Claims()
    for instance, host in {"a": "pi", **hosts}.items():
        claims.introduce(instance, host)
    assert claims.admits(first, 0.0, live=True)
    return claims


def test_a_process_that_starts_anew_on_its_machine_takes_over_as_soon_as_the_old_one_left():
    claims = claims_of(b="pi")
    claims.leave()
    assert claims.admits("b", 0.1, live=True)
    assert claims.holder == "b"
    assert claims.contenders(1.0) == []


def test_one_that_was_cut_off_unseen_gives_way_when_it_has_been_silent_for_a_while():
    claims = claims_of(b="pi")
    assert not claims.admits("b", 1.0, live=True)
    assert claims.admits("b", HANDOVER_SECONDS, live=True)


def test_another_machine_takes_over_a_name_that_nobody_uses_any_more():
    claims = claims_of(b="attic")
    claims.leave()
    assert not claims.admits("b", 1.0, live=True), "the first may only be reconnecting"
    assert claims.admits("b", HANDOVER_SECONDS, live=True)
    assert claims.contenders(HANDOVER_SECONDS) == []


def test_two_that_speak_in_turn_are_a_conflict_and_only_the_first_is_shown():
    claims = claims_of(b="attic")
    assert not claims.admits("b", 1.0, live=True)
    assert claims.contenders(1.0) == [], "one word is no proof"
    assert claims.admits("a", 2.0, live=True)
    assert claims.contenders(2.0) == ["pi", "attic"]
    assert not claims.admits("b", 2.0 + HANDOVER_SECONDS, live=True)


def test_two_on_one_machine_are_a_conflict_when_the_first_comes_back():
    claims = claims_of(b="pi")
    claims.leave()
    assert claims.admits("b", 1.0, live=True)
    claims.leave()
    assert not claims.admits("a", 2.0, live=True)
    assert claims.contenders(2.0) == ["pi", "pi"]
    assert claims.holder == "b"


def test_a_conflict_ends_when_one_of_the_two_has_gone():
    claims = claims_of(b="attic")
    claims.admits("b", 1.0, live=True)
    claims.admits("a", 2.0, live=True)
    claims.admits("a", 1.0 + RIVALRY_SECONDS, live=True)
    assert claims.contenders(1.0 + RIVALRY_SECONDS) == []


def test_what_the_broker_kept_of_an_earlier_process_is_no_conflict():
    claims = claims_of(b="pi")
    assert not claims.admits("b", 1.0, live=False)
    assert claims.admits("a", 2.0, live=True)
    assert claims.contenders(2.0) == []


def test_thousands_of_claimants_are_not_all_remembered():
    claims = claims_of()
    for number in range(5000):
        claims.introduce(f"{number}", "somewhere")
        claims.admits(f"{number}", 0.001 * number, live=True)
    for memory in (claims._hosts, claims._former, claims._rivals):
        assert len(memory) <= MAX_REMEMBERED
