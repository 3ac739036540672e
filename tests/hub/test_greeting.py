from __future__ import annotations

from rtgenre.hub.greeting import hub_hello
from tests.documents import COLORS, a_hello


def greeting(*hellos):
    return hub_hello(hellos, version="9", instance="99999999", colors=COLORS)


def test_rooms_of_one_model_are_greeted_as_by_a_service_that_hears_all_of_them():
    hello = greeting(a_hello("den"), a_hello("hall"))
    assert hello == {**a_hello("den", "hall"), "version": "9", "instance": "99999999"}


def test_a_room_with_a_model_of_its_own_says_what_differs():
    own = {**a_hello("attic"), "model": "mine", "labels": ["polka", "waltz"]}
    own["colors"] = {"polka": "#123456", "waltz": "#654321"}
    hello = greeting(a_hello("den"), own, a_hello("hall"))
    assert hello["labels"] == a_hello()["labels"]
    den, attic, hall = hello["sources"]
    assert "labels" not in den
    assert "labels" not in hall
    assert attic["labels"] == ["polka", "waltz"]
    assert attic["colors"]["polka"] == "#123456"
    assert set(attic) == {"node", "name", "source", "model", "labels", "colors"}


def test_a_hub_without_rooms_greets_with_none():
    hello = greeting()
    assert hello["sources"] == []
    assert hello["colors"].keys() >= COLORS.keys()


def test_a_hub_does_not_offer_the_settings_of_its_rooms():
    assert greeting({**a_hello("den"), "settings": True})["settings"] is False
