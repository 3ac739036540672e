import dataclasses
import json
import re
from types import SimpleNamespace

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.outputs.mqtt.homeassistant import (
    DiscoveryParams,
    HomeAssistantExtension,
    HomeAssistantParams,
    discovery_message,
    discovery_payload,
    discovery_topic,
    removal_message,
)
from rtgenre.types import PlayState, UnknownReason
from tests.documents import LABELS, a_state

# Field names of https://www.home-assistant.io/integrations/mqtt/ (device discovery, abbreviations),
# /integrations/sensor.mqtt/ and /integrations/binary_sensor.mqtt/.
DEVICE = {"ids", "cns", "name", "mf", "mdl", "mdl_id", "hw", "sw", "sa", "sn", "cu", "via_device"}
ORIGIN = {"name", "sw", "url"}
SHARED = {
    "availability",
    "availability_mode",
    "availability_template",
    "availability_topic",
    "payload_available",
    "payload_not_available",
    "command_topic",
    "state_topic",
    "qos",
    "encoding",
}
ENTITY = (SHARED - {"command_topic"}) | {
    "p",
    "unique_id",
    "name",
    "icon",
    "device_class",
    "enabled_by_default",
    "entity_category",
    "entity_picture",
    "expire_after",
    "force_update",
    "json_attributes_template",
    "json_attributes_topic",
    "object_id",
    "default_entity_id",
    "value_template",
}
SENSOR = ENTITY | {
    "last_reset_value_template",
    "options",
    "state_class",
    "suggested_display_precision",
    "unit_of_measurement",
}
BINARY_SENSOR = ENTITY | {"off_delay", "payload_on", "payload_off"}

PARAMS = DiscoveryParams(labels=LABELS, version="1.2.3", model="crnn", page_url="http://den:8765/")


@pytest.fixture
def payload():
    return discovery_payload("living-room", PARAMS)


def rendered(entity, document, params=PARAMS):
    """Return what Home Assistant shows for an entity: its template, run on the JSON."""
    template = discovery_payload("den", params)["cmps"][entity]["value_template"]
    return templates().from_string(template).render(value_json=document)


def templates():
    """Return Jinja with what Home Assistant adds to it, as far as it is used here."""
    environment = jinja2.Environment()
    environment.globals["is_number"] = lambda text: re.fullmatch(r"-?[0-9.]+", str(text))
    return environment


def test_only_documented_fields_are_sent(payload):
    assert payload.keys() <= SHARED | {"dev", "o", "cmps"}
    assert payload["dev"].keys() <= DEVICE
    assert payload["o"].keys() <= ORIGIN
    for component in payload["cmps"].values():
        assert component["p"] in {"sensor", "binary_sensor"}
        allowed = SENSOR if component["p"] == "sensor" else BINARY_SENSOR
        assert component.keys() <= allowed, component


def test_a_name_is_for_people_and_leaves_topics_and_ids_as_they_are():
    named = discovery_payload("den", dataclasses.replace(PARAMS, names={"den": "Wohnzimmer Süd"}))
    plain = discovery_payload("den", PARAMS)
    assert plain["dev"].pop("name") == "rtgenre den"
    assert named["dev"].pop("name") == "rtgenre Wohnzimmer Süd"
    assert named == plain


def test_every_required_field_is_there(payload):
    assert payload["dev"]["ids"]
    assert payload["dev"]["cu"] == "http://den:8765/"
    assert payload["o"] == {"name": "rtgenre", "sw": "1.2.3"}
    assert payload["availability_topic"] == "rtgenre/living-room/availability"
    assert payload["state_topic"] == "rtgenre/living-room/state"
    for component in payload["cmps"].values():
        assert component["unique_id"]
        assert component["p"]


def test_one_device_has_the_nine_promised_entities(payload):
    platforms = {name: component["p"] for name, component in payload["cmps"].items()}
    assert platforms == {
        "genre": "sensor",
        "title": "sensor",
        "confidence": "sensor",
        "level": "sensor",
        "since": "sensor",
        "playing": "binary_sensor",
        "problem": "binary_sensor",
        "hint": "sensor",
        "color": "sensor",
    }


def test_an_enum_has_all_its_options_and_no_unit_or_state_class(payload):
    genre = payload["cmps"]["genre"]
    assert genre["device_class"] == "enum"
    assert genre["options"] == ["blues", "jazz", "rock", "unknown", "silence"]
    assert not {"unit_of_measurement", "state_class"} & genre.keys()


def test_a_level_in_dbfs_claims_no_device_class_that_forbids_the_unit(payload):
    level = payload["cmps"]["level"]
    assert level["unit_of_measurement"] == "dBFS"
    assert "device_class" not in level


def test_values_that_come_with_every_window_expire_and_those_that_come_rarely_do_not(payload):
    expiring = {name for name, component in payload["cmps"].items() if "expire_after" in component}
    assert expiring == payload["cmps"].keys() - {"color", "problem", "hint"}
    never = DiscoveryParams(
        labels=LABELS,
        version="1",
        model="crnn",
        settings=HomeAssistantParams(expire_after_seconds=0),
    )
    assert not any("expire_after" in c for c in discovery_payload("den", never)["cmps"].values())


def test_unique_ids_stay_the_same_across_versions_and_models():
    newer = DiscoveryParams(labels=("a", "b"), version="9", model="other", page_url="http://y/")
    first, second = discovery_payload("den", PARAMS), discovery_payload("den", newer)

    def ids(document):
        return [document["dev"]["ids"], *(c["unique_id"] for c in document["cmps"].values())]

    assert ids(first) == ids(second)
    assert ids(first)[:2] == [["rtgenre_den"], "rtgenre_den_genre"]


def test_unique_ids_of_two_nodes_differ():
    ids = [
        component["unique_id"]
        for node in ("kitchen", "lounge")
        for component in discovery_payload(node, PARAMS)["cmps"].values()
    ]
    assert len(set(ids)) == 18


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True))
def test_any_node_gives_a_topic_that_home_assistant_reads(node):
    # The last three levels of Home Assistant's own pattern for discovery topics.
    assert re.fullmatch(
        r"homeassistant/device/[a-zA-Z0-9_-]+/config", discovery_topic("homeassistant", node)
    )


@pytest.mark.parametrize(
    ("document", "genre", "playing"),
    [
        (a_state(genre="jazz"), "jazz", "ON"),
        (a_state(state=PlayState.UNKNOWN), "unknown", "ON"),
        (a_state(state=PlayState.UNKNOWN) | {"music_probability": 0.2}, "unknown", "OFF"),
        (a_state(state=PlayState.SILENCE), "silence", "OFF"),
    ],
)
def test_templates_read_the_genre_and_whether_music_plays(document, genre, playing):
    assert rendered("genre", document) == genre
    assert (
        rendered("genre", document) in discovery_payload("den", PARAMS)["cmps"]["genre"]["options"]
    )
    assert rendered("playing", document) == playing


def test_templates_read_numbers_and_the_time():
    document = a_state(confidence=0.704)
    assert rendered("confidence", document) == "70"
    assert rendered("confidence", a_state(state=PlayState.SILENCE)) == "None"
    assert rendered("since", document) == "2023-11-14T22:13:20.000Z"


def test_a_problem_is_a_binary_sensor_that_says_why(payload):
    problem = payload["cmps"]["problem"]
    assert (problem["device_class"], problem["entity_category"]) == ("problem", "diagnostic")
    assert problem["state_topic"] == problem["json_attributes_topic"]
    assert problem["state_topic"] == "rtgenre/living-room/problem"
    why = 'the device "USB" is gone: it\'s <unplugged>'
    for value, state, reason in [("none", "OFF", None), (why, "ON", why)]:
        shown = templates().from_string(problem["value_template"]).render(value=value)
        attributes = templates().from_string(problem["json_attributes_template"])
        assert shown == state
        assert json.loads(attributes.render(value=value)) == {"reason": reason}


def test_a_hint_is_a_text_that_home_assistant_can_keep(payload):
    hint = payload["cmps"]["hint"]
    assert hint["state_topic"] == "rtgenre/living-room/hint"
    assert hint["entity_category"] == "diagnostic"
    template = templates().from_string(hint["value_template"])
    assert template.render(value="none") == "none"
    # Home Assistant refuses longer states.
    assert template.render(value="x" * 300) == "x" * 255


def test_the_level_changes_in_home_assistant_by_steps_of_a_decibel(payload):
    level = templates().from_string(payload["cmps"]["level"]["value_template"])

    def shown(before, level_dbfs):
        document = a_state(level_dbfs=level_dbfs)
        return level.render(value_json=document, this=SimpleNamespace(state=before))

    for before in ("unavailable", "unknown"):
        assert shown(before, -20.4) == "-20"
    # A level between two numbers does not jump to and fro.
    assert shown("-20", -20.6) == "-20"
    assert shown("-20", -20.9) == "-20"
    assert shown("-20", -21.2) == "-21"
    assert shown("-20", -18.9) == "-19"


def test_the_level_comes_with_every_window_where_all_values_do():
    params = dataclasses.replace(PARAMS, publish="window")
    assert rendered("level", a_state(level_dbfs=-20.6), params) == "-21"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (a_state(), None),
        (a_state(state=PlayState.SILENCE), None),
        (a_state(state=PlayState.UNKNOWN, reason=UnknownReason.NOT_MUSIC), "not_music"),
    ],
)
def test_the_genre_has_the_reason_why_it_is_unknown_as_its_attribute(document, reason):
    genre = discovery_payload("den", PARAMS)["cmps"]["genre"]
    template = jinja2.Environment().from_string(genre["json_attributes_template"])
    assert genre["json_attributes_topic"] == "rtgenre/den/state"
    attributes = json.loads(template.render(value_json=document))
    assert attributes == {"reason": reason, "title": None, "artist": None}


def test_home_assistant_shows_what_plays_and_nothing_where_that_is_not_known():
    known = a_state() | {"title": 'Say "So What"', "artist": "Miles Davis"}
    assert rendered("title", known) == 'Say "So What"'
    title = discovery_payload("den", PARAMS)["cmps"]["title"]
    artist = templates().from_string(title["json_attributes_template"])
    assert json.loads(artist.render(value_json=known)) == {"artist": "Miles Davis"}
    # Home Assistant's sensors take this for unknown.
    assert rendered("title", a_state()) == "None"


def test_discovery_is_sent_on_connect_and_again_when_home_assistant_has_started():
    extension = HomeAssistantExtension(PARAMS)
    assert extension.topics == ["homeassistant/status"]
    (first,) = extension.on_connect("den")
    assert (first.topic, first.within_seconds) == ("homeassistant/device/rtgenre_den/config", 0)
    (again,) = extension.on_message("den", "homeassistant/status", b"online")
    assert again.payload == first.payload
    assert again.within_seconds == PARAMS.settings.announce_within_seconds > 0


@pytest.mark.parametrize(
    ("topic", "payload"), [("homeassistant/status", b"offline"), ("other", b"online")]
)
def test_nothing_else_makes_it_speak(topic, payload):
    assert HomeAssistantExtension(PARAMS).on_message("den", topic, payload) == []
    assert HomeAssistantExtension(PARAMS).on_document(a_state()) == []


def test_discovery_is_retained_only_where_configured():
    kept = DiscoveryParams(
        labels=LABELS, version="1", model="m", settings=HomeAssistantParams(retain=True)
    )
    assert not discovery_message("den", PARAMS).retain
    assert discovery_message("den", kept).retain


def test_removal_is_an_empty_retained_message_on_the_same_topic():
    removal = removal_message("den", "homeassistant")
    assert removal.topic == discovery_message("den", PARAMS).topic
    assert (removal.payload, removal.retain) == ("", True)


def test_the_message_is_json():
    assert json.loads(discovery_message("den", PARAMS).payload) == discovery_payload("den", PARAMS)
