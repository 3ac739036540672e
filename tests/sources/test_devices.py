import pytest

from rtgenre.sources.base import NoInputDevice, SourceError
from rtgenre.sources.devices import (
    InputDevice,
    channels_to_open,
    choose_device,
    explain_open_error,
)


def _device(
    index: int,
    name: str,
    host_api: str = "ALSA",
    n_channels: int = 2,
    *,
    is_default: bool = False,
    is_default_host_api: bool = True,
) -> InputDevice:
    return InputDevice(
        index, name, host_api, n_channels, 48000, 0.03, is_default, is_default_host_api
    )


DEVICES = [
    _device(0, "USB Audio: - (hw:1,0)"),
    _device(3, "USB Audio Pro"),
    _device(5, "Monitor of Speakers", is_default=True),
]


@pytest.mark.parametrize(
    ("selector", "index"),
    [(3, 3), ("0", 0), ("USB Audio Pro", 3), ("usb audio: -", 0), ("PRO", 3), ("hw:1", 0), ("", 5)],
)
def test_a_device_is_found_by_index_name_part_or_as_the_default(selector, index):
    assert choose_device(DEVICES, selector).index == index


@pytest.mark.parametrize("selector", ["Webcam", 7, "7"])
def test_an_unknown_device_is_an_error_that_lists_what_is_there(selector):
    with pytest.raises(SourceError, match=rf"{selector}.*found: 0: USB .*3: USB Audio Pro.*5: Mon"):
        choose_device(DEVICES, selector)


def test_who_looks_for_a_loopback_that_is_not_there_is_told_how_to_get_one():
    with pytest.raises(SourceError, match="to hear what is being played, "):
        choose_device(DEVICES[:2], "Monitor of HDMI")


def test_default_is_the_default_input_unless_a_device_is_called_so():
    assert choose_device(DEVICES, "default").index == 5
    assert choose_device([*DEVICES, _device(8, "default")], "default").index == 8


def test_who_names_a_stream_without_http_is_told_so():
    with pytest.raises(SourceError, match=r"write http://radio\.example:8000"):
        choose_device(DEVICES, "radio.example:8000")


def test_a_part_of_several_names_is_an_error_that_lists_those():
    with pytest.raises(SourceError, match="2 input devices match 'usb'") as caught:
        choose_device(DEVICES, "usb")
    assert "Monitor" not in str(caught.value)


def test_of_one_device_under_several_host_apis_the_default_one_is_taken():
    devices = [
        _device(1, "Microphone", "MME"),
        _device(9, "Microphone", "Windows WASAPI", is_default_host_api=False),
    ]
    assert choose_device(devices, "micro").index == 1


def test_without_a_default_input_the_error_is_of_its_own_kind():
    with pytest.raises(NoInputDevice, match="no input device"):
        choose_device([], "")
    with pytest.raises(NoInputDevice, match="found: 3: USB"):
        choose_device(DEVICES[1:2], "")


def test_the_card_number_is_no_part_of_the_stable_name():
    assert DEVICES[0].stable_name == "USB Audio: -"


@pytest.mark.parametrize(
    ("name", "is_monitor"),
    [
        ("Monitor of Built-in Audio", True),
        ("Stereo Mix (Realtek)", True),
        ("BlackHole 2ch", True),
        ("CABLE Output (VB-Audio)", True),
        ("Microphone (USB)", False),
    ],
)
def test_loopbacks_are_told_from_microphones(name, is_monitor):
    assert _device(0, name).is_monitor is is_monitor


@pytest.mark.parametrize(
    ("n_channels", "channel", "expected"),
    [(1, "mix", 1), (8, "mix", 8), (32, "mix", 2), (1, "left", 1), (2, "right", 2), (32, 9, 9)],
)
def test_as_many_channels_are_opened_as_the_choice_needs(n_channels, channel, expected):
    assert channels_to_open(_device(0, "x", n_channels=n_channels), channel) == expected


@pytest.mark.parametrize(("n_channels", "channel"), [(1, "right"), (2, 3)])
def test_a_channel_that_the_device_lacks_is_an_error_before_anything_starts(n_channels, channel):
    with pytest.raises(SourceError, match=rf"{channel}.*'x' has {n_channels} channel"):
        channels_to_open(_device(0, "x", n_channels=n_channels), channel)


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("Unanticipated host error 'Device or resource busy' [ALSA error -16]", "another program"),
        ("Device unavailable [PaErrorCode -9985]", "another program"),
        ("'Permission denied' [ALSA error -13]", "audio|Privacy"),
        ("Invalid sample rate [PaErrorCode -9997]", "48000 Hz"),
        ("Invalid number of channels [PaErrorCode -9998]", "2 channels"),
        ("Input/output error", "connected"),
    ],
)
def test_each_way_a_device_fails_to_open_says_what_to_do(message, advice):
    with pytest.raises(SourceError, match=advice):
        raise SourceError(explain_open_error(_device(0, "x"), message))
