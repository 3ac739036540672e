"""What lamps are told over MQTT; nothing here sends anything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rtgenre.lights import LightDirector, Scene, wled_payload, zigbee2mqtt_payload
from rtgenre.outputs.topics import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.config import LightsConfig, MqttConfig
    from rtgenre.payload import Document


class LightsExtension:
    """Publishes each node's ``/color``, and the commands to its lamps, over its connection."""

    topics: Sequence[str] = ()

    def __init__(
        self, lights: LightsConfig, mqtt: MqttConfig, *, colors: dict[str, str], nodes: list[str]
    ) -> None:
        self._lights = lights
        self._mqtt = mqtt
        params = lights.light_params(colors)
        self._directors = {node: LightDirector(params) for node in nodes}
        self._first_node = nodes[0]

    def change(self, lights: LightsConfig, *, colors: dict[str, str]) -> None:
        """Follow other settings from the next document on."""
        self._lights = lights
        params = lights.light_params(colors)
        for director in self._directors.values():
            director.params = params

    def on_connect(self, node: str) -> list[Message]:
        """Return what a lost connection may have kept from the lamps."""
        scene = self._directors[node].scene
        return [] if scene is None else self._messages(node, scene)

    def on_document(self, document: Document) -> list[Message]:
        """Return what changes with a document."""
        if document["type"] != "state":
            return []
        node = document["node"]
        director = self._directors[node]
        scene = director.update(
            state=document["state"],
            genre=document["genre"],
            seconds=document["window_end_seconds"],
        )
        if scene is not None:
            return self._messages(node, scene)
        if self._mqtt.publish == "window" and director.scene is not None:
            return [self._color(node, director.scene)]
        return []

    def on_message(self, node: str, topic: str, payload: bytes) -> list[Message]:
        """Answer nothing: lamps are not listened to."""
        return []

    def _messages(self, node: str, scene: Scene) -> list[Message]:
        wled, zigbee2mqtt = self._lights.lamps(node, first=node == self._first_node)
        commands = {
            f"{self._lights.wled_prefix}/{name}/api": wled_payload(scene) for name in wled
        } | {
            f"{self._lights.zigbee2mqtt_prefix}/{name}/set": zigbee2mqtt_payload(scene)
            for name in zigbee2mqtt
        }
        return [
            self._color(node, scene),
            # Not retained: a lamp that comes back hours later must not jump to an old colour.
            *(
                Message(topic, json.dumps(command), retain=False, qos=self._mqtt.qos)
                for topic, command in commands.items()
            ),
        ]

    def _color(self, node: str, scene: Scene) -> Message:
        return Message(f"{self._mqtt.topic_prefix}/{node}/color", scene.color, qos=self._mqtt.qos)
