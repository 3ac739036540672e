"""What DeviceSource makes of the audio callback's blocks; test_device.py records for real."""

import dataclasses
import types

import numpy as np
import pytest

from rtgenre.sources import device, portaudio
from rtgenre.sources.backoff import Backoff
from rtgenre.sources.base import SourceError
from rtgenre.sources.device import DeviceSource
from rtgenre.sources.devices import InputDevice
from rtgenre.sources.portaudio import FreshNames, PortAudio

from .conftest import Heard, eventually, running

SAMPLES = np.zeros((960, 2), np.float32)


class HandClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return HandClock()


MICROPHONE = InputDevice(
    index=4,
    name="USB Mic: - (hw:1,0)",
    host_api="ALSA",
    n_channels=2,
    default_rate_hz=48000,
    latency_seconds=0.03,
    is_default=True,
    is_default_host_api=True,
)


@pytest.fixture
def source(monkeypatch, clock):
    monkeypatch.setattr(device, "find_input_device", lambda _selector: MICROPHONE)
    return DeviceSource("USB", clock=clock)


def _take(source, clock, *, seconds=0.02, age_seconds=0.0, overflowed=False):
    clock.now += seconds
    source._take(SAMPLES, 48000, age_seconds=age_seconds, overflowed=overflowed)


def _gaps(source):
    return [block.gap for block in source._queue._blocks]


def test_blocks_carry_the_devices_rate_and_the_time_they_were_heard(source, clock):
    _take(source, clock)
    block = source._queue.take()
    assert (block.sample_rate_hz, block.captured_at, block.gap) == (48000, 1000.02, False)


def test_what_the_sound_system_held_back_counts_as_latency(source, clock):
    _take(source, clock, age_seconds=0.015)
    assert source._queue.take().captured_at == pytest.approx(1000.005)


def test_a_monitor_of_what_is_played_is_no_microphone(monkeypatch, clock, source):
    assert source.is_microphone
    monitor = dataclasses.replace(MICROPHONE, name="Monitor of Built-in Audio")
    monkeypatch.setattr(device, "find_input_device", lambda _selector: monitor)
    assert not DeviceSource("USB", clock=clock).is_microphone
    assert DeviceSource("USB", clock=clock).records_playback


@pytest.mark.parametrize(
    ("name", "chosen", "records_playback"),
    [
        ("pulse", "alsa_output.pci.analog-stereo.monitor", True),
        ("pulse", "alsa_input.usb.mono", False),
        ("pulse", None, False),
        ("USB Audio", "alsa_output.pci.analog-stereo.monitor", False),
    ],
)
def test_a_sound_server_that_is_led_to_a_monitor_records_what_is_played(
    monkeypatch, clock, name, chosen, records_playback
):
    device_of_it = dataclasses.replace(MICROPHONE, name=name)
    monkeypatch.setattr(device, "find_input_device", lambda _selector: device_of_it)
    monkeypatch.delenv("PULSE_SOURCE", raising=False)
    if chosen is not None:
        monkeypatch.setenv("PULSE_SOURCE", chosen)
    assert DeviceSource(name, clock=clock).records_playback is records_playback
    assert DeviceSource(name, clock=clock).is_microphone is not records_playback


def test_an_overflow_is_counted_and_breaks_the_windows(source, clock):
    for overflowed in (False, True, False):
        _take(source, clock, overflowed=overflowed)
    assert source.overruns == 1
    assert _gaps(source) == [False, True, False]


def test_audio_from_before_and_after_a_suspended_machine_is_not_spliced(source, clock):
    for seconds in (0.02, 0.02, 3600.0, 0.02):
        _take(source, clock, seconds=seconds)
    assert _gaps(source) == [False, False, True, False]


def test_a_pipeline_that_takes_nothing_costs_bounded_memory_and_one_gap(source, clock):
    for _ in range(1000):
        _take(source, clock)
    assert source._queue.dropped_blocks == 900
    assert _gaps(source) == [True] + [False] * 99


def test_after_a_replug_the_device_is_found_under_its_name_and_new_number(source):
    def listed(index, name):
        return InputDevice(index, name, "ALSA", 2, 48000, 0.03, False, True)

    renumbered = [listed(4, "Webcam: - (hw:1,0)"), listed(6, "USB Mic: - (hw:2,0)")]
    assert source._find(renumbered).index == 6
    twins = [listed(3, "USB Mic: - (hw:3,0)"), listed(4, "USB Mic: - (hw:1,0)")]
    assert source._find(twins).index == 4


class Library:
    """Stands for sounddevice: one input device, whose streams never start."""

    class PortAudioError(Exception):
        pass

    def __init__(self, devices):
        self.devices = devices
        self.open_streams = 0
        self.initialised = 0
        self.default = types.SimpleNamespace(device=(-1, -1))

    def query_hostapis(self):
        return [{"name": "ALSA"}]

    def query_devices(self):
        return self.devices

    def _terminate(self):
        pass

    def _initialize(self):
        self.initialised += 1

    def InputStream(self, **_settings):
        self.open_streams += 1
        return self

    def start(self):
        raise self.PortAudioError("Device unavailable")

    def close(self, ignore_errors=False):
        self.open_streams -= 1


@pytest.fixture
def library(monkeypatch):
    fake = Library([])
    monkeypatch.setattr(PortAudio, "library", lambda _self: fake)
    return fake


def test_a_stream_that_does_not_start_is_closed(library):
    with pytest.raises(SourceError, match="another program is using it"):
        PortAudio().open(MICROPHONE, 2, None, None)
    assert library.open_streams == 0


async def test_a_lone_microphone_that_is_missing_is_looked_for_without_processes(
    library, monkeypatch
):
    monkeypatch.setattr(device, "Backoff", lambda **_: Backoff(0.01, 0.01))
    monkeypatch.setattr(portaudio, "_look_in_a_fresh_process", lambda: pytest.fail("a process"))
    source = DeviceSource("USB", may_be_missing=True)
    assert source.name == "device: USB"
    async with running(source, Heard()) as task:
        await eventually(lambda: library.initialised > 3 or task.done())
        assert source.problem == "no input device matches 'USB'; no input device was found at all"


def test_all_sources_that_lost_their_device_look_in_one_process(monkeypatch):
    looks = []
    monkeypatch.setattr(portaudio, "_look_in_a_fresh_process", lambda: looks.append(1) or ["USB"])
    names = FreshNames(look_seconds=60.0)
    assert names.get() == names.get() == ["USB"]
    assert len(looks) == 1


def test_the_event_loop_is_woken_only_when_as_much_has_come_as_is_wanted(source, monkeypatch):
    opened, wakes = {}, []

    def open_stream(_device, _n_channels, callback, _finished):
        opened["callback"] = callback

    monkeypatch.setattr(device.portaudio, "open", open_stream)
    monkeypatch.setattr(device.portaudio, "devices", lambda: [MICROPHONE])
    source._open(lambda: wakes.append(1))
    times = types.SimpleNamespace(currentTime=0.0, inputBufferAdcTime=0.0)
    status = types.SimpleNamespace(input_overflow=False)

    def record(n_blocks):
        for _ in range(n_blocks):
            opened["callback"](SAMPLES, len(SAMPLES), times, status)
        n_wakes, wakes[:] = len(wakes), []
        return n_wakes

    assert record(1) == 1  # whatever comes first
    source._queue.take()
    source._awaited_seconds = 0.5
    assert record(24) == 0
    assert record(1) == 1
    assert len(source._queue.take().samples) == 24_000
