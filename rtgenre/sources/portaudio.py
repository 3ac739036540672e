"""PortAudio, once per process: the devices it sees and the streams it records.

It sees devices only as they were when it was initialised. To find one that was plugged in again
it must be initialised anew, and that ends every open stream: see ``renewal_wanted``.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from rtgenre.model.standard_error import keep_messages, quiet_libraries
from rtgenre.sources.base import SHORTEST_BLOCK_SECONDS, NoInputDevice, SourceError
from rtgenre.sources.devices import InputDevice, choose_device, explain_open_error
from rtgenre.threads import SerialThread

if TYPE_CHECKING:
    from types import ModuleType

# As short as a source's blocks ever are.
BLOCK_SECONDS = SHORTEST_BLOCK_SECONDS
# What PortAudio may buffer: few wake-ups, and no overflow on a busy machine.
LATENCY_SECONDS = 0.1
# Other sources are not to be robbed of a processor by one that waits for days.
LOOK_SECONDS = 10.0
RATES_HZ = (8000, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 176400, 192000)

_LIST_INPUTS = (
    "import json, sounddevice as sd; "
    "print(json.dumps([d['name'] for d in sd.query_devices() if d['max_input_channels'] > 0]))"
)


class PortAudio:
    """This process's PortAudio; all but ``renewal_wanted`` is called in its one thread."""

    def __init__(self) -> None:
        self.thread = SerialThread("portaudio")
        # Streams that would end with a renewal.
        self._n_open = 0
        # Recording sources close their streams when they see this, so that it can happen.
        self.renewal_wanted = False

    def library(self) -> ModuleType:
        """Return sounddevice, which initialises PortAudio when first imported."""
        keep_messages()  # initialising PortAudio is quiet in the same way
        try:
            import sounddevice
        except OSError as error:
            install = {
                "win32": "reinstall sounddevice with pip, whose wheel brings it",
                "darwin": "brew install portaudio",
            }.get(sys.platform, "sudo apt install libportaudio2 libasound2-plugins")
            raise SourceError(f"PortAudio is missing ({error}): {install}") from error
        module: ModuleType = sounddevice
        return module

    def devices(self) -> list[InputDevice]:
        """Return the input devices, as of the last renewal."""
        library = self.library()
        host_apis = library.query_hostapis()
        default_index = int(library.default.device[0])
        described = list(library.query_devices())
        default_host_api = described[default_index]["hostapi"] if default_index >= 0 else 0
        return [
            InputDevice(
                index=index,
                name=entry["name"],
                host_api=host_apis[entry["hostapi"]]["name"],
                n_channels=entry["max_input_channels"],
                default_rate_hz=round(entry["default_samplerate"]),
                latency_seconds=entry["default_high_input_latency"],
                is_default=index == default_index,
                is_default_host_api=entry["hostapi"] == default_host_api,
            )
            for index, entry in enumerate(described)
            if entry["max_input_channels"] > 0
        ]

    def open(self, device: InputDevice, n_channels: int, callback: Any, finished: Any) -> Any:
        """Open and start a stream at the device's own rate.

        Raises:
            SourceError: it cannot be opened; the message says why and what to do.
        """
        library = self.library()
        stream = None
        try:
            with quiet_libraries():
                stream = library.InputStream(
                    device=device.index,
                    channels=n_channels,
                    samplerate=device.default_rate_hz,
                    blocksize=round(BLOCK_SECONDS * device.default_rate_hz),
                    dtype="float32",
                    latency=input_latency_seconds(device),
                    callback=callback,
                    finished_callback=finished,
                )
                stream.start()
        except library.PortAudioError as error:
            if stream is not None:
                stream.close(ignore_errors=True)
            raise SourceError(explain_open_error(device, str(error))) from error
        self._n_open += 1
        return stream

    def close(self, stream: Any) -> None:
        """Close a stream, whatever state it is in."""
        try:
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)
        finally:
            self._n_open -= 1

    def renew(self) -> bool:
        """Initialise anew if no stream is open, and return whether that was done."""
        library = self.library()
        if self._n_open:
            return False
        library._terminate()
        library._initialize()
        self.renewal_wanted = False
        return True

    def give_up(self) -> None:
        """A call hangs: do not wait for PortAudio when the process ends."""
        atexit.unregister(self.library()._exit_handler)


portaudio = PortAudio()


def input_latency_seconds(device: InputDevice) -> float:
    """Return how much sound PortAudio is asked to buffer, in seconds."""
    return max(LATENCY_SECONDS, device.latency_seconds)


def list_input_devices() -> list[InputDevice]:
    """Return every input device there is now.

    Raises:
        SourceError: PortAudio is not installed.
    """

    def look() -> list[InputDevice]:
        portaudio.library()
        portaudio.renew()
        return portaudio.devices()

    return portaudio.thread.submit(look).result()


def find_input_device(selector: str | int) -> InputDevice:
    """Return the device that ``selector`` means, as ``choose_device``.

    Raises:
        NoInputDevice: the default was asked for and there is none, or no PortAudio.
        SourceError: no device matches, or several, or PortAudio is not installed.
    """
    try:
        devices = portaudio.thread.submit(portaudio.devices).result()
    except SourceError as error:
        raise (NoInputDevice(str(error)) if selector == "" else error) from error
    return choose_device(devices, selector)


def has_default_input() -> bool:
    """Say whether the machine has a default input now; only while nothing is recorded."""
    try:
        choose_device(list_input_devices(), "")
    except SourceError:
        return False
    return True


def supported_rates_hz(device: InputDevice) -> list[int]:
    """Return which of the usual sample rates the device records at, in Hz."""

    def probe() -> list[int]:
        library = portaudio.library()
        found = []
        for rate in RATES_HZ:
            with contextlib.suppress(library.PortAudioError), quiet_libraries():
                library.check_input_settings(
                    device=device.index, channels=min(2, device.n_channels), samplerate=rate
                )
                found.append(rate)
        return found

    return portaudio.thread.submit(probe).result()


class FreshNames:
    """The input devices' names as a newly initialised PortAudio sees them.

    Looking takes a process of its own, so all sources that lost their device look together.
    """

    def __init__(self, look_seconds: float = LOOK_SECONDS) -> None:
        self._look_seconds = look_seconds
        self._lock = threading.Lock()
        self._names: list[str] = []
        # When the last look ended, on the monotonic clock.
        self._looked_at = -math.inf

    def get(self) -> list[str]:
        """Return the names; they are at most ``look_seconds`` old."""
        with self._lock:
            if time.monotonic() - self._looked_at > self._look_seconds:
                self._names = _look_in_a_fresh_process()
                self._looked_at = time.monotonic()
            return self._names


fresh_names = FreshNames()


def _look_in_a_fresh_process() -> list[str]:
    command = [sys.executable, "-c", _LIST_INPUTS]
    try:
        listed = subprocess.run(
            command, capture_output=True, check=True, stdin=subprocess.DEVNULL, timeout=10
        )
        names: list[str] = json.loads(listed.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return []
    return names
