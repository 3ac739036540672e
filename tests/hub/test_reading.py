from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.hub.reading import (
    DamagedMessageError,
    read_about,
    read_availability,
    read_state,
    read_status,
    split_topic,
)
from rtgenre.types import PlayState, UnknownReason
from tests.documents import a_hello, a_state, a_status, an_about


def written(document) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "state",
    [
        a_state(3),
        a_state(state=PlayState.SILENCE, level_dbfs=-120.0),
        a_state(state=PlayState.UNKNOWN),
        a_state(state=PlayState.UNKNOWN, reason=UnknownReason.NOT_MUSIC),
        {**a_state(), "title": "Beyoncé - Halo\u00a0(live) \U0001f3b5"},
        {**a_state(), "a_field_of_tomorrow": [1, {"x": None}]},
    ],
    ids=range(6),
)
def test_what_a_node_sends_is_read_as_it_is_fields_of_later_versions_too(state):
    assert read_state("den", written(state)) == state


def test_about_and_status_are_read_as_they_are():
    about, status = an_about(address="https://[2001:db8::7]:8765/"), a_status("gone", hint="?")
    assert read_about("den", written(about)) == about
    assert read_status("den", written(status)) == status
    assert read_availability(b"online")
    assert not read_availability(b"offline")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"schema": 3}, "update the older one"),
        ({"schema": True}, "schema"),
        ({"node": "hall"}, "it names the node"),
        ({"type": "status"}, "type"),
        ({"confidence": 1.5}, "confidence"),
        ({"confidence": None}, "without a confidence"),
        ({"probabilities": {}}, "probabilities"),
        ({"probabilities": {"blues": 0.5, "polka": 0.5}}, "different genres"),
        ({"probabilities": {"blues": 10**400, "jazz": 0, "rock": 0}}, "large|finite|number"),
        ({"genre": "polka"}, "polka"),
        ({"state": "silence"}, "silence"),
        ({"reason": "unsure"}, "reason"),
        ({"time": "yesterday"}, "ISO 8601"),
        ({"time": "2026-11-26T12:00:00"}, "offset"),
        ({"since": "9999-99-99T00:00:00Z"}, "ISO 8601"),
        ({"time": "0001-01-01T00:00:00+00:00"}, "the year 1"),
        ({"since": "9999-12-31T23:59:59-12:00"}, "the year 9999"),
        ({"sequence": -1}, "sequence"),
        ({"sequence": "1"}, "sequence"),
        ({"title": "a\x1b[2Jb"}, "control characters"),
        ({"title": "\ud800"}, "not JSON"),
        ({"more": [[{"deep": "a\nb"}]]}, "control characters"),
        ({"instance": 7}, "instance"),
    ],
    ids=str,
)
def test_a_state_that_no_rtgenre_sends_is_refused_with_what_is_wrong(change, problem):
    with pytest.raises(DamagedMessageError, match=problem):
        read_state("den", written({**a_state(), **change}))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"address": "javascript:alert(1)"}, "address"),
        ({"address": "http://user:secret@pi/"}, "address"),
        ({"address": "http://pi"}, "address"),
        ({"hello": a_hello("den", "hall")}, "other sources"),
        ({"hello": {**a_hello("den"), "hop_seconds": 0}}, "hop_seconds"),
        ({"hello": {**a_hello("den"), "colors": {"jazz": "red"}}}, "colors.jazz"),
        (
            {"hello": {**a_hello("den"), "spectrogram": {**a_hello()["spectrogram"], "n_mels": 0}}},
            "n_mels",
        ),
    ],
    ids=str,
)
def test_an_about_that_would_mislead_the_page_is_refused(change, problem):
    with pytest.raises(DamagedMessageError, match=problem):
        read_about("den", written({**an_about(), **change}))


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
    ).map(lambda value: json.dumps(value).encode())
)
def test_whatever_comes_is_read_or_refused_and_nothing_else(payload):
    for read in (read_about, read_state, read_status):
        with pytest.raises(DamagedMessageError):
            read("den", payload)


@pytest.mark.parametrize(
    ("topic", "found"),
    [
        ("house/rtgenre/den/state", ("den", "state")),
        ("house/rtgenre/den/availability", ("den", "availability")),
        ("house/rtgenre/den/genre", None),
        ("house/rtgenre/den/state/x", None),
        ("house/rtgenre/-/state", None),
        ("house/rtgenre/" + 65 * "a" + "/state", None),
        ("den/state", None),
        ("house/rtgenre/state", None),
    ],
)
def test_a_topic_names_a_node_and_what_is_said_of_it(topic, found):
    assert split_topic("house/rtgenre", topic) == found
