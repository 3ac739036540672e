"""Microphones, line-ins and monitors, through PortAudio.

A source that lost its device looks for it first, in a fresh process while others are recording;
only when it is back, and cannot be opened without that, do the others pause for a moment so that
PortAudio can be initialised anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from rtgenre.sources.backoff import Backoff
from rtgenre.sources.base import AudioSource, Deliver, SourceError
from rtgenre.sources.block_queue import BlockQueue
from rtgenre.sources.clock import CaptureClock, Clock
from rtgenre.sources.devices import InputDevice, channels_to_open, choose_device
from rtgenre.sources.input_age import InputAge
from rtgenre.sources.portaudio import (
    BLOCK_SECONDS,
    find_input_device,
    fresh_names,
    input_latency_seconds,
    portaudio,
)
from rtgenre.types import Block, FloatArray

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

log = logging.getLogger(__name__)

QUEUE_SECONDS = 2.0
# A device that delivers nothing for this long is lost.
STALL_SECONDS = 3.0
# An idle PulseAudio null sink takes two seconds to deliver its first block.
FIRST_BLOCK_SECONDS = 4.0
# Only a suspended machine makes blocks come this far apart: the watch above runs faster.
SUSPENDED_SECONDS = 6.0
# What stopping may take; a hung sound server answers never.
CLOSE_SECONDS = 0.8
# Lengths of audio that differ by less are the same.
_ROUNDING_SECONDS = 1e-6


class DeviceSource(AudioSource):
    """An input device, reopened whenever it is lost, under the same name.

    Lost is a device whose stream ends or that delivers nothing for ``STALL_SECONDS``.
    """

    def __init__(
        self,
        selector: str | int = "",
        *,
        channel: Literal["mix", "left", "right"] | int = "mix",
        may_be_missing: bool = False,
        clock: Clock | None = None,
    ) -> None:
        """Find the device, without opening it.

        Raises:
            NoInputDevice: the default was asked for and there is none.
            SourceError: no device matches, or several, or it has no such channel; none of these
                if it may be missing: then it is a ``problem`` until it is there.
        """
        # None until it was there once.
        self._device: InputDevice | None = None
        try:
            self._device = find_input_device(selector)
            channels_to_open(self._device, channel)
        except SourceError:
            if not may_be_missing:
                raise
        name = self._device.name if self._device else selector
        super().__init__(f"device: {name if name != '' else 'default'}", live=True)
        self._selector = selector
        self._may_be_missing = may_be_missing
        self._channel = channel
        self._clock = clock or CaptureClock()
        self._backoff = Backoff(first_seconds=0.5, longest_seconds=5.0)
        self._queue = BlockQueue(round(QUEUE_SECONDS / BLOCK_SECONDS))
        # PortAudio's stream while one is open; only its thread touches this.
        self._stream: Any = None
        # How much audio the loop waits for; the callback's thread reads it.
        self._awaited_seconds = 0.0
        # Set from the callback's thread, read by the loop's: the stream ended by itself.
        self._ended = False
        # The next block comes after lost audio; set while no stream is open.
        self._gap = False
        # When the newest block came; None before the first of a stream.
        self._captured_at: float | None = None
        # Whether the last look in a fresh process found the device.
        self._was_seen = False

    @property
    def is_microphone(self) -> bool:
        """Whether it is not known to record what the machine plays."""
        return self._device is not None and not self.records_playback

    @property
    def records_playback(self) -> bool:
        """Whether it is known to record what this machine plays."""
        return self._device is not None and (
            self._device.is_monitor or _is_led_to_a_monitor(self._device)
        )

    async def run(self, deliver: Deliver) -> None:
        """Record until cancelled.

        Raises:
            SourceError: the device cannot be opened the first time, and may not be missing.
        """
        loop = asyncio.get_running_loop()
        news = asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(news.set)

        try:
            await self._open_first(wake)
            while True:
                self.problem = await self._record(deliver, news)
                log.debug("%s: %s", self.name, self.problem)
                await _call(self._close)
                await self._reopen(wake)
        finally:
            await self._stop()

    async def _open_first(self, wake: Callable[[], None]) -> None:
        try:
            await _call(lambda: self._open(wake))
        except SourceError as error:
            if not self._may_be_missing:
                raise
            self.problem = str(error)
            await self._reopen(wake)

    async def _record(self, deliver: Deliver, news: asyncio.Event) -> str:
        """Deliver blocks until the device is lost and return what happened to it."""
        patience_seconds = FIRST_BLOCK_SECONDS
        while True:
            news.clear()
            while (block := self._queue.take()) is not None:
                self.dropped_blocks = self._queue.dropped_blocks
                patience_seconds = STALL_SECONDS
                self.problem = None
                self._backoff.reset()
                await deliver(block)
                self._awaited_seconds = self.wanted_seconds()
            if self._ended:
                return "the input device ended the recording: unplugged, or the sound server ended"
            if portaudio.renewal_wanted:
                return "paused for a moment while another input device is reopened"
            try:
                async with asyncio.timeout(patience_seconds):
                    await news.wait()
            except TimeoutError:
                return f"the input device delivered nothing for {patience_seconds:.0f} s"

    async def _reopen(self, wake: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(self._backoff.next_seconds())
            renewed = False
            try:
                renewed = await _call(portaudio.renew)
                await _call(lambda: self._open(wake))
            except SourceError as error:
                self.problem = str(error)
                if not renewed:
                    await self._ask_for_renewal()
            else:
                self.reopens += 1
                return

    async def _ask_for_renewal(self) -> None:
        """Let the others pause if the device is back, but not in this process's list."""
        names = await asyncio.to_thread(fresh_names.get)
        is_seen = any(self._wanted_name in name.casefold() for name in names)
        # Once for each return: a device that is there and cannot be opened disturbs nobody.
        if is_seen and not self._was_seen:
            portaudio.renewal_wanted = True
        self._was_seen = is_seen

    def _open(self, wake: Callable[[], None]) -> None:
        """Find the device and record from it; runs in PortAudio's thread."""
        device = self._device = self._find(portaudio.devices())
        self._ended = False
        self._awaited_seconds = 0.0
        self._captured_at = None
        rate_hz = device.default_rate_hz

        input_age = InputAge(2 * input_latency_seconds(device))

        def callback(samples: FloatArray, n_samples: int, time: Any, status: Any) -> None:
            age_seconds = input_age.seconds(
                now=time.currentTime,
                first_sample_at=time.inputBufferAdcTime,
                block_seconds=n_samples / rate_hz,
            )
            overflowed = bool(status.input_overflow)
            waiting_seconds = self._take(
                samples.copy(), rate_hz, age_seconds=age_seconds, overflowed=overflowed
            )
            if waiting_seconds > self._awaited_seconds - _ROUNDING_SECONDS:
                wake()

        def finished() -> None:
            self._ended = True
            wake()

        n_channels = channels_to_open(device, self._channel)
        self._stream = portaudio.open(device, n_channels, callback, finished)

    @property
    def _wanted_name(self) -> str:
        """Part of the name of the device that is meant; nothing where any may be."""
        if self._selector == "":
            return ""
        if self._device is not None:
            return self._device.stable_name.casefold()
        return self._selector.casefold() if isinstance(self._selector, str) else ""

    def _find(self, devices: list[InputDevice]) -> InputDevice:
        """Find the device again: the default may be another one now, an index may not."""
        if self._device is None or self._selector == "":
            return choose_device(devices, self._selector)
        name = self._device.stable_name
        for device in devices:
            if device.index == self._device.index and device.stable_name == name:
                return device
        return choose_device(devices, name)

    def _take(
        self, samples: FloatArray, rate_hz: int, *, age_seconds: float, overflowed: bool
    ) -> float:
        """Stamp a block, hand it over and return how much waits; runs in PortAudio's callback."""
        now = self._clock() - age_seconds
        suspended = self._captured_at is not None and now - self._captured_at > SUSPENDED_SECONDS
        self._captured_at = now
        self.overruns += overflowed
        gap = self._gap or overflowed or suspended
        self._gap = False
        return self._queue.push(Block(samples, rate_hz, now, gap=gap))

    def _close(self) -> None:
        """Stop recording; runs in PortAudio's thread, after any call that opens."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            portaudio.close(stream)
            self._gap = True

    async def _stop(self) -> None:
        closing = asyncio.wrap_future(portaudio.thread.submit(self._close))
        done, _ = await asyncio.wait([closing], timeout=CLOSE_SECONDS)
        if not done:
            log.warning("the sound system does not answer; it is left as it is")
            portaudio.give_up()


def _is_led_to_a_monitor(device: InputDevice) -> bool:
    """Say whether the environment names what the sound server's one device records."""
    chosen = os.environ.get("PULSE_SOURCE", "")
    return device.name in {"pulse", "default"} and chosen.endswith(".monitor")


async def _call(call: Callable[[], Result]) -> Result:
    return await asyncio.wrap_future(portaudio.thread.submit(call))
