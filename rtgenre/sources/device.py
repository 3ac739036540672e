"""Microphones, line-ins and monitors, through PortAudio.

PortAudio sees devices only as they were when it was initialised. To find one that was plugged
in again it must be initialised anew, and that ends every open stream. So a source that lost its
device looks for it first, in a fresh process while others are recording; only when it is back,
and cannot be opened without that, do the others pause for a moment (``renewal_wanted``).
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from rtgenre.sources.backoff import Backoff
from rtgenre.sources.base import AudioSource, Deliver, NoInputDevice, SourceError
from rtgenre.sources.block_queue import BlockQueue
from rtgenre.sources.call_thread import CallThread
from rtgenre.sources.clock import CaptureClock, Clock
from rtgenre.sources.devices import (
    InputDevice,
    channels_to_open,
    choose_device,
    explain_open_error,
)
from rtgenre.types import Block, FloatArray

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

Result = TypeVar("Result")

log = logging.getLogger(__name__)

# A window is complete at most this long before the block that completes it.
BLOCK_SECONDS = 0.02
QUEUE_SECONDS = 2.0
# A device that delivers nothing for this long is lost.
STALL_SECONDS = 3.0
# An idle PulseAudio null sink takes two seconds to deliver its first block.
FIRST_BLOCK_SECONDS = 4.0
# Only a suspended machine makes blocks come this far apart: the watch above runs faster.
SUSPENDED_SECONDS = 6.0
# What stopping may take; a hung sound server answers never.
CLOSE_SECONDS = 0.8
RATES_HZ = (8000, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 176400, 192000)

_LIST_INPUTS = (
    "import json, sounddevice as sd; "
    "print(json.dumps([d['name'] for d in sd.query_devices() if d['max_input_channels'] > 0]))"
)


class _PortAudio:
    """This process's PortAudio; all but ``renewal_wanted`` is called in its one thread."""

    def __init__(self) -> None:
        self.thread = CallThread("portaudio")
        # Streams that would end with a renewal.
        self._n_open = 0
        # Recording sources close their streams when they see this, so that it can happen.
        self.renewal_wanted = False

    def library(self) -> ModuleType:
        """Return sounddevice, which initialises PortAudio when first imported."""
        try:
            import sounddevice  # noqa: PLC0415 - files and streams work without PortAudio
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
        try:
            with _quiet_standard_error():
                stream = library.InputStream(
                    device=device.index,
                    channels=n_channels,
                    samplerate=device.default_rate_hz,
                    blocksize=round(BLOCK_SECONDS * device.default_rate_hz),
                    dtype="float32",
                    latency="high",
                    callback=callback,
                    finished_callback=finished,
                )
                stream.start()
        except library.PortAudioError as error:
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
        library._terminate()  # noqa: SLF001 - the documented way to see new devices
        library._initialize()  # noqa: SLF001
        self.renewal_wanted = False
        return True

    def give_up(self) -> None:
        """A call hangs: do not wait for PortAudio when the process ends."""
        atexit.unregister(self.library()._exit_handler)  # noqa: SLF001


_portaudio = _PortAudio()


def list_input_devices() -> list[InputDevice]:
    """Return every input device there is now.

    Raises:
        SourceError: PortAudio is not installed.
    """

    def look() -> list[InputDevice]:
        _portaudio.library()
        _portaudio.renew()
        return _portaudio.devices()

    return _portaudio.thread.submit(look).result()


def find_input_device(selector: str | int) -> InputDevice:
    """Return the device that ``selector`` means, as ``choose_device``.

    Raises:
        NoInputDevice: the default was asked for and there is none, or no PortAudio.
        SourceError: no device matches, or several, or PortAudio is not installed.
    """
    try:
        devices = _portaudio.thread.submit(_portaudio.devices).result()
    except SourceError as error:
        raise (NoInputDevice(str(error)) if selector == "" else error) from error
    return choose_device(devices, selector)


def supported_rates_hz(device: InputDevice) -> list[int]:
    """Return which of the usual sample rates the device records at, in Hz."""

    def probe() -> list[int]:
        library = _portaudio.library()
        found = []
        for rate in RATES_HZ:
            with contextlib.suppress(library.PortAudioError), _quiet_standard_error():
                library.check_input_settings(
                    device=device.index, channels=min(2, device.n_channels), samplerate=rate
                )
                found.append(rate)
        return found

    return _portaudio.thread.submit(probe).result()


class DeviceSource(AudioSource):
    """An input device, reopened whenever it is lost, under the same name.

    Lost is a device whose stream ends or that delivers nothing for ``STALL_SECONDS``.
    """

    def __init__(
        self,
        selector: str | int = "",
        *,
        channel: Literal["mix", "left", "right"] | int = "mix",
        clock: Clock | None = None,
    ) -> None:
        """Find the device, without opening it.

        Raises:
            NoInputDevice: the default was asked for and there is none.
            SourceError: no device matches, or several, or it has no such channel.
        """
        self._device = find_input_device(selector)
        channels_to_open(self._device, channel)
        super().__init__(f"device: {self._device.name}", live=True)
        self._follow_default = selector == ""
        self._channel = channel
        self._clock = clock or CaptureClock()
        self._backoff = Backoff()
        self._queue = BlockQueue(round(QUEUE_SECONDS / BLOCK_SECONDS))
        # PortAudio's stream while one is open; only its thread touches this.
        self._stream: Any = None
        # Set from the callback's thread, read by the loop's: the stream ended by itself.
        self._ended = False
        # The next block comes after lost audio; set while no stream is open.
        self._gap = False
        # When the newest block came; None before the first of a stream.
        self._captured_at: float | None = None
        # Whether the last look in a fresh process found the device.
        self._was_seen = False

    async def run(self, deliver: Deliver) -> None:
        """Record until cancelled.

        Raises:
            SourceError: the device cannot be opened the first time.
        """
        loop = asyncio.get_running_loop()
        news = asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(news.set)

        try:
            await _call(lambda: self._open(wake))
            while True:
                self.problem = await self._record(deliver, news)
                log.warning("%s: %s", self.name, self.problem)
                await _call(self._close)
                await self._reopen(wake)
        finally:
            await self._stop()

    async def _record(self, deliver: Deliver, news: asyncio.Event) -> str:
        """Deliver blocks until the device is lost and return what happened to it."""
        patience_seconds = FIRST_BLOCK_SECONDS
        while True:
            news.clear()
            while (block := self._queue.pop()) is not None:
                self.dropped_blocks = self._queue.dropped_blocks
                patience_seconds = STALL_SECONDS
                self.problem = None
                self._backoff.reset()
                await deliver(block)
            if self._ended:
                return "the input device ended the recording: unplugged, or the sound server ended"
            if _portaudio.renewal_wanted:
                return "paused for a moment while another input device is reopened"
            try:
                async with asyncio.timeout(patience_seconds):
                    await news.wait()
            except TimeoutError:
                return f"the input device delivered nothing for {patience_seconds:.0f} s"

    async def _reopen(self, wake: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(self._backoff.next_seconds())
            try:
                await _call(_portaudio.renew)
                await _call(lambda: self._open(wake))
            except SourceError as error:
                self.problem = str(error)
                await self._ask_for_renewal()
            else:
                self.reopens += 1
                return

    async def _ask_for_renewal(self) -> None:
        """Let the others pause if the device is back, but not in this process's list."""
        names = await asyncio.to_thread(_names_in_a_fresh_process)
        wanted = "" if self._follow_default else self._device.stable_name
        is_seen = any(wanted in name for name in names)
        # Once for each return: a device that is there and cannot be opened disturbs nobody.
        if is_seen and not self._was_seen:
            _portaudio.renewal_wanted = True
        self._was_seen = is_seen

    def _open(self, wake: Callable[[], None]) -> None:
        """Find the device and record from it; runs in PortAudio's thread."""
        self._device = self._find(_portaudio.devices())
        self._ended = False
        self._captured_at = None

        def callback(samples: FloatArray, _frames: int, _time: Any, status: Any) -> None:
            self._take(samples.copy(), overflowed=bool(status.input_overflow))
            wake()

        def finished() -> None:
            self._ended = True
            wake()

        n_channels = channels_to_open(self._device, self._channel)
        self._stream = _portaudio.open(self._device, n_channels, callback, finished)

    def _find(self, devices: list[InputDevice]) -> InputDevice:
        """Find the device again: the default may be another one now, an index may not."""
        if self._follow_default:
            return choose_device(devices, "")
        name = self._device.stable_name
        for device in devices:
            if device.index == self._device.index and device.stable_name == name:
                return device
        return choose_device(devices, name)

    def _take(self, samples: FloatArray, *, overflowed: bool) -> None:
        """Stamp a block and hand it over; runs in PortAudio's callback."""
        now = self._clock()
        suspended = self._captured_at is not None and now - self._captured_at > SUSPENDED_SECONDS
        self._captured_at = now
        self.overruns += overflowed
        gap = self._gap or overflowed or suspended
        self._gap = False
        self._queue.push(Block(samples, self._device.default_rate_hz, now, gap=gap))

    def _close(self) -> None:
        """Stop recording; runs in PortAudio's thread, after any call that opens."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            _portaudio.close(stream)
            self._gap = True

    async def _stop(self) -> None:
        closing = asyncio.wrap_future(_portaudio.thread.submit(self._close))
        done, _ = await asyncio.wait([closing], timeout=CLOSE_SECONDS)
        if not done:
            log.warning("%s: the sound system does not answer; left as it is", self.name)
            _portaudio.give_up()


async def _call(call: Callable[[], Result]) -> Result:
    return await asyncio.wrap_future(_portaudio.thread.submit(call))


def _names_in_a_fresh_process() -> list[str]:
    """Return the input devices' names as a newly initialised PortAudio sees them."""
    command = [sys.executable, "-c", _LIST_INPUTS]
    try:
        listed = subprocess.run(  # noqa: S603 - a constant command
            command, capture_output=True, check=True, stdin=subprocess.DEVNULL, timeout=10
        )
        names: list[str] = json.loads(listed.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return []
    return names


@contextlib.contextmanager
def _quiet_standard_error() -> Iterator[None]:
    """Keep ALSA's and PortAudio's own lines away: the exception says the same, once."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
