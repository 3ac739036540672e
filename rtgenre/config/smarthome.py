"""The tables about the smart home: the MQTT broker, Home Assistant and the lights."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic.dataclasses import dataclass

from rtgenre.config.checks import (
    FilePath,
    Lamp,
    Port,
    Text,
    TopicPrefix,
    checked_color,
    checked_text,
    checked_topic_prefix,
)
from rtgenre.config.table import TABLE_RULES, SettingsTable
from rtgenre.outputs.lights.scenes import LightParams
from rtgenre.outputs.mqtt.homeassistant import HomeAssistantParams

FIRST_NODE = ""
"""In place of a node's name: that of the first source."""

LampsByNode = dict[str, tuple[Lamp, ...]]

_HOST_AND_PORT = re.compile(r"(\[[0-9a-fA-F:.]+(?:%[^\s:/\[\]]+)?\]|[^\s:/\[\]]+):([0-9]{1,9})")


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


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True


class MqttConfig(SettingsTable):
    """``[mqtt]``: the broker; off while ``host`` is empty."""

    host: Text = ""
    """Off while empty. "broker" or "broker:1883"."""
    port: Port = 1883
    """Usually 8883 with tls = true."""
    username: Text = ""
    """Empty: the broker takes anybody."""
    password: SecretStr = SecretStr("")
    """Better: password_file, or the environment: RTGENRE_MQTT__PASSWORD."""
    password_file: FilePath | None = Field(default=None, examples=["/run/secrets/mqtt"])
    """Holds the password instead."""
    topic_prefix: TopicPrefix = "rtgenre"
    """Topics are <topic_prefix>/<node>/genre and so on."""
    publish: Literal["change", "window"] = "change"
    """Genre, confidence, level and colour are sent when they change, or with every window. The
    JSON on /state comes with every window either way."""
    qos: Literal[0, 1, 2] = 1
    """Messages arrive: 0 perhaps, 1 at least once, 2 exactly once."""
    keepalive_seconds: Annotated[int, Field(ge=5, le=3600)] = 30
    """How soon the broker notices that this machine is gone."""
    timeout_seconds: Annotated[float, Field(ge=0.5, le=60)] = 10.0
    """How long the broker may take for an answer."""
    client_id: Annotated[Text, Field(min_length=1, max_length=64)] = "rtgenre"
    """Each node connects as <client_id>-<node>."""
    tls: bool = False
    """true: the connection to the broker is encrypted."""
    ca_file: FilePath | None = Field(default=None, examples=["ca.pem"])
    """Who may have signed the broker's certificate. Not set: whom this system trusts."""
    cert_file: FilePath | None = Field(default=None, examples=["client.pem"])
    """Client certificate, if the broker wants one."""
    key_file: FilePath | None = Field(default=None, examples=["client.key"])
    """The key to cert_file."""

    @field_validator("host")
    @classmethod
    def _host_alone(cls, host: str) -> str:
        if url := re.fullmatch(r"(mqtts?)://([^/]*)/*", host):
            tls = ", and tls = true" if url[1] == "mqtts" else ""
            raise ValueError(f"write {url[2]!r}, without {url[1]}://{tls}")
        if _HOST_AND_PORT.fullmatch(host):
            raise ValueError("its port is given twice, here and as port; leave one of them out")
        address = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if _is_ipv6(address):
            return address
        if re.search(r"[\s:/@\[\]]", host):
            raise ValueError(
                "it must be a name or an address, with a port or without: "
                "broker, 192.168.1.5:1883, fe80::1 or [fe80::1]:1883"
            )
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


@dataclass(frozen=True, config=TABLE_RULES)
class HomeAssistantConfig(HomeAssistantParams):
    """``[homeassistant]``: how Home Assistant finds the nodes, over MQTT."""

    @field_validator("discovery_prefix")
    @classmethod
    def _topic(cls, prefix: str) -> str:
        return checked_topic_prefix(prefix)

    @field_validator("expire_after_seconds")
    @classmethod
    def _longer_than_hops(cls, seconds: int) -> int:
        if 0 < seconds < 10:
            raise ValueError("at least 10 s, so that late windows do not count, or 0 for never")
        return seconds

    @field_validator("link")
    @classmethod
    def _web_address(cls, link: str) -> str:
        if link and not re.fullmatch(r"(https?|homeassistant)://[^\s/@]+(/\S*)?", link):
            raise ValueError("a link begins with http://, https:// or homeassistant://")
        return link


@dataclass(frozen=True, config=TABLE_RULES)
class Lamps:
    """Which lamps there are, a part of ``[lights]``."""

    wled: LampsByNode = Field(default_factory=dict)
    """["tv"]: devices whose topic is wled/tv, for the first source.
    { kitchen = ["strip"], lounge = ["tv"] } for several rooms."""
    zigbee2mqtt: LampsByNode = Field(default_factory=dict)
    """["Sofa lamp"]: friendly names of lamps or groups. Rooms as above."""
    wled_prefix: TopicPrefix = "wled"
    """What the topics of WLED begin with."""
    zigbee2mqtt_prefix: TopicPrefix = "zigbee2mqtt"
    """What the topics of Zigbee2MQTT begin with."""

    @field_validator("wled", "zigbee2mqtt", mode="before")
    @classmethod
    def _list_to_first_node(cls, value: object, info: ValidationInfo) -> object:
        for node, lamps in value.items() if isinstance(value, dict) else [("", value)]:
            if isinstance(lamps, str):
                instead = f"{{ {node} = {json.dumps([lamps])} }}" if node else json.dumps([lamps])
                raise ValueError(f"lamps are a list; write {info.field_name} = {instead}")
        if not isinstance(value, list | tuple):
            return value
        return {FIRST_NODE: value} if value else {}

    def lamps(self, node: str, *, first: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return one node's WLED devices and Zigbee2MQTT lamps."""
        names = (node, FIRST_NODE) if first else (node,)
        wled = [lamp for name in names for lamp in self.wled.get(name, ())]
        zigbee2mqtt = [lamp for name in names for lamp in self.zigbee2mqtt.get(name, ())]
        return tuple(wled), tuple(zigbee2mqtt)


@dataclass(frozen=True, config=TABLE_RULES)
class LightsConfig(LightParams, Lamps):
    """``[lights]``: what lamps show; needs ``[mqtt] host``."""

    @field_validator("neutral_color")
    @classmethod
    def _color(cls, color: str) -> str:
        return checked_color(color)
