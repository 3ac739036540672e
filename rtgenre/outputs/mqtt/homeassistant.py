"""How Home Assistant finds a node: MQTT device discovery; pure.

Field names are those of Home Assistant's documentation of its MQTT integration, abbreviated where
the documentation's own device discovery example does so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Le

from rtgenre.outputs.mqtt.entities import entities_of
from rtgenre.outputs.mqtt.topics import Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rtgenre.messages.documents import Document

BIRTH_PAYLOAD = b"online"


@dataclass(frozen=True, slots=True)
class HomeAssistantParams:
    """How Home Assistant finds the nodes; the settings of ``[homeassistant]``."""

    enabled: bool = True
    """false: Home Assistant is told nothing."""
    discovery_prefix: str = "homeassistant"
    """Home Assistant's own prefix for such messages."""
    retain: bool = False
    """true: the broker keeps the discovery messages. Else they are sent again when needed."""
    expire_after_seconds: Annotated[int, Ge(0), Le(86400)] = 60
    """Older values are shown as unavailable. 0 means never."""
    announce_within_seconds: Annotated[float, Ge(0), Le(300)] = 10.0
    """A start of Home Assistant is answered at a random moment within this time."""
    link: str = ""
    """Where "Visit" leads. Empty: the page that this service serves."""


@dataclass(frozen=True, slots=True)
class DiscoveryParams:
    """What the discovery messages of all nodes share."""

    labels: Sequence[str]
    """The genres that are known."""
    version: str
    model: str
    """Name of the model, shown as the device's."""
    page_url: str = ""
    """Address of the page, for the device's link where the settings name none."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What nodes are called, for people; others are called by their node."""
    settings: HomeAssistantParams = HomeAssistantParams()
    topic_prefix: str = "rtgenre"
    publish: Literal["change", "window"] = "change"
    """Show a level when it changes, or with every window."""
    music_threshold: float = 0.5
    """An unknown genre counts as music playing from this probability of music on."""
    teachable: bool = False
    """Whether somebody may say what is playing."""
    qos: int = 1


class HomeAssistantExtension:
    """Announces nodes when they connect or settings change, and when Home Assistant has started."""

    takes_retained = True

    def __init__(self, params: DiscoveryParams) -> None:
        self._params = params
        self.topics: Sequence[str] = [birth_topic(params.settings.discovery_prefix)]
        # By node, what it was announced with.
        self._announced: dict[str, DiscoveryParams] = {}

    def change(self, *, labels: Sequence[str], music_threshold: float) -> None:
        """Announce other genres, or what counts as music playing, with the next window."""
        self._params = replace(self._params, labels=labels, music_threshold=music_threshold)

    def lead_to(self, page_url: str) -> None:
        """Announce another address of the page, with the next window."""
        self._params = replace(self._params, page_url=page_url)

    def on_connect(self, node: str) -> list[Message]:
        """Return the node's discovery message."""
        self._announced[node] = self._params
        return [discovery_message(node, self._params)]

    def on_document(self, document: Document) -> list[Message]:
        """Return the discovery message if another is due; all else is in other topics."""
        if self._announced.get(document["node"]) in (None, self._params):
            return []
        return self.on_connect(document["node"])

    def on_message(self, node: str, topic: str, payload: bytes) -> list[Message]:
        """Return the discovery message again when Home Assistant has started."""
        if topic not in self.topics or payload != BIRTH_PAYLOAD:
            return []
        within_seconds = self._params.settings.announce_within_seconds
        return [discovery_message(node, self._params, within_seconds=within_seconds)]


def discovery_message(
    node: str, params: DiscoveryParams, *, within_seconds: float = 0.0
) -> Message:
    """Return the message that makes Home Assistant show a node as a device."""
    return Message(
        discovery_topic(params.settings.discovery_prefix, node),
        json.dumps(discovery_payload(node, params), ensure_ascii=False),
        retain=params.settings.retain,
        qos=params.qos,
        within_seconds=within_seconds,
    )


def removal_message(node: str, discovery_prefix: str) -> Message:
    """Return the message that removes a node's device and what the broker has kept of it."""
    return Message(discovery_topic(discovery_prefix, node), "", retain=True, qos=1)


def birth_topic(discovery_prefix: str) -> str:
    """Return the topic on which Home Assistant says ``BIRTH_PAYLOAD`` when it has started."""
    return f"{discovery_prefix}/status"


def discovery_topic(discovery_prefix: str, node: str) -> str:
    """Return the topic of a node's discovery message; an empty message removes the device."""
    return f"{discovery_prefix}/device/{device_id(node)}/config"


def device_id(node: str) -> str:
    """Return the identifier of a node's device, which never changes while its name does not."""
    return f"rtgenre_{node}"


def discovery_payload(node: str, params: DiscoveryParams) -> dict[str, Any]:
    """Build the discovery message of one node: a device with its entities."""
    topic = f"{params.topic_prefix}/{node}"
    entities = entities_of(
        topic,
        labels=params.labels,
        publish=params.publish,
        music_threshold=params.music_threshold,
        expire_after_seconds=params.settings.expire_after_seconds,
        teachable=params.teachable,
    )
    return {
        "dev": {
            "ids": [device_id(node)],
            "name": f"rtgenre {params.names.get(node, node)}",
            "mf": "rtgenre",
            "mdl": f"model {params.model}",
            "sw": params.version,
            **_link(params.settings.link or params.page_url),
        },
        "o": {"name": "rtgenre", "sw": params.version},
        "availability_topic": f"{topic}/availability",
        "state_topic": f"{topic}/state",
        "cmps": {
            entity: {"unique_id": f"{device_id(node)}_{entity}", **component}
            for entity, component in entities.items()
        },
    }


def _link(link: str) -> dict[str, str]:
    return {"cu": link} if link else {}
