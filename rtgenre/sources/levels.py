"""How loud every input is just now: each is recorded for a moment, and nothing of it is kept."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from rtgenre.audio.windows import rms_dbfs
from rtgenre.sources.base import SourceError
from rtgenre.sources.devices import channels_to_open
from rtgenre.sources.portaudio import portaudio

if TYPE_CHECKING:
    from collections.abc import Collection

    from rtgenre.sources.devices import InputDevice
    from rtgenre.types import FloatArray

LISTEN_SECONDS = 0.5
MAX_LISTEN_SECONDS = 2.5
"""An idle null sink of PulseAudio takes two seconds to deliver its first block."""
MAX_DEVICES = 16
"""A machine may offer a hundred, most of them the same one."""


@dataclass(frozen=True, slots=True)
class InputLevel:
    """An input, and what was heard of it."""

    device: InputDevice
    level_dbfs: float | None
    """None where it was not recorded."""
    problem: str | None = None
    """Why it cannot be recorded; None where it can, or is recorded already."""


class _Meter:
    """Notes how loud what a device delivers is."""

    def __init__(self) -> None:
        self.level_dbfs: float | None = None
        """The level of the loudest block; None where none came."""

    def __call__(self, samples: FloatArray, *_: Any) -> None:
        """Take a block; runs in PortAudio's callback."""
        level = rms_dbfs(samples)
        if self.level_dbfs is None or level > self.level_dbfs:
            self.level_dbfs = level


def measure_levels(in_use: Collection[str]) -> tuple[list[InputLevel], int]:
    """Record every input for a moment, all at once; this takes a second or three.

    Args:
        in_use: names of devices that are recorded already, which are left alone.

    Returns:
        The inputs, and how many more there are.

    Raises:
        SourceError: PortAudio is missing.
    """
    devices = portaudio.thread.submit(portaudio.devices).result()
    # The default first, so that it is among those that are listed.
    devices.sort(key=lambda device: not device.is_default)
    opened: list[tuple[InputDevice, _Meter, Any, str | None]] = []
    try:
        for device in devices[:MAX_DEVICES]:
            meter, stream, problem = _Meter(), None, None
            if not {device.name, device.stable_name} & set(in_use):
                try:
                    stream = _open(device, meter)
                except SourceError as error:
                    problem = str(error)
            opened.append((device, meter, stream, problem))
        _listen([meter for _, meter, stream, _ in opened if stream is not None])
    finally:
        for *_, stream, _ in opened:
            if stream is not None:
                portaudio.thread.submit(partial(portaudio.close, stream)).result()
    levels = [InputLevel(device, meter.level_dbfs, problem) for device, meter, _, problem in opened]
    return levels, max(0, len(devices) - MAX_DEVICES)


def _listen(meters: list[_Meter]) -> None:
    """Wait until each has heard enough, or will hear nothing."""
    time.sleep(LISTEN_SECONDS)
    gives_up_at = time.monotonic() + MAX_LISTEN_SECONDS - LISTEN_SECONDS
    while any(meter.level_dbfs is None for meter in meters) and time.monotonic() < gives_up_at:
        time.sleep(0.1)


def _open(device: InputDevice, meter: _Meter) -> Any:
    def call() -> Any:
        return portaudio.open(device, channels_to_open(device, "mix"), meter, lambda: None)

    return portaudio.thread.submit(call).result()
