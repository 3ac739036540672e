"""Chooses what else goes over MQTT: Home Assistant's discovery and the lamps' commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtgenre import __version__
from rtgenre.outputs.lights.extension import LightsExtension
from rtgenre.outputs.mqtt.homeassistant import DiscoveryParams, HomeAssistantExtension

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.config import Config
    from rtgenre.model.info import ModelInfo


def lights_extension(config: Config, *, colors: dict[str, str]) -> LightsExtension:
    """Return what publishes ``/color`` and moves the lamps."""
    return LightsExtension(
        config.lights,
        config.mqtt,
        colors=colors,
        nodes=[source.node for source in config.source],
    )


def home_assistant_extension(
    config: Config, info: ModelInfo, *, labels: Sequence[str], teachable: bool, page_url: str
) -> HomeAssistantExtension | None:
    """Return what announces the nodes to Home Assistant, unless that is off."""
    if not config.homeassistant.enabled:
        return None
    return HomeAssistantExtension(
        DiscoveryParams(
            labels=tuple(labels),
            teachable=teachable,
            version=__version__,
            model=info.name,
            page_url=page_url,
            names={source.node: source.shown_name for source in config.source},
            settings=config.homeassistant,
            topic_prefix=config.mqtt.topic_prefix,
            publish=config.mqtt.publish,
            music_threshold=config.smoothing.music_below,
            qos=config.mqtt.qos,
        )
    )
