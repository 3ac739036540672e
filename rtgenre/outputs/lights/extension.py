"""What lamps are told over MQTT; nothing here sends anything."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from rtgenre.outputs.lights.scenes import LightDirector, Scene, wled_payload, zigbee2mqtt_payload
from rtgenre.outputs.mqtt.topics import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.config import LightsConfig, MqttConfig
    from rtgenre.messages.documents import Document


Shown = tuple[Literal["music", "unknown", "silence"], str | None, float]

TRY_SECONDS = 3.0
"""How long a colour is shown that somebody tries, at least."""


class LightsExtension:
    """Publishes each node's ``/color``, and the commands to its lamps, over its connection."""

    takes_retained = True

    def __init__(
        self, lights: LightsConfig, mqtt: MqttConfig, *, colors: dict[str, str], nodes: list[str]
    ) -> None:
        self._lights = lights
        self._mqtt = mqtt
        self._directors = {node: LightDirector(lights, colors) for node in nodes}
        self._first_node = nodes[0]
        # Topics on which lamps have said that they are off.
        self._off: set[str] = set()
        # By node, a colour that somebody tries, and until when on the source's own clock; None:
        # from the next document on.
        self._tried: dict[str, tuple[str, float | None]] = {}
        # Nodes whose lamps may have missed something, until the next document.
        self._reconnected: set[str] = set()

    @property
    def topics(self) -> Sequence[str]:
        """Where lamps tell whether they are on, if that matters to what they are told."""
        if not self._lights.turn_on:
            return ()
        return [
            *(self._wled_state(name) for names in self._lights.wled.values() for name in names),
            *(
                self._zigbee2mqtt_state(name)
                for names in self._lights.zigbee2mqtt.values()
                for name in names
            ),
        ]

    def change(self, lights: LightsConfig, *, colors: dict[str, str]) -> None:
        """Follow other settings from the next document on, which tells new lamps what plays."""
        for node, director in self._directors.items():
            first = node == self._first_node
            if lights.lamps(node, first=first) != self._lights.lamps(node, first=first):
                self._reconnected.add(node)
            director.params, director.colors = lights, colors
        self._lights = lights

    def try_color(self, node: str, color: str) -> None:
        """Show a colour on a node's lamps with the next document, for a moment."""
        self._tried[node] = (color, None)

    def on_connect(self, node: str) -> list[Message]:
        """Return nothing yet: what plays now comes first, not what played before the outage."""
        self._directors[node].reconnected()
        self._reconnected.add(node)
        return []

    def on_document(self, document: Document) -> list[Message]:
        """Return what changes with a document."""
        node = document["node"]
        if document["type"] == "state":
            if node in self._tried:
                return self._on_tried(node, document["window_end_seconds"])
            shown: Shown = (document["state"], document["genre"], document["window_end_seconds"])
        elif document["type"] == "status" and document["gone"]:
            # No later document would end what a colour is held for.
            shown = ("silence", None, math.inf)
            self._tried.pop(node, None)
        else:
            return []
        return self._follow(node, shown)

    def _follow(self, node: str, shown: Shown) -> list[Message]:
        """Return what changes with a state, a genre, and the time on the source's clock."""
        director = self._directors[node]
        reconnected = node in self._reconnected
        self._reconnected.discard(node)
        # The next document comes when all about the one before has been sent.
        director.delivered()
        state, genre, seconds = shown
        scene = director.update(state=state, genre=genre, seconds=seconds)
        if scene is not None:
            return self._messages(node, scene)
        if director.scene is None:
            return []
        if reconnected and director.scene.on is not False:
            return self._messages(node, replace(director.scene, brightness_percent=None))
        if reconnected or self._mqtt.publish == "window":
            return [self._color(node, director.scene)]
        return []

    def _on_tried(self, node: str, seconds: float) -> list[Message]:
        """Show what is tried, and go back to what the music wants with the document after it."""
        color, until_seconds = self._tried[node]
        if until_seconds is None:
            self._tried[node] = (color, seconds + TRY_SECONDS)
            return self._commands(node, Scene(color, fade_seconds=0.0))
        # A source's clock may begin anew.
        if not 0 < until_seconds - seconds <= TRY_SECONDS:
            del self._tried[node]
            self._directors[node].reconnected()
            self._reconnected.add(node)
        return []

    def on_message(self, node: str, topic: str, payload: bytes) -> list[Message]:
        """Note whether a lamp is off; answer nothing."""
        if topic.startswith(f"{self._lights.wled_prefix}/"):
            is_off = payload == b"0"
        else:
            is_off = _state(payload) == "OFF"
        if is_off:
            self._off.add(topic)
        else:
            self._off.discard(topic)
        return []

    def _messages(self, node: str, scene: Scene) -> list[Message]:
        return [self._color(node, scene), *self._commands(node, scene)]

    def _commands(self, node: str, scene: Scene) -> list[Message]:
        """Return what the lamps are sent."""
        wled, zigbee2mqtt = self._lights.lamps(node, first=node == self._first_node)
        commands = {
            f"{self._lights.wled_prefix}/{name}/api": wled_payload(
                self._for_lamp(self._wled_state(name), scene)
            )
            for name in wled
        } | {
            f"{self._lights.zigbee2mqtt_prefix}/{name}/set": zigbee2mqtt_payload(
                self._for_lamp(self._zigbee2mqtt_state(name), scene)
            )
            for name in zigbee2mqtt
        }
        # Not retained: a lamp that comes back hours later must not jump to an old colour.
        return [
            Message(topic, json.dumps(command), retain=False, qos=self._mqtt.qos)
            for topic, command in commands.items()
        ]

    def _for_lamp(self, state_topic: str, scene: Scene) -> Scene:
        """Leave the brightness out for a lamp that is off: it would go on."""
        if scene.on is None and state_topic in self._off:
            return replace(scene, brightness_percent=None)
        return scene

    def _wled_state(self, name: str) -> str:
        return f"{self._lights.wled_prefix}/{name}/g"

    def _zigbee2mqtt_state(self, name: str) -> str:
        return f"{self._lights.zigbee2mqtt_prefix}/{name}"

    def _color(self, node: str, scene: Scene) -> Message:
        return Message(f"{self._mqtt.topic_prefix}/{node}/color", scene.color, qos=self._mqtt.qos)


def _state(payload: bytes) -> object:
    """Return the ``state`` of Zigbee2MQTT's JSON about a lamp; None where there is none."""
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return document.get("state") if isinstance(document, dict) else None
