"""What the lamps do: a colour per genre, held for a while, and a calm fade when the music stops.

A pure fold over what is shown, and the messages that WLED and Zigbee2MQTT understand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Le, MinLen

if TYPE_CHECKING:
    from collections.abc import Mapping

SilenceLook = Literal["keep", "neutral", "off"]
UnknownLook = Literal["keep", "neutral", "color"]

_WLED_SOLID_EFFECT = 0
_ZIGBEE2MQTT_STOP_EFFECT = "stop_effect"
_WLED_MAX_BRIGHTNESS = 255
_ZIGBEE2MQTT_MAX_BRIGHTNESS = 254


@dataclass(frozen=True, slots=True)
class LightParams:
    """How lamps follow the music; settings of ``[lights]``."""

    hold_seconds: Annotated[float, Ge(0), Le(3600)] = 10.0
    """Every colour stays for at least this long. Higher values are calmer."""
    fade_seconds: Annotated[float, Ge(0), Le(60)] = 1.5
    """How long lamps take from one colour to the next."""
    silence: SilenceLook = "neutral"
    """When the music stops: keep the colour, go to neutral, or switch off."""
    neutral_color: str = "#ffb46b"
    """A warm white. Lamps show it in silence and before anything was heard."""
    neutral_fade_seconds: Annotated[float, Ge(0), Le(60)] = 5.0
    """How long lamps take to the neutral colour."""
    unknown: UnknownLook = "keep"
    """While the genre is unknown: keep the colour, go to neutral, or show that of [colors]."""
    turn_on: bool = False
    """true: lamps are switched on when music starts, and their brightness is set."""
    brightness_percent: Annotated[int, Ge(1), Le(100)] = 100
    """With turn_on, while music plays."""
    neutral_brightness_percent: Annotated[int, Ge(1), Le(100)] = 40
    """With turn_on, when the music has stopped."""
    wled_effects: dict[str, Annotated[int, Ge(0), Le(255)]] = field(default_factory=dict)
    """The number of a WLED effect, by genre: { disco = 9 }. Other genres are solid then."""
    zigbee2mqtt_effects: dict[str, Annotated[str, MinLen(1)]] = field(default_factory=dict)
    """The name of the lamp's effect, by genre: { disco = "colorloop" }. Others stop it then."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What lamps are asked to show."""

    color: str
    fade_seconds: float
    on: bool | None = None
    """None leaves the lamp on or off, as it is."""
    brightness_percent: int | None = None
    """None leaves the brightness as it is; lamps take any other for a wish to be on."""
    wled_effect: int | None = None
    """None leaves the effect as it is."""
    zigbee2mqtt_effect: str | None = None


class LightDirector:
    """Decides for one source when its lamps change; time is given by the caller in seconds."""

    def __init__(self, params: LightParams, colors: Mapping[str, str]) -> None:
        """Begin with lamps of unknown colour.

        Args:
            params: how they follow.
            colors: ``#rrggbb`` by genre; a genre without one gets the neutral colour.
        """
        self.params = params
        self.colors = colors
        # What the lamps show, with the brightness of those that are on; None before the first.
        self.scene: Scene | None = None
        # Whether the lamps were switched on for the music that plays.
        self._lit = False
        # Whether they may have been told since that the music has stopped.
        self._may_be_out = False
        self._changed_at_seconds = -math.inf
        self._delivered: tuple[Scene | None, bool] = (None, False)

    def update(
        self, *, state: Literal["music", "unknown", "silence"], genre: str | None, seconds: float
    ) -> Scene | None:
        """Take in what is shown at ``seconds`` on the source's clock.

        Returns:
            What changes from now on, or None while nothing does.
        """
        wanted = self._wanted(state, genre)
        if wanted is None:
            self._lit = self._lit and state != "silence"
            return None
        lit = self._is_lit(state)
        starts = lit and (not self._lit or self._may_be_out)
        if wanted == self.scene and lit == self._lit and not starts:
            return None
        if 0 <= seconds - self._changed_at_seconds < self.params.hold_seconds:
            return None
        change = self._change(wanted, starts=starts)
        self.scene, self._lit, self._may_be_out = wanted, lit, False
        self._changed_at_seconds = seconds
        return change

    def delivered(self) -> None:
        """Note that the lamps were told of everything so far."""
        self._delivered = self.scene, self._lit

    def reconnected(self) -> None:
        """Go back to what the lamps were told of for sure; the next change need not wait."""
        was_lit = self._lit
        self.scene, self._lit = self._delivered
        self._may_be_out = self._lit and not was_lit
        self._changed_at_seconds = -math.inf

    def _wanted(self, state: str, genre: str | None) -> Scene | None:
        """Return the scene for what is shown; None keeps the present one."""
        params = self.params
        name = genre
        if state == "silence":
            if params.silence == "keep" or (params.silence == "off" and self.scene is None):
                return None
            if params.silence == "off":
                return Scene(params.neutral_color, params.neutral_fade_seconds, on=False)
        if state == "unknown":
            if params.unknown == "keep" and (self.scene or params.silence != "neutral"):
                return None
            name = "unknown" if params.unknown == "color" else None
        color = None if name is None else self.colors.get(name)
        neutral = color is None
        return Scene(
            color=params.neutral_color if color is None else color,
            fade_seconds=params.neutral_fade_seconds if neutral else params.fade_seconds,
            brightness_percent=self._brightness_percent(neutral=neutral),
            wled_effect=(
                params.wled_effects.get(name or "", _WLED_SOLID_EFFECT)
                if params.wled_effects
                else None
            ),
            zigbee2mqtt_effect=(
                params.zigbee2mqtt_effects.get(name or "", _ZIGBEE2MQTT_STOP_EFFECT)
                if params.zigbee2mqtt_effects
                else None
            ),
        )

    def _brightness_percent(self, *, neutral: bool) -> int | None:
        if not self.params.turn_on:
            return None
        return self.params.neutral_brightness_percent if neutral else self.params.brightness_percent

    def _is_lit(self, state: str) -> bool:
        """Say whether lamps are on for the music: only music itself switches them on."""
        if state == "music":
            return self.params.turn_on
        return self._lit and state == "unknown" and self.params.unknown == "color"

    def _change(self, wanted: Scene, *, starts: bool) -> Scene:
        """Leave out of ``wanted`` what would switch on a lamp that somebody has switched off."""
        before = self.scene.brightness_percent if self.scene is not None else None
        dims = self._lit and wanted.brightness_percent != before
        return replace(
            wanted,
            on=True if starts else wanted.on,
            brightness_percent=wanted.brightness_percent if starts or dims else None,
        )


def wled_payload(scene: Scene) -> dict[str, Any]:
    """Write a scene as WLED's JSON API takes it (``tt`` is a fade of this change only, in 0.1 s).

    A segment object without ``id`` means all selected segments. Source: WLED's JSON API page.
    """
    payload: dict[str, Any] = {"tt": round(10 * scene.fade_seconds)}
    if scene.on is not None:
        payload["on"] = scene.on
    if scene.on is False:
        return payload
    segment: dict[str, Any] = {"col": [list(rgb(scene.color))]}
    if scene.wled_effect is not None:
        segment["fx"] = scene.wled_effect
    payload["seg"] = segment
    if scene.brightness_percent is not None:
        payload["bri"] = _scaled(scene.brightness_percent, _WLED_MAX_BRIGHTNESS)
    return payload


def zigbee2mqtt_payload(scene: Scene) -> dict[str, Any]:
    """Write a scene as Zigbee2MQTT's ``set`` topic takes it (``transition`` in seconds)."""
    payload: dict[str, Any] = {"transition": scene.fade_seconds}
    if scene.on is not None:
        payload["state"] = "ON" if scene.on else "OFF"
    if scene.on is False:
        return payload
    payload["color"] = {"hex": scene.color}
    if scene.brightness_percent is not None:
        payload["brightness"] = _scaled(scene.brightness_percent, _ZIGBEE2MQTT_MAX_BRIGHTNESS)
    if scene.zigbee2mqtt_effect is not None:
        payload["effect"] = scene.zigbee2mqtt_effect
    return payload


def rgb(color: str) -> tuple[int, int, int]:
    """Return ``#rrggbb`` as three numbers from 0 to 255."""
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue


def _scaled(percent: int, maximum: int) -> int:
    """Return a brightness; 1 % is more than 0, which would switch the lamp off."""
    return round(maximum * percent / 100)
