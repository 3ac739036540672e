"""Settings that are allowed but have no effect, and what to write instead."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from rtgenre.outputs.colors import GENRE_COLORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rtgenre.config.settings import Config


def settings_without_effect(config: Config, *, model: str, labels: Sequence[str]) -> Iterator[str]:
    """Yield a sentence about each setting that does nothing.

    Args:
        config: the settings.
        model: the model's name.
        labels: the model's genres.
    """
    lights = config.lights
    for key, lamps in (("wled", lights.wled), ("zigbee2mqtt", lights.zigbee2mqtt)):
        if lamps and not config.mqtt.host:
            yield (
                f"[lights] {key} names lamps, but there is no broker to reach them by; set "
                "[mqtt] host, or --mqtt-host, to the broker that they use"
            )
    named = {
        "[lights] wled_effects": lights.wled_effects.keys(),
        "[lights] zigbee2mqtt_effects": lights.zigbee2mqtt_effects.keys(),
        # The shipped models' genres have a colour without being named.
        "[colors]": config.colors.keys() - GENRE_COLORS.keys(),
    }
    for setting, genres in named.items():
        for genre in sorted(genres - {*labels, "unknown", "silence"}):
            similar = difflib.get_close_matches(genre.lower(), labels, n=1)
            meant = f"; did you mean {similar[0]!r}?" if similar else ";"
            yield (
                f"{setting} names {genre!r}, which the model {model} does not know{meant} "
                f"its genres are {', '.join(labels)}"
            )
