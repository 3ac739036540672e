import json
from dataclasses import asdict, replace

import pytest

from rtgenre.commands import devices
from rtgenre.sources.devices import InputDevice


@pytest.fixture
def inputs(monkeypatch):
    """Let there be these devices, whatever this machine has."""

    def there_are(*found):
        monkeypatch.setattr(devices, "list_input_devices", lambda: list(found))
        monkeypatch.setattr(devices, "supported_rates_hz", lambda _device: [44100, 48000])

    return there_are


LINE_IN = InputDevice(
    index=3,
    name="Duo [USB]: Line (hw:1,0)",
    host_api="ALSA",
    n_channels=2,
    default_rate_hz=44100,
    latency_seconds=0.01,
    is_default=True,
    is_default_host_api=True,
)


def test_a_device_is_listed_by_its_whole_name_with_what_it_can_do(inputs, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    inputs(LINE_IN)
    assert devices.print_devices(as_json=False) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if "Duo" in line)
    assert " ".join(row.split()) == "* 3 Duo [USB]: Line (hw:1,0) ALSA 2 44.1 kHz (48) 10 ms"


def test_a_name_that_says_little_is_explained(inputs, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    inputs(*(replace(LINE_IN, name=name) for name in ("pulse", "default", "Duo (hw:1,0)")))
    devices.print_devices(as_json=False)
    _, pulse, default, duo, _ = capsys.readouterr().out.splitlines()
    assert "sound server (PulseAudio)" in pulse
    assert "default input" in default
    assert duo.rstrip().endswith("10 ms")


def test_in_a_narrow_terminal_index_and_name_can_still_be_read(inputs, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    inputs(replace(LINE_IN, index=12))
    devices.print_devices(as_json=False)
    assert f"12  {LINE_IN.name} " in capsys.readouterr().out


def test_the_list_as_json_has_every_field(inputs, capsys):
    inputs(LINE_IN)
    assert devices.print_devices(as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == [asdict(LINE_IN)]


@pytest.mark.parametrize("as_json", [False, True])
def test_no_device_at_all_is_a_failure_for_scripts_to_see(inputs, as_json):
    inputs()
    assert devices.print_devices(as_json=as_json) == 1
