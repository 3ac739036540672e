"""Input devices as data: which one is meant, and what went wrong with it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rtgenre.audio.samples import channels_in_words
from rtgenre.sources.addresses import bare_address_hint
from rtgenre.sources.base import NoInputDevice, SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Names under which systems offer what is being played as an input.
_MONITOR = re.compile(
    r"monitor|loopback|stereo ?mix|what u hear|wave out mix|cable output|blackhole|soundflower",
    re.IGNORECASE,
)
# Virtual devices (PulseAudio's 32, dmix's 128) claim many channels and copy two into them.
_MOST_REAL_CHANNELS = 8

LOOPBACK_HINT = {
    "win32": "to hear what is being played, enable 'Stereo Mix' in the sound settings or install "
    "VB-Cable (PortAudio's wheels have no WASAPI loopback)",
    "darwin": "to hear what is being played, install BlackHole and choose it here",
}.get(
    sys.platform,
    "to hear what is being played, choose a monitor source: pavucontrol's Recording tab, or "
    "PULSE_SOURCE=<sink>.monitor in the environment ('pactl list short sources' lists them)",
)


@dataclass(frozen=True, slots=True)
class InputDevice:
    """One device that PortAudio can record from."""

    index: int
    """PortAudio's number; it may change whenever a device is plugged in or out."""
    name: str
    host_api: str
    """ALSA, Core Audio, MME, Windows WASAPI …"""
    n_channels: int
    default_rate_hz: int
    latency_seconds: float
    is_default: bool
    """The system's default input."""
    is_default_host_api: bool
    """Belongs to the host API of the default input."""

    @property
    def is_monitor(self) -> bool:
        """Whether the name is that of a loopback: it records what is being played."""
        return _MONITOR.search(self.name) is not None

    @property
    def stable_name(self) -> str:
        """The name without ALSA's card number, which changes from boot to boot."""
        return re.sub(r" \(hw:\d+,\d+\)$", "", self.name)


def choose_device(devices: Sequence[InputDevice], selector: str | int) -> InputDevice:
    """Return the one device that is meant.

    Args:
        devices: all there are.
        selector: an index (digits count as one); a name; a part of one name only, in any case;
            empty for the default, as is ``default`` where no device is called so. A device that
            several host APIs offer is taken from the default one.

    Raises:
        NoInputDevice: the default was asked for and there is none.
        SourceError: no device matches, or several; the message lists them.
    """
    if selector == "":
        for device in devices:
            if device.is_default:
                return device
        if devices:
            raise NoInputDevice(f"there is no default input device; {_found(devices)}")
        raise NoInputDevice("this machine has no input device")
    if isinstance(selector, int) or selector.isdecimal():
        for device in devices:
            if device.index == int(selector):
                return device
        raise SourceError(f"there is no input device with index {selector}; {_found(devices)}")
    wanted = selector.casefold()
    for matches in (
        [device for device in devices if wanted in _names(device)],
        [device for device in devices if wanted in device.name.casefold()],
    ):
        preferred = [device for device in matches if device.is_default_host_api] or matches
        if len(preferred) == 1:
            return preferred[0]
        if preferred:
            raise SourceError(
                f"{len(preferred)} input devices match {selector!r}; give more of the name, or "
                f"the index: {_listed(preferred)}"
            )
    if wanted == "default":
        return choose_device(devices, "")
    hint = f"; {LOOPBACK_HINT}" if _MONITOR.search(selector) else bare_address_hint(selector)
    raise SourceError(f"no input device matches {selector!r}; {_found(devices)}{hint}")


def channels_to_open(device: InputDevice, channel: Literal["mix", "left", "right"] | int) -> int:
    """Return how many channels to record so that ``channel`` is among them.

    Raises:
        SourceError: the device has fewer channels.
    """
    if channel == "mix":
        return device.n_channels if device.n_channels <= _MOST_REAL_CHANNELS else 2
    wanted = {"left": 1, "right": 2}[channel] if isinstance(channel, str) else channel
    if wanted > device.n_channels:
        raise SourceError(
            f"channel {channel!r} was asked for; the input device {device.name!r} has "
            f"{channels_in_words(device.n_channels)}"
        )
    # Into fewer than there are a sound server mixes them, and each is then a bit of all.
    return max(wanted, min(device.n_channels, _MOST_REAL_CHANNELS))


def explain_open_error(device: InputDevice, message: str) -> str:
    """Turn PortAudio's message into what was found and what to do."""
    lowered = message.casefold()
    if "busy" in lowered or "unavailable" in lowered or "in use" in lowered:
        advice = "another program is using it: close that, or record through the sound server"
    elif "permission" in lowered or "access denied" in lowered or "unauthorized" in lowered:
        advice = {
            "win32": "allow it in Settings, Privacy, Microphone",
            "darwin": "allow the terminal in System Settings, Privacy & Security, Microphone",
        }.get(sys.platform, "add the user to the group 'audio' (sudo usermod -aG audio $USER)")
    elif "sample rate" in lowered:
        advice = (
            f"it does not work at its own default rate, {device.default_rate_hz} Hz: choose "
            "another rate for it in the system's sound settings"
        )
    elif "channel" in lowered:
        advice = f"it offers {device.n_channels} channels; set channel to one of them"
    else:
        advice = "check that it is connected, or choose another ('rtgenre devices' lists them)"
    return f"the input device {device.name!r} cannot be opened ({message}): {advice}"


def _names(device: InputDevice) -> tuple[str, str]:
    return device.name.casefold(), device.stable_name.casefold()


def _found(devices: Sequence[InputDevice]) -> str:
    if not devices:
        return "no input device was found at all"
    return f"found: {_listed(devices)}"


def _listed(devices: Sequence[InputDevice]) -> str:
    return ", ".join(f"{device.index}: {device.name} ({device.host_api})" for device in devices)
