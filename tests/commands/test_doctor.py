import asyncio
import re

import numpy as np
import pytest
import soundfile

from rtgenre.cli import main
from rtgenre.commands import doctor
from rtgenre.commands.doctor import examine
from rtgenre.config import Config
from rtgenre.outputs.mqtt.broker import publish_once
from rtgenre.outputs.mqtt.topics import Message
from rtgenre.sources.base import NoInputDevice
from tests.broker import Broker, settings_for
from tests.signals import tone
from tests.sources_in_memory import HandSource


def config(*files):
    return Config.model_validate({"source": [{"node": "den", "input": [str(f) for f in files]}]})


@pytest.fixture
def play(tmp_path, capsys):
    """Examine a service that hears some samples; return the exit code and what was printed."""

    async def examined(samples):
        folder = tmp_path / "line [in]"
        folder.mkdir()
        path = folder / "what [is] heard.wav"
        soundfile.write(path, samples, 22050)
        return await examine(config(path)), capsys.readouterr().out

    return examined


async def test_all_is_well_with_music_and_every_word_of_it_is_printed(play):
    code, output = await play(tone(seconds=0.5))
    assert code == 0
    assert re.search(r"ok    model: crnn \S+ [0-9a-f]{8} from ", output)
    assert "ok    source den: what [is] heard.wav at 22050 Hz with 1 channel, " in output
    assert "ok    broker: none is configured ([mqtt] host), so MQTT is off" in output
    assert "fail" not in output


@pytest.fixture
def record(monkeypatch, capsys):
    """Examine a service that records some samples; return the exit code and what was printed."""

    async def examined(samples, channel="mix"):
        source = HandSource(is_microphone=True, name="device: line")
        monkeypatch.setattr(doctor, "open_source", lambda _config: source)
        monkeypatch.setattr(doctor, "_examine_model", lambda *_: None)
        source.play(samples)
        source.end()
        made = Config.model_validate({"source": [{"node": "den", "channel": channel}]})
        return await examine(made), capsys.readouterr().out

    return examined


QUIET = tone(seconds=0.5, amplitude=0.001)
CLIPPING = np.clip(tone(seconds=0.5, amplitude=2.0), -1, 1)
ONE_SIDE_ALONE = np.stack([tone(seconds=0.5), 0 * tone(seconds=0.5)], axis=1)
OPPOSITE = np.stack([tone(seconds=0.5), -tone(seconds=0.5)], axis=1)


@pytest.mark.parametrize(
    ("samples", "channel", "finding", "remedy"),
    [
        (QUIET, "mix", "very quiet", "raise the input's gain"),
        (CLIPPING, "mix", "samples clip", "lower the input's"),
        (OPPOSITE, "mix", "level -120 dBFS over 0.5 s: its channels cancel", "--channel left"),
        (ONE_SIDE_ALONE, "right", "very quiet", "raise the input's gain"),
    ],
    ids=["quiet", "clipping", "opposite", "the silent channel"],
)
async def test_an_input_that_is_heard_badly_is_a_hint_only(
    record, samples, channel, finding, remedy
):
    code, output = await record(samples, channel)
    assert code == 0
    hint, advice = output.split("hint  source den: ")[1].splitlines()[:2]
    assert finding in hint
    assert advice.startswith("      → ")
    assert remedy in advice


@pytest.mark.parametrize(
    ("samples", "channel"),
    [(ONE_SIDE_ALONE, "mix"), (ONE_SIDE_ALONE, "left"), (OPPOSITE, "right")],
    ids=["half of it", "left", "right"],
)
async def test_a_channel_that_is_heard_well_needs_no_advice(record, samples, channel):
    code, output = await record(samples, channel)
    assert code == 0
    assert "ok    source den: line at 22050 Hz with 2 channels, level " in output


async def test_a_channel_that_an_input_lacks_is_a_failure(record):
    code, output = await record(QUIET, "right")
    assert code == 1
    assert "fail  source den: line: channel 'right' was asked for; this input has 1" in output


@pytest.mark.parametrize("samples", [QUIET, CLIPPING], ids=["quiet", "clipping"])
async def test_a_file_is_not_told_to_turn_a_gain(play, samples, monkeypatch):
    monkeypatch.setattr(doctor, "_examine_model", lambda *_: None)
    code, output = await play(samples)
    assert code == 0
    assert "ok    source den: what [is] heard.wav at 22050 Hz" in output
    assert "gain" not in output


async def test_files_of_different_channels_and_rates_are_judged_by_the_first(tmp_path, capsys):
    mono, stereo = tmp_path / "mono.wav", tmp_path / "stereo.wav"
    soundfile.write(mono, tone(seconds=0.5), 22050)
    soundfile.write(stereo, np.stack([tone(seconds=0.5)] * 2, axis=1), 44100)
    assert await examine(config(mono, stereo)) == 0
    assert " at 22050 Hz with 1 channel, level " in capsys.readouterr().out


async def test_of_files_at_full_speed_no_more_than_some_seconds_are_kept(tmp_path, capsys):
    path = tmp_path / "long.wav"
    soundfile.write(path, tone(seconds=20), 22050)
    source = {"node": "den", "input": str(path), "speed": "max"}
    assert await examine(Config.model_validate({"source": [source]})) == 0
    seconds = re.search(r"over (\S+) s", capsys.readouterr().out)[1]
    assert 3 <= float(seconds) < 5


async def test_a_file_that_is_not_there_fails_under_its_whole_name(tmp_path, capsys):
    missing = tmp_path / "[red]gone[/red].wav"
    assert await examine(config(missing)) == 1
    assert f"fail  source den: no file could be used: {missing}" in capsys.readouterr().out


async def test_without_any_input_it_says_what_could_be_one(monkeypatch, capsys):
    def find_none(_config):
        raise NoInputDevice("this machine has no input device")

    monkeypatch.setattr(doctor, "open_source", find_none)
    assert await examine(config("any")) == 1
    failure, advice = capsys.readouterr().out.split("fail  source den: ")[1].splitlines()[:2]
    assert failure == "this machine has no input device"
    assert advice.startswith("      → plug one in, or name a file or a stream with --source; ")
    assert advice.endswith("a hub needs none: --hub")


async def test_a_file_of_digital_silence_is_no_failure(play):
    code, output = await play(np.zeros(11025, dtype=np.float32))
    assert code == 0
    assert "digital silence, nothing is playing" in output
    assert "fail" not in output


async def test_a_microphone_of_digital_silence_is_a_hint_and_no_failure(monkeypatch, capsys):
    source = HandSource(is_microphone=True)
    monkeypatch.setattr(doctor, "open_source", lambda _config: source)
    source.play(np.zeros(2205, dtype=np.float32))
    source.end()
    assert await examine(config("any")) == 0
    output = capsys.readouterr().out
    assert "hint  source den: hand at 22050 Hz" in output
    assert "      → unmute the input" in output


async def test_more_sources_than_the_machine_can_bear_are_a_hint_with_what_to_change(
    monkeypatch, capsys
):
    monkeypatch.setattr(doctor, "_examine_source", lambda *_: asyncio.sleep(0))
    monkeypatch.setattr(doctor, "usable_cores", lambda: 4)
    sources = [{"node": f"room{number}", "input": "music.wav"} for number in range(20_000)]
    tables = {"source": sources, "windows": {"hop_seconds": 0.25}}
    assert await examine(Config.model_validate(tables)) == 0
    output = capsys.readouterr().out
    assert re.search(r"hint  speed: a window takes \d+ ms, and 20000 sources have one", output)
    assert re.search(r"too slow: (9\d|100) % of windows skipped; set workers to 4 in \[m", output)


async def test_of_a_hub_that_passes_on_no_lessons_only_reading_is_tried(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("RTGENRE_TEACH__ENABLED", "false")
    async with Broker(tmp_path) as broker:
        settings = settings_for(broker.port)
        await publish_once(settings, [Message("rtgenre/den/status", "online", retain=True, qos=1)])
        where = ["--hub", "--mqtt-host", f"127.0.0.1:{broker.port}"]
        assert await asyncio.to_thread(main, ["doctor", *where]) == 0
    assert "ok    broker, read: of rtgenre/#" in capsys.readouterr().out


async def test_a_machine_that_only_runs_a_hub_needs_a_broker_and_no_input(
    tmp_path, monkeypatch, capsys
):
    def find_none(_config):
        raise NoInputDevice("this machine has no input device")

    monkeypatch.setattr(doctor, "open_source", find_none)
    monkeypatch.setenv("HOME", str(tmp_path))
    async with Broker(tmp_path) as broker:
        where = ["--hub", "--mqtt-host", f"127.0.0.1:{broker.port}"]
        assert await asyncio.to_thread(main, ["doctor", *where]) == 0
    output = capsys.readouterr().out
    assert "ok    broker, publish: to rtgenre/_doctor/teach/set" in output
    assert "source" not in output
    assert await asyncio.to_thread(main, ["doctor", "--hub"]) == 1
    failure, advice = capsys.readouterr().out.splitlines()
    assert failure.startswith("fail  broker: none is configured")
    assert "--mqtt-host" in advice
