"""What the lamps do: a colour per genre, held for a while, and a calm fade when the music stops.

A pure fold over what is shown, and the messages that WLED and Zigbee2MQTT understand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

UnknownLook = Literal["keep", "neutral", "color"]

_WLED_SOLID_EFFECT = 0
_ZIGBEE2MQTT_STOP_EFFECT = "stop_effect"
_WLED_MAX_BRIGHTNESS = 255
_ZIGBEE2MQTT_MAX_BRIGHTNESS = 254


@dataclass(frozen=True, slots=True)
class LightParams:
    """How lamps follow the music; ``config.toml`` says what each does to the eye."""

    colors: Mapping[str, str] = field(default_factory=dict)
    """``#rrggbb`` by genre; a genre without one gets the neutral colour."""
    hold_seconds: float = 10.0
    """Every colour stays for at least this long."""
    fade_seconds: float = 1.5
    neutral_color: str = "#ffb46b"
    """Shown in silence, and before anything was heard."""
    neutral_fade_seconds: float = 5.0
    unknown: UnknownLook = "keep"
    """While the genre is unknown: keep the colour, go to neutral, or show the unknown's colour."""
    turn_on: bool = False
    """Also switch lamps on and set their brightness; else both stay as they are."""
    brightness_percent: int = 100
    neutral_brightness_percent: int = 40
    wled_effects: Mapping[str, int] = field(default_factory=dict)
    """WLED's effect number by genre; genres without one are solid as soon as any has one."""
    zigbee2mqtt_effects: Mapping[str, str] = field(default_factory=dict)
    """The lamp's effect name by genre; genres without one stop it as soon as any has one."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What lamps are asked to show."""

    color: str
    fade_seconds: float
    brightness_percent: int | None = None
    """None leaves brightness, and whether the lamp is on, as they are."""
    wled_effect: int | None = None
    """None leaves the effect as it is."""
    zigbee2mqtt_effect: str | None = None


class LightDirector:
    """Decides for one source when its lamps change; time is given by the caller in seconds."""

    def __init__(self, params: LightParams) -> None:
        self.params = params
        # What the lamps show; None before the first update.
        self.scene: Scene | None = None
        self._changed_at_seconds = 0.0

    def update(
        self, *, state: Literal["music", "unknown", "silence"], genre: str | None, seconds: float
    ) -> Scene | None:
        """Take in what is shown at ``seconds`` on the source's clock.

        Returns:
            The scene to show from now on, or None while nothing changes.
        """
        wanted = self._wanted(state, genre)
        if wanted is None or wanted == self.scene:
            return None
        if self.scene is not None:
            held_seconds = seconds - self._changed_at_seconds
            if 0 <= held_seconds < self.params.hold_seconds:
                return None
        self.scene = wanted
        self._changed_at_seconds = seconds
        return wanted

    def _wanted(self, state: str, genre: str | None) -> Scene | None:
        """Return the scene for what is shown; None keeps the present one."""
        params = self.params
        name = genre
        if state == "unknown":
            if params.unknown == "keep" and self.scene is not None:
                return None
            name = "unknown" if params.unknown == "color" else None
        color = None if name is None else params.colors.get(name)
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


def wled_payload(scene: Scene) -> dict[str, Any]:
    """Write a scene as WLED's JSON API takes it (``tt`` is a fade of this change only, in 0.1 s).

    A segment object without ``id`` means all selected segments. Source: WLED's JSON API page.
    """
    segment: dict[str, Any] = {"col": [list(rgb(scene.color))]}
    if scene.wled_effect is not None:
        segment["fx"] = scene.wled_effect
    payload: dict[str, Any] = {"tt": round(10 * scene.fade_seconds), "seg": segment}
    if scene.brightness_percent is not None:
        payload["on"] = True
        payload["bri"] = _scaled(scene.brightness_percent, _WLED_MAX_BRIGHTNESS)
    return payload


def zigbee2mqtt_payload(scene: Scene) -> dict[str, Any]:
    """Write a scene as Zigbee2MQTT's ``set`` topic takes it (``transition`` in seconds)."""
    payload: dict[str, Any] = {
        "color": {"hex": scene.color},
        "transition": scene.fade_seconds,
    }
    if scene.brightness_percent is not None:
        payload["state"] = "ON"
        payload["brightness"] = _scaled(scene.brightness_percent, _ZIGBEE2MQTT_MAX_BRIGHTNESS)
    if scene.zigbee2mqtt_effect is not None:
        payload["effect"] = scene.zigbee2mqtt_effect
    return payload


def rgb(color: str) -> tuple[int, int, int]:
    """Return ``#rrggbb`` as three numbers from 0 to 255."""
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue


def _scaled(percent: int, maximum: int) -> int:
    """Return a brightness that is never 0, which would switch the lamp off."""
    return max(1, round(maximum * percent / 100))
