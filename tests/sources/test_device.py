from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import soundfile

from tests.pulse import PrivatePulse

from .conftest import tone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="PulseAudio is run for it")

Event = dict[str, Any]


class Recorder:
    """A process that records, and what it says of it."""

    def __init__(self, pulse: PrivatePulse, *selectors: str) -> None:
        self.events: list[Event] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.sources.record_device", *selectors],
            env=pulse.environment | {"PYTHONPATH": "."},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in iter(self.process.stdout.readline, b""):
            with self._news:
                self.events.append(json.loads(line))
                self._news.notify_all()

    def wait_for(self, condition: Callable[[Event], bool], *, after: int = 0) -> Event:
        """Return the first such event from number ``after`` on, waiting for it."""

        def found() -> Event | None:
            return next((event for event in self.events[after:] if condition(event)), None)

        with self._news:
            assert self._news.wait_for(lambda: found() is not None, timeout=60), self.events[-9:]
            return found()

    def wait_for_tone(self, *, source: int = 0, after: int = 0) -> Event:
        def is_tone(event: Event) -> bool:
            return (
                event["event"] == "heard"
                and event["source"] == source
                and abs(event["frequency_hz"] - 440) < 3
                and event["level"] > 0.1
            )

        return self.wait_for(is_tone, after=after)

    def stop(self) -> int:
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self.process.wait(timeout=60)
        self._thread.join(timeout=10)
        return self.process.returncode

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._thread.join(timeout=10)
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def pulse() -> Iterator[PrivatePulse]:
    server = PrivatePulse()
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def long_tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tone") / "a440.wav"
    soundfile.write(path, tone(120.0), 44100)
    return path


@contextlib.contextmanager
def recording(pulse: PrivatePulse, *selectors: str) -> Iterator[Recorder]:
    recorder = Recorder(pulse, *selectors)
    try:
        yield recorder
    finally:
        recorder.end()


@contextlib.contextmanager
def playing(pulse: PrivatePulse, path: Path) -> Iterator[None]:
    player = pulse.play(path)
    try:
        yield
    finally:
        player.kill()
        player.wait()


def _is_problem(event: Event) -> bool:
    return event["event"] == "problem" and event["problem"] is not None


def _is_recovery(event: Event) -> bool:
    return event["event"] == "problem" and event["problem"] is None


def test_what_is_played_into_the_sound_system_is_recorded_through_portaudio(pulse, long_tone):
    with recording(pulse, "") as recorder, playing(pulse, long_tone):
        heard = recorder.wait_for_tone()
        assert heard["channels"] == 2
        assert abs(heard["age_seconds"]) < 5
        assert recorder.stop() == 0
        assert recorder.events[0]["names"] == ["device: default"]
        assert recorder.events[-1]["event"] == "stopped"


def test_a_chosen_channel_holds_nothing_of_the_other_one(pulse, tmp_path):
    right_alone = tone(60.0)
    right_alone[:, 0] = 0
    path = tmp_path / "right.wav"
    soundfile.write(path, right_alone, 44100)
    with recording(pulse, "default/right", "default/left") as recorder, playing(pulse, path):
        recorder.wait_for_tone()
        heard = len(recorder.events)
        left = recorder.wait_for(lambda event: event.get("source") == 1, after=heard)
        assert left["event"] == "heard"
        assert left["level"] < 0.001


def test_a_sink_that_is_unloaded_is_noticed_and_its_return_too(pulse, long_tone):
    with recording(pulse, "default") as recorder:
        with playing(pulse, long_tone):
            recorder.wait_for_tone()
            lost_at = len(recorder.events)
            unloaded = time.monotonic()
            pulse.unload_sink()
            recorder.wait_for(_is_problem, after=lost_at)
            assert time.monotonic() - unloaded < 5
        pulse.load_sink()
        with playing(pulse, long_tone):
            recorder.wait_for(_is_recovery, after=lost_at)
            recorder.wait_for_tone(after=lost_at)
        gaps = [event for event in recorder.events if event["event"] == "gap"]
        assert len(gaps) == 1
        assert recorder.stop() == 0


def test_a_device_that_comes_back_at_another_rate_keeps_its_pitch(pulse, long_tone):
    with recording(pulse, "") as recorder:
        with playing(pulse, long_tone):
            recorder.wait_for_tone()
            lost_at = len(recorder.events)
            pulse.unload_sink()
            recorder.wait_for(_is_problem, after=lost_at)
        for rate_hz in (48000, 96000):
            pulse.load_sink(rate_hz=rate_hz)
            assert pulse.sink_rate_hz() == rate_hz
            with playing(pulse, long_tone):
                recorder.wait_for(_is_recovery, after=lost_at)
                recorder.wait_for_tone(after=lost_at)
                lost_at = len(recorder.events)
                pulse.unload_sink()
                recorder.wait_for(_is_problem, after=lost_at)
        assert recorder.stop() == 0


def test_a_sound_server_that_is_killed_and_started_again_is_heard_again(pulse, long_tone):
    with recording(pulse, "") as recorder:
        with playing(pulse, long_tone):
            recorder.wait_for_tone()
            lost_at = len(recorder.events)
            killed = time.monotonic()
            pulse.kill()
            recorder.wait_for(_is_problem, after=lost_at)
            assert time.monotonic() - killed < 5
        recorder.wait_for(
            lambda event: _is_problem(event) and "no input device" in event["problem"],
            after=lost_at,
        )
        pulse.start()
        with playing(pulse, long_tone):
            recovery = recorder.wait_for(_is_recovery, after=lost_at)
            recorder.wait_for_tone(after=lost_at)
        assert recovery["reopens"] == 1
        assert recorder.stop() == 0


def test_a_sound_server_that_hangs_is_noticed_and_does_not_keep_the_process(pulse, long_tone):
    with recording(pulse, "") as recorder, playing(pulse, long_tone):
        recorder.wait_for_tone()
        lost_at = len(recorder.events)
        hung = time.monotonic()
        pulse.stop_answering()
        problem = recorder.wait_for(_is_problem, after=lost_at)
        assert time.monotonic() - hung < 5
        assert problem["problem"] == "the input device delivered nothing for 3 s"
        assert recorder.stop() == 0


@pytest.fixture
def kitchen(pulse) -> Iterator[PrivatePulse]:
    """A second sound server, an ALSA device of that name to the first one's clients."""
    server = PrivatePulse()
    server.start()
    pulse.add_alsa_device("kitchen", server)
    yield server
    server.remove()


def test_a_device_that_comes_back_disturbs_no_other_that_is_recording(pulse, kitchen, long_tone):
    with recording(pulse, "default", "kitchen") as recorder, playing(pulse, long_tone):
        with playing(kitchen, long_tone):
            recorder.wait_for_tone(source=0)
            recorder.wait_for_tone(source=1)
        lost_at = len(recorder.events)
        kitchen.kill()
        recorder.wait_for(lambda event: _is_problem(event) and event["source"] == 1)
        kitchen.start()
        with playing(kitchen, long_tone):
            recorder.wait_for_tone(source=1, after=lost_at)
        recorder.wait_for_tone(source=0, after=len(recorder.events))
        assert recorder.stop() == 0
    of_default = [event["event"] for event in recorder.events if event.get("source") == 0]
    assert set(of_default) == {"heard"}


def test_a_device_that_is_missing_at_the_start_is_recorded_when_it_comes(pulse, kitchen, long_tone):
    kitchen.kill()
    with recording(pulse, "default", "?kitchen") as recorder, playing(pulse, long_tone):
        recorder.wait_for(lambda event: _is_problem(event) and event["source"] == 1)
        recorder.wait_for_tone(source=0)
        kitchen.start()
        with playing(kitchen, long_tone):
            recorder.wait_for_tone(source=1)
        assert recorder.stop() == 0


def test_a_device_missing_from_the_list_is_found_though_another_is_recording(
    pulse, kitchen, long_tone
):
    with recording(pulse, "default", "kitchen") as recorder:
        recorder.wait_for(lambda event: event["event"] == "heard" and event["source"] == 0)
        recorder.wait_for(lambda event: event["event"] == "heard" and event["source"] == 1)
        lost_at = len(recorder.events)
        pulse.kill()
        kitchen.kill()
        for source in (0, 1):
            # Only a list that was renewed says so.
            recorder.wait_for(
                lambda event, source=source: (
                    _is_problem(event)
                    and event["source"] == source
                    and "no input device" in event["problem"]
                ),
                after=lost_at,
            )
        pulse.start()
        with playing(pulse, long_tone):
            recorder.wait_for_tone(source=0, after=lost_at)
            kitchen.start()
            with playing(kitchen, long_tone):
                recorder.wait_for_tone(source=1, after=lost_at)
                recorder.wait_for_tone(source=0, after=len(recorder.events))
        assert recorder.stop() == 0


_DEVICES = """
import json
from dataclasses import asdict
from rtgenre.sources.portaudio import list_input_devices, supported_rates_hz
print(json.dumps([asdict(d) | {"rates_hz": supported_rates_hz(d)} for d in list_input_devices()]))
"""


def test_devices_are_listed_with_their_rates_and_the_default_marked(pulse):
    command = [sys.executable, "-c", _DEVICES]
    listed = subprocess.run(
        command, env=pulse.environment, check=True, capture_output=True, timeout=60
    )
    devices = {device["name"]: device for device in json.loads(listed.stdout)}
    assert [name for name, device in devices.items() if device["is_default"]] == ["default"]
    assert devices["pulse"]["host_api"] == "ALSA"
    assert devices["pulse"]["default_rate_hz"] in devices["pulse"]["rates_hz"]
    assert {44100, 48000} <= set(devices["default"]["rates_hz"])
    assert devices["default"]["n_channels"] >= 2


def test_an_unknown_device_is_an_error_that_lists_those_there_are(pulse):
    with recording(pulse, "Webcam") as recorder:
        error = recorder.wait_for(lambda event: event["event"] == "error")
    assert "no input device matches 'Webcam'; found: " in error["message"]
    assert "default (ALSA)" in error["message"]


def test_a_sound_server_without_any_source_is_an_error_that_says_what_to_do(pulse):
    pulse.unload_sink()
    with recording(pulse, "default") as recorder:
        error = recorder.wait_for(lambda event: event["event"] == "error")
    assert "the input device 'default' cannot be opened" in error["message"]
    assert "rtgenre devices" in error["message"]


def test_files_and_streams_work_without_portaudio():
    program = (
        "import sys\n"
        "sys.modules['sounddevice'] = None\n"
        "import rtgenre.sources.open\n"
        "assert 'sounddevice' not in [name for name, m in sys.modules.items() if m]\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_missing_portaudio_is_an_error_that_says_how_to_get_it():
    program = (
        "import ctypes.util, os\n"
        "ctypes.util.find_library = lambda name: None\n"
        "from rtgenre.sources.device import DeviceSource\n"
        "from rtgenre.sources.portaudio import list_input_devices\n"
        "for attempt in (list_input_devices, DeviceSource):\n"
        "    try: attempt()\n"
        "    except Exception as error: print(type(error).__name__, error)\n"
    )
    command = [sys.executable, "-c", program]
    output = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.decode()
    first, second = output.splitlines()
    assert first.startswith("SourceError PortAudio is missing")
    assert second.startswith("NoInputDevice PortAudio is missing")
    assert "apt install libportaudio2" in first
