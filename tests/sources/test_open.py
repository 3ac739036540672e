import json
import os
import subprocess
import sys

import pytest

from rtgenre.config import SourceConfig
from rtgenre.sources.base import SourceError
from rtgenre.sources.file import FileSource
from rtgenre.sources.named_pipe import NamedPipeSource
from rtgenre.sources.open import open_source
from rtgenre.sources.pipe import PipeSource
from rtgenre.sources.stream import StreamSource

from .conftest import Heard


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("-", PipeSource),
        (("-",), PipeSource),
        ("https://radio.example/live", StreamSource),
        ("rtsp://camera.example/1", StreamSource),
        ("song.mp3", FileSource),
        ("party.M3U", FileSource),
        ("Music/anything", FileSource),
        (("a.wav", "b"), FileSource),
    ],
)
def test_an_input_is_taken_for_what_it_looks_like(given, kind):
    assert type(open_source(SourceConfig(input=given))) is kind


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
def test_a_named_pipe_is_read_as_raw_pcm(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("kitchen")
    for given in ("kitchen", str(tmp_path / "kitchen"), ("kitchen",)):
        source = open_source(SourceConfig(input=given))
        assert (type(source), source.name) == (NamedPipeSource, "pipe: kitchen")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
@pytest.mark.parametrize("given", ["pipe:~/kitchen", "pipe:///srv/kitchen", "pipe:kitchen"])
def test_a_named_pipe_that_is_called_one_may_come_later(given):
    source = open_source(SourceConfig(input=given))
    assert (type(source), source.name) == (NamedPipeSource, "pipe: kitchen")


def test_a_path_that_exists_is_a_file_whatever_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recording").touch()
    assert open_source(SourceConfig(input="recording")).name == "file: recording"


@pytest.mark.parametrize(
    "given",
    [("a.wav", "-"), ("a.wav", "http://u:p@host/x"), ("a.wav", "pipe:b"), ()],
)
def test_a_list_may_hold_files_only(given):
    with pytest.raises(SourceError, match="list of files") as caught:
        open_source(SourceConfig(input=given))
    assert "u:p" not in str(caught.value)


def test_an_empty_name_among_files_is_not_the_current_folder():
    with pytest.raises(SourceError, match=r"an empty name is in a list of files"):
        open_source(SourceConfig(input=("", "a.wav")))


@pytest.mark.parametrize("given", ["~/song.wav", ("~/song.wav", "~nobody-of-that-name/b.wav")])
async def test_a_tilde_in_the_settings_is_the_users_home(given, tone_wav, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "song.wav").write_bytes(tone_wav.read_bytes())
    source = open_source(SourceConfig(input=given, speed="max"))
    heard = Heard()
    await source.run(heard)
    assert heard.n_samples > 0
    assert all("nobody-of-that-name" in failure for failure in source.failures)


@pytest.mark.parametrize("given", ["x" * 5000, "nul\0byte.wav", "~nul\0byte/a.wav"])
async def test_absurd_names_are_errors_not_crashes(given):
    source = open_source(SourceConfig(input=(given, "missing.wav"), speed="max"))
    with pytest.raises(SourceError, match="no file could be used"):
        await source.run(Heard())


def test_settings_reach_the_source(tone_wav):
    assert open_source(SourceConfig(input=str(tone_wav), speed="max")).live is False
    assert open_source(SourceConfig(input=str(tone_wav))).live is True


_OPEN = """
import json, sys
from rtgenre.config import SourceConfig
from rtgenre.sources.open import open_source
try:
    print(json.dumps(open_source(SourceConfig(input=json.loads(sys.argv[1]))).name))
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""


@pytest.mark.parametrize(
    ("given", "error"),
    [("", "NoInputDevice"), (0, "SourceError"), ("7", "SourceError"), ("USB", "SourceError")],
)
@pytest.mark.skipif(sys.platform != "linux", reason="ALSA is told that there is no sound card")
def test_without_any_device_the_default_is_an_error_of_its_own_kind(tmp_path, given, error):
    config = tmp_path / "asound.conf"
    config.write_text("pcm.nothing { type hw card 99 }")
    environment = os.environ | {"ALSA_CONFIG_PATH": str(config), "HOME": str(tmp_path)}
    command = [sys.executable, "-c", _OPEN, json.dumps(given)]
    output = subprocess.run(
        command, env=environment, capture_output=True, check=True, timeout=60
    ).stdout
    kind, message = json.loads(output)
    assert kind == error
    assert "no input device" in message
