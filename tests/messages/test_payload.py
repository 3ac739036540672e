from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from rtgenre.history.report import history_document
from rtgenre.history.stretches import Stretch
from rtgenre.messages.payload import about_document, hub_document, iso_utc
from rtgenre.messages.taught import (
    forgotten_document,
    genres_document,
    taught_document,
    taught_list_document,
)
from rtgenre.messages.version import SCHEMA_VERSION
from rtgenre.monitoring.health import NodeHealth, health_document
from rtgenre.outputs.web.client_request import ClientRequestError, parse_client_request
from rtgenre.outputs.web.files import schema_response
from rtgenre.outputs.web.http import error_document
from rtgenre.outputs.web.schema import message_schema
from rtgenre.types import PlayState, UnknownReason
from tests.documents import a_hello, a_presence, a_state, a_status, an_about

SCHEMA = message_schema()
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
REQUEST = Draft202012Validator({**SCHEMA, "oneOf": [{"$ref": "#/$defs/request"}]})

DOCUMENTS = {
    "hello": a_hello(),
    "music": a_state(3),
    "unsure": a_state(state=PlayState.UNKNOWN),
    "not music": a_state(state=PlayState.UNKNOWN, reason=UnknownReason.NOT_MUSIC),
    "unfamiliar": a_state(state=PlayState.UNKNOWN, reason=UnknownReason.UNFAMILIAR),
    "silence": a_state(state=PlayState.SILENCE, level_dbfs=-120.0),
    "lost": a_status("the device is gone"),
    "back": a_status(None),
    "hint": a_status(None, hint="is it muted?"),
    "presence": a_presence(problem="it has stopped"),
    "hub": hub_document("the broker is gone", time=1.7e9),
    "about": an_about(address="http://192.0.2.1:8765/"),
    "history": history_document(
        [Stretch("den", 1.7e9, 1.7e9 + 60, "rock", 0.8, "crnn 4")], since=1.6e9, until=1.8e9
    ),
    "taught": taught_document(
        number=1, node="den", genre="techno", span=(1.7e9, 1.7e9 + 24), is_new=True, n_forgotten=0
    ),
    "forgotten": forgotten_document(1),
    "genres": genres_document(["jazz", "techno"], {"jazz": "#00ff00"}),
    "taught list": taught_list_document([], limit=5000, model="crnn 4", problem=None),
    "error": error_document("the message is not JSON"),
}

UNTYPED = {
    "health": health_document([NodeHealth("den", "a test", None, 1.0, 4.0)], "1.2.3")[1],
    "health without the token": {"ok": True},
    "renamed": {"renamed": 2},
}
"""Answers that had no ``type`` from the start."""

LATER = {"repeats_requests"}
"""Fields that messages from an older rtgenre lack."""


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_every_message_is_as_the_schema_says_and_names_no_field_it_does_not(document: Any):
    VALIDATOR.validate(document)
    described = SCHEMA["$defs"][document["type"]]
    assert document.keys() == described["properties"].keys()
    assert document.keys() - LATER == set(described["required"])


def test_a_node_tells_of_its_own_sources_alone_and_that_requests_may_be_repeated():
    told = about_document(
        hello=a_hello("den", "hall"), node="hall", host="raspberry", address="", realtime=True
    )
    assert [source["node"] for source in told["hello"]["sources"]] == ["hall"]
    # Without it a hub would not ask again when an answer was lost.
    assert told["repeats_requests"] is True


@pytest.mark.parametrize("document", UNTYPED.values(), ids=UNTYPED)
def test_an_answer_without_a_type_is_as_the_schema_says(document: Any):
    VALIDATOR.validate(document)
    (name,) = (
        each["$ref"].rpartition("/")[2]
        for each in SCHEMA["oneOf"]
        if Draft202012Validator({**SCHEMA, "oneOf": [each]}).is_valid(document)
    )
    assert document.keys() <= SCHEMA["$defs"][name]["properties"].keys()


def test_the_service_answers_with_the_schema_at_an_address_of_its_own():
    response = schema_response()
    assert response.content_type == "application/json"
    assert json.loads(response.body) == SCHEMA


def test_the_schema_itself_is_valid_and_of_the_version_that_is_sent():
    Draft202012Validator.check_schema(SCHEMA)
    for name in ("hello", "state", "status", "about", "presence", "hub", "history", "error"):
        assert SCHEMA["$defs"][name]["properties"]["schema"]["const"] == SCHEMA_VERSION


@pytest.mark.parametrize(
    "change",
    [
        {"genre": None},
        {"state": "silence"},
        {"state": "noise"},
        {"confidence": 1.1},
        {"confidence": None},
        {"reason": "unsure"},
        {"state": "unknown", "genre": None},
        {"state": "unknown", "genre": None, "reason": "not_music"},
        {"state": "silence", "genre": None},
        {"schema": 1},
        {"time": 1.0},
        {"node": "no/slash"},
        {"level_dbfs": None},
    ],
    ids=str,
)
def test_the_schema_tells_a_wrong_state_from_a_right_one(change: dict[str, Any]):
    assert not VALIDATOR.is_valid({**a_state(), **change})


def test_times_are_utc_with_milliseconds():
    assert iso_utc(1_700_000_000.5) == "2023-11-14T22:13:20.500Z"


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.floats(allow_nan=False)
        | st.sampled_from(["spectrogram", "x"]),
        lambda parts: (
            st.lists(parts, max_size=3)
            | st.dictionaries(
                st.sampled_from(["token", "subscribe", "unsubscribe", "node", "x"]), parts
            )
        ),
    )
)
def test_a_client_message_is_understood_exactly_when_the_schema_allows_it(document: Any):
    # A null token or node is as good as none to the parser.
    if isinstance(document, dict) and None in (document.get("token", ""), document.get("node", "")):
        return
    try:
        parse_client_request(json.dumps(document))
    except ClientRequestError:
        understood = False
    else:
        understood = True
    assert understood == REQUEST.is_valid(document)
