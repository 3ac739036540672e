from __future__ import annotations

import json

from rtgenre.outputs.mqtt.topics import ONLINE, TOPICS, NodeTopics
from rtgenre.types import PlayState, UnknownReason
from tests.documents import COLORS, a_state, a_status, an_about


def topics(publish: str = "change", **options: object) -> NodeTopics:
    return NodeTopics("rtgenre", "den", publish=publish, colors=COLORS, **options)


def names(messages: list) -> list[str]:
    return [message.topic.removeprefix("rtgenre/den/") for message in messages]


def test_the_docs_name_every_topic_and_no_other():
    node = topics()
    published = names(node.on_connect(an_about()))
    for document in (a_state(), a_status("it is unplugged")):
        published += names(node.on_document(document))
    published += names([node.availability(ONLINE)])
    assert set(published) == TOPICS.keys()


def test_silence_and_unknown_are_said_in_the_place_of_the_genre():
    for state in (PlayState.SILENCE, PlayState.UNKNOWN):
        payloads = {
            message.topic: message.payload for message in topics().on_document(a_state(state=state))
        }
        assert payloads["rtgenre/den/genre"] == state.value
        assert payloads["rtgenre/den/color"] == COLORS[state.value]


def test_what_does_not_change_is_published_once():
    node = topics("change")
    assert names(node.on_document(a_state(0))) == [
        "state",
        "genre",
        "reason",
        "confidence",
        "level",
        "color",
    ]
    assert names(node.on_document(a_state(1, confidence=0.73, level_dbfs=-22))) == ["state"]


def test_small_steps_add_up_to_a_change():
    node = topics("change")
    node.on_document(a_state(0, confidence=0.5, level_dbfs=-20.0))
    node.on_document(a_state(1, confidence=0.53, level_dbfs=-22.0))
    assert names(node.on_document(a_state(2, confidence=0.56, level_dbfs=-23.0))) == [
        "state",
        "confidence",
        "level",
    ]


def test_every_value_comes_with_every_window_where_that_is_wanted():
    node = topics("window")
    first = names(node.on_document(a_state(0)))
    assert (
        names(node.on_document(a_state(0)))
        == first
        == [
            "state",
            "genre",
            "reason",
            "confidence",
            "level",
            "color",
        ]
    )


def test_there_is_no_confidence_in_silence_and_a_number_again_afterwards():
    node = topics("change")
    node.on_document(a_state(0, confidence=0.7))

    def said(document):
        return {m.topic.removeprefix("rtgenre/den/"): m.payload for m in node.on_document(document)}

    assert said(a_state(1, state=PlayState.SILENCE))["confidence"] == "None"
    assert "confidence" not in said(a_state(2, state=PlayState.SILENCE))
    assert said(a_state(3, confidence=0.7))["confidence"] == "0.70"


def test_why_the_genre_is_unknown_is_said():
    node = topics("change")
    said = [
        {m.topic: m.payload for m in node.on_document(document)}.get("rtgenre/den/reason")
        for document in (
            a_state(0),
            a_state(1, state=PlayState.UNKNOWN, reason=UnknownReason.NOT_MUSIC),
            a_state(2, state=PlayState.UNKNOWN, reason=UnknownReason.NOT_MUSIC),
            a_state(3, state=PlayState.UNKNOWN, reason=UnknownReason.UNSURE),
            a_state(4, state=PlayState.SILENCE),
        )
    ]
    assert said == ["none", "not_music", None, "unsure", "none"]


def test_the_state_is_the_same_document_that_websocket_clients_get():
    document = a_state(4)
    message = topics().on_document(document)[0]
    assert json.loads(message.payload) == document
    assert message.retain


def test_quality_of_service_is_that_of_the_settings():
    assert {message.qos for message in topics(qos=2).on_document(a_state())} == {2}


def test_without_colors_the_color_is_left_to_others():
    node = NodeTopics("rtgenre", "den", publish="window", colors={})
    assert "color" not in names(node.on_document(a_state()))


def test_problem_and_hint_are_never_empty_messages_which_a_broker_would_not_retain():
    def said(document):
        status, *messages = topics().on_document(document)
        assert json.loads(status.payload) == document
        return dict(zip(names(messages), [message.payload for message in messages], strict=True))

    assert said(a_status(None)) == {"problem": "none", "hint": "none"}
    assert said(a_status("gone")) == {"problem": "gone", "hint": "none"}
    assert said(a_status(None, hint="muted?")) == {"problem": "none", "hint": "muted?"}


def test_an_input_that_is_gone_leaves_no_genre_behind_and_brings_the_same_one_anew():
    node = topics("change")
    node.on_document(a_state(1))
    gone = {m.topic: m.payload for m in node.on_document(a_status("it has ended", gone=True))}
    values = [gone[f"rtgenre/den/{name}"] for name in ("problem", "genre", "reason", "confidence")]
    assert values == ["it has ended", "unknown", "gone", "None"]
    assert {"genre", "reason", "confidence"} <= {*names(node.on_document(a_state(2)))}
