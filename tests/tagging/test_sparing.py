"""Recordings are words here, each letter a window of its music; what a window says is its place."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rtgenre.tagging.sparing import WINDOWS_APART, predict_sparingly

RECORDINGS = st.text("ab-", max_size=40)


def hear(recording):
    """Return where what each window says was heard, and in which order windows were heard."""
    order = []

    def predict(place):
        order.append(place)
        return place

    def alike(stretch, first, last):
        assert (stretch[0], stretch[-1]) == (first, last)
        return recording[first] == recording[last] and all(
            recording[place] != "-" for place in stretch
        )

    places = range(len(recording))
    said = list(predict_sparingly(places, predict=predict, alike=alike))
    assert [place for place, _ in said] == list(places)
    return [where for _, where in said], order


def music_of(recording):
    said, _ = hear(recording)
    return "".join(recording[where] for where in said)


def test_music_that_stays_the_same_is_known_from_each_fourth_window():
    said, order = hear("a" * 13)
    assert order == [0, 4, 8, 12]
    assert said == [0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12]


@given(RECORDINGS)
def test_a_window_that_is_not_heard_lies_between_two_of_the_same_music_that_are(recording):
    said, order = hear(recording)
    assert len(order) == len(set(order))
    for place, where in enumerate(said):
        before = max((each for each in order if each <= place), default=None)
        after = min((each for each in order if each >= place), default=None)
        assert where in {before, after}
        assert after - before <= WINDOWS_APART
        assert abs(where - place) <= (after - before) // 2
        assert before == after or recording[before] == recording[after]


@given(RECORDINGS)
def test_a_window_that_must_not_be_passed_over_is_heard(recording):
    _, order = hear(recording)
    assert {place for place, each in enumerate(recording) if each == "-"} <= set(order)


def test_no_more_windows_are_waited_for_than_lie_between_two_that_are_heard():
    taken = []

    def windows():
        for place in range(20):
            taken.append(place)
            yield place

    said = predict_sparingly(windows(), predict=lambda place: place, alike=lambda *_: True)
    for place, _ in said:
        assert len(taken) <= place + WINDOWS_APART + 1
    assert len(taken) == 20


@pytest.mark.parametrize("length", range(14))
def test_where_music_changes_once_is_found_exactly(length):
    for place in range(length + 1):
        recording = "a" * place + "b" * (length - place)
        assert music_of(recording) == recording
