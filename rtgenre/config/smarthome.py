"""The tables about the smart home: the MQTT broker, Home Assistant and the lights."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from rtgenre.config.checks import Color, Lamp, Port, Text, TopicPrefix, checked_text
from rtgenre.config.table import SettingsTable
from rtgenre.outputs.lights.scenes import LightParams, SilenceLook, UnknownLook

FIRST_NODE = ""
"""In place of a node's name: that of the first source."""

LampsByNode = dict[str, tuple[Lamp, ...]]

_LIGHTS = LightParams()
_HOST_AND_PORT = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):([0-9]{1,9})")


def split_broker_address(layer: dict[str, Any]) -> dict[str, Any]:
    """Return a layer of settings with ``host = "broker:1884"`` as host and port.

    Whoever sets the host in one layer of settings thereby sets the port in that layer.
    """
    mqtt = layer.get("mqtt")
    if not isinstance(mqtt, dict) or not isinstance(mqtt.get("host"), str) or "port" in mqtt:
        return layer
    address = _HOST_AND_PORT.fullmatch(mqtt["host"])
    if address is None:
        return layer
    host, port = address[1].strip("[]"), int(address[2])
    return layer | {"mqtt": mqtt | {"host": host, "port": port}}


class MqttConfig(SettingsTable):
    """``[mqtt]``: the broker; off while ``host`` is empty."""

    host: Text = ""
    port: Port = 1883
    username: Text = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    topic_prefix: TopicPrefix = "rtgenre"
    publish: Literal["change", "window"] = "change"
    """Send genre, confidence, level and colour when they change, or with every window.

    The JSON on ``/state`` comes with every window either way.
    """
    qos: Literal[0, 1, 2] = 1
    keepalive_seconds: Annotated[int, Field(ge=5, le=3600)] = 30
    timeout_seconds: Annotated[float, Field(ge=0.5, le=60)] = 10.0
    """How long the broker may take for each answer before the connection counts as lost."""
    client_id: Annotated[Text, Field(min_length=1, max_length=64)] = "rtgenre"
    """Each node connects as ``<client_id>-<node>``."""
    tls: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @field_validator("host")
    @classmethod
    def _host_alone(cls, host: str) -> str:
        if url := re.fullmatch(r"(mqtts?)://([^/]*)/*", host):
            tls = ", and tls = true" if url[1] == "mqtts" else ""
            raise ValueError(f"write {url[2]!r}, without {url[1]}://{tls}")
        if _HOST_AND_PORT.fullmatch(host):
            raise ValueError("its port is given twice, here and as port; leave one of them out")
        return host

    @field_validator("password")
    @classmethod
    def _text(cls, password: SecretStr) -> SecretStr:
        checked_text(password.get_secret_value())
        return password

    @model_validator(mode="after")
    def _consistent(self) -> MqttConfig:
        if self.password.get_secret_value() and self.password_file:
            raise ValueError("give either password or password_file, not both")
        if (self.password.get_secret_value() or self.password_file) and not self.username:
            raise ValueError("a password needs a username")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("a client certificate needs both cert_file and key_file")
        if not self.tls and (self.ca_file or self.cert_file):
            raise ValueError("ca_file and cert_file need tls = true")
        return self


class HomeAssistantConfig(SettingsTable):
    """``[homeassistant]``: how Home Assistant finds the nodes, over MQTT."""

    enabled: bool = True
    discovery_prefix: TopicPrefix = "homeassistant"
    retain: bool = False
    """Leave the discovery messages with the broker; else they are sent again when needed."""
    expire_after_seconds: Annotated[int, Field(ge=0, le=86400)] = 60
    """Values older than this are shown as unavailable; 0: never."""
    announce_within_seconds: Annotated[float, Field(ge=0, le=300)] = 10.0
    """A start of Home Assistant is answered at a random moment within this time."""
    link: str = ""
    """Address that the device page links to; empty: the dashboard's."""

    @field_validator("expire_after_seconds")
    @classmethod
    def _longer_than_hops(cls, seconds: int) -> int:
        if 0 < seconds < 10:
            raise ValueError("at least 10 s, so that late windows do not count, or 0 for never")
        return seconds

    @field_validator("link")
    @classmethod
    def _web_address(cls, link: str) -> str:
        if link and not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", link):
            raise ValueError("a link begins with http:// or https://")
        return link


class LightsConfig(SettingsTable):
    """``[lights]``: what lamps show; needs ``[mqtt] host``."""

    wled: LampsByNode = Field(default_factory=dict)
    """WLED devices, by node; a list stands for those of the first source."""
    zigbee2mqtt: LampsByNode = Field(default_factory=dict)
    """Friendly names of Zigbee2MQTT's lamps or groups, by node; a list as above."""
    wled_prefix: TopicPrefix = "wled"
    zigbee2mqtt_prefix: TopicPrefix = "zigbee2mqtt"
    hold_seconds: Annotated[float, Field(ge=0, le=3600)] = _LIGHTS.hold_seconds
    fade_seconds: Annotated[float, Field(ge=0, le=60)] = _LIGHTS.fade_seconds
    neutral_color: Color = _LIGHTS.neutral_color
    neutral_fade_seconds: Annotated[float, Field(ge=0, le=60)] = _LIGHTS.neutral_fade_seconds
    silence: SilenceLook = _LIGHTS.silence
    unknown: UnknownLook = _LIGHTS.unknown
    turn_on: bool = _LIGHTS.turn_on
    brightness_percent: Annotated[int, Field(ge=1, le=100)] = _LIGHTS.brightness_percent
    neutral_brightness_percent: Annotated[int, Field(ge=1, le=100)] = (
        _LIGHTS.neutral_brightness_percent
    )
    wled_effects: dict[str, Annotated[int, Field(ge=0, le=255)]] = Field(default_factory=dict)
    zigbee2mqtt_effects: dict[str, Annotated[str, Field(min_length=1)]] = Field(
        default_factory=dict
    )

    @field_validator("wled", "zigbee2mqtt", mode="before")
    @classmethod
    def _list_to_first_node(cls, value: object, info: ValidationInfo) -> object:
        for node, lamps in value.items() if isinstance(value, dict) else [("", value)]:
            if isinstance(lamps, str):
                instead = f"{{ {node} = {json.dumps([lamps])} }}" if node else json.dumps([lamps])
                raise ValueError(f"lamps are a list; write {info.field_name} = {instead}")  # noqa: TRY004 - pydantic's
        if not isinstance(value, list | tuple):
            return value
        return {FIRST_NODE: value} if value else {}

    def light_params(self, colors: dict[str, str]) -> LightParams:
        """Return the same values as the lamps' director takes them."""
        names = {field.name for field in dataclasses.fields(LightParams)} - {"colors"}
        return LightParams(colors=colors, **{name: getattr(self, name) for name in names})

    def lamps(self, node: str, *, first: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return one node's WLED devices and Zigbee2MQTT lamps."""
        names = (node, FIRST_NODE) if first else (node,)
        wled = [lamp for name in names for lamp in self.wled.get(name, ())]
        zigbee2mqtt = [lamp for name in names for lamp in self.zigbee2mqtt.get(name, ())]
        return tuple(wled), tuple(zigbee2mqtt)
