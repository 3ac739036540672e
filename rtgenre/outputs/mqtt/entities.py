"""What Home Assistant shows of a node: the entities of its device; pure.

Most are read from the node's JSON, which comes with every window, so that they expire when
windows stop; colour, problem and hint come only when they change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from rtgenre.outputs.mqtt.topics import NO_PROBLEM

if TYPE_CHECKING:
    from collections.abc import Sequence

Entities = dict[str, dict[str, Any]]
"""By the entity's name in identifiers."""

_MAX_STATE_CHARACTERS = 255


def entities_of(
    topic: str,
    *,
    labels: Sequence[str],
    publish: Literal["change", "window"],
    music_threshold: float,
    expire_after_seconds: int,
    teachable: bool,
) -> Entities:
    """Return all entities of a node.

    Args:
        topic: what the node's topics begin with.
        labels: the genres.
        publish: show a level when it changes, or with every window.
        music_threshold: an unknown genre counts as music from this probability of music on.
        expire_after_seconds: older values are shown as unavailable; 0 means never.
        teachable: whether somebody may say what is playing.
    """
    fresh = {"expire_after": expire_after_seconds} if expire_after_seconds else {}
    heard = {**_playing(topic, labels), **_measured(publish, music_threshold)}
    teach = {"teach": _teach_select(topic, labels)} if teachable else {}
    return {
        **{name: {**entity, **fresh} for name, entity in heard.items()},
        **_told(topic),
        **teach,
    }


def _playing(topic: str, labels: Sequence[str]) -> Entities:
    """Return what is playing, and how sure that is."""
    return {
        "genre": {
            "p": "sensor",
            "name": "Genre",
            "device_class": "enum",
            "options": [*labels, "unknown", "silence"],
            "value_template": "{{ value_json.genre or value_json.state }}",
            "json_attributes_topic": f"{topic}/state",
            "json_attributes_template": (
                "{{ {'reason': value_json.reason, 'title': value_json.title, "
                "'artist': value_json.artist} | tojson }}"
            ),
            "icon": "mdi:music",
        },
        "title": {
            "p": "sensor",
            "name": "Title",
            # None is rendered as "None", which Home Assistant's sensors take for unknown.
            "value_template": "{{ value_json.title }}",
            "json_attributes_topic": f"{topic}/state",
            "json_attributes_template": "{{ {'artist': value_json.artist} | tojson }}",
            "icon": "mdi:playlist-music",
        },
        "confidence": {
            "p": "sensor",
            "name": "Confidence",
            "unit_of_measurement": "%",
            "state_class": "measurement",
            "suggested_display_precision": 0,
            # None is rendered as "None", which Home Assistant's sensors take for unknown.
            "value_template": (
                "{{ None if value_json.confidence is none "
                "else (value_json.confidence * 100) | round(0) | int }}"
            ),
            "icon": "mdi:gauge",
        },
    }


def _measured(publish: Literal["change", "window"], music_threshold: float) -> Entities:
    """Return what is measured beside the genre."""
    return {
        # No device class: Home Assistant's for levels of sound take dB and dBA, not dBFS.
        "level": {
            "p": "sensor",
            "name": "Level",
            "unit_of_measurement": "dBFS",
            "state_class": "measurement",
            "suggested_display_precision": 0,
            "value_template": _level_template(publish),
            "icon": "mdi:volume-medium",
            "entity_category": "diagnostic",
        },
        "since": {
            "p": "sensor",
            "name": "Genre since",
            "device_class": "timestamp",
            "value_template": "{{ value_json.since }}",
        },
        "playing": {
            "p": "binary_sensor",
            "name": "Music playing",
            "device_class": "running",
            "value_template": _playing_template(music_threshold),
            "icon": "mdi:music-note",
        },
    }


def _told(topic: str) -> Entities:
    """Return what is published only when it changes."""
    return {
        "problem": {
            "p": "binary_sensor",
            "name": "Problem",
            "device_class": "problem",
            "entity_category": "diagnostic",
            "state_topic": f"{topic}/problem",
            "value_template": f"{{{{ 'OFF' if value == '{NO_PROBLEM}' else 'ON' }}}}",
            "json_attributes_topic": f"{topic}/problem",
            "json_attributes_template": (
                f"{{{{ {{'reason': none if value == '{NO_PROBLEM}' else value}} | tojson }}}}"
            ),
        },
        "hint": {
            "p": "sensor",
            "name": "Hint",
            "entity_category": "diagnostic",
            "state_topic": f"{topic}/hint",
            # Home Assistant takes no longer states.
            "value_template": f"{{{{ value[:{_MAX_STATE_CHARACTERS}] }}}}",
            "icon": "mdi:lightbulb-question-outline",
        },
        "color": {
            "p": "sensor",
            "name": "Colour",
            "state_topic": f"{topic}/color",
            "icon": "mdi:palette",
        },
    }


def _teach_select(topic: str, labels: Sequence[str]) -> dict[str, Any]:
    """Return a select that shows the genre, and teaches the one that is chosen."""
    return {
        "p": "select",
        "name": "Teach genre",
        "command_topic": f"{topic}/teach/set",
        "state_topic": f"{topic}/genre",
        "options": list(labels),
        # None is rendered as "None", which Home Assistant's selects take for unknown.
        "value_template": "{{ None if value in ('unknown', 'silence') else value }}",
        "icon": "mdi:school",
    }


def _level_template(publish: Literal["change", "window"]) -> str:
    """Return a template that, where changes are wanted, keeps a level that moves by less than 1 dB.

    Home Assistant stores every change.
    """
    level = "value_json.level_dbfs"
    rounded = f"{level} | round(0) | int"
    if publish == "window":
        return f"{{{{ {rounded} }}}}"
    kept = f"is_number(this.state) and ({level} - this.state | float) | abs < 1"
    return f"{{{{ this.state if {kept} else {rounded} }}}}"


def _playing_template(music_threshold: float) -> str:
    return (
        "{{ 'ON' if value_json.state == 'music' or (value_json.state == 'unknown' "
        f"and value_json.music_probability >= {music_threshold:g}) else 'OFF' }}}}"
    )
