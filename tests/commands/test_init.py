"""`rtgenre init`, asked in a terminal of its own or not at all."""

import os
import pty
import re
import resource
import select
import stat
import sys
import time
from pathlib import Path

import pytest

from rtgenre.cli import main
from rtgenre.commands import questions
from rtgenre.config import load_config
from rtgenre.sources.devices import InputDevice

PROGRAM = [sys.executable, "-m", "rtgenre", "init"]
ANSWER_SECONDS = 60
QUESTION = re.compile(rb"[:\]] $")


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Name a settings file that is not there yet."""
    for name in [name for name in os.environ if name.startswith("RTGENRE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home" / "config.toml"


def talk(*arguments, answers, largest_file_bytes=resource.RLIM_INFINITY):
    """Answer one question after the other in a terminal; return what it showed and the code."""
    pid, terminal = pty.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file_bytes, largest_file_bytes))
        os.execv(PROGRAM[0], [*PROGRAM, *map(str, arguments)])
    shown, waiting = b"", [answer.encode() + b"\n" for answer in answers]
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            news = os.read(terminal, 4096)
        except OSError:  # it has ended
            break
        shown += news
        if waiting and QUESTION.search(shown):
            shown += b"\0"
            os.write(terminal, waiting.pop(0))
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert not waiting, shown.decode()
    return shown.replace(b"\0", b"").decode(), code


def test_what_is_answered_is_what_the_settings_say(settings, tmp_path):
    (tmp_path / "song.wav").touch()
    answers = [
        *("99", "nowhere.wav", "song.wav", "Wohnzimmer Süd", "broker:99999", "broker:1884"),
        *("me", "a secret", "y"),
    ]
    shown, code = talk("--config", settings, answers=answers)
    assert code == 0, shown
    assert "there is no 99" in shown
    assert f"there is no {tmp_path / 'nowhere.wav'}" in shown
    assert "port = 99999" in shown
    assert "a secret" not in shown
    config = load_config(settings)
    (source,) = config.source
    assert source.input == str(tmp_path / "song.wav")
    assert (source.node, source.name) == ("wohnzimmer-sud", "Wohnzimmer Süd")
    assert (config.mqtt.host, config.mqtt.port) == ("broker", 1884)
    assert config.mqtt.username == "me"
    assert config.mqtt.password.get_secret_value() == "a secret"
    assert config.websocket.host == "0.0.0.0"
    assert f"#token={config.websocket.token.get_secret_value()}" in shown
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600


def test_a_file_that_is_there_is_replaced_after_a_yes_alone_and_kept_even_then(settings):
    settings.parent.mkdir()
    settings.write_text("old")
    shown, code = talk("--config", settings, answers=[""])
    assert code == 0, shown
    assert settings.read_text() == "old"
    shown, code = talk("--config", settings, answers=["y", "1", "den", "", ""])
    assert code == 0, shown
    assert load_config(settings).source[0].node == "den"
    assert settings.with_name("config.toml.old1").read_text() == "old"


def test_settings_stay_in_their_place_when_there_is_no_room_for_new_ones(settings):
    settings.parent.mkdir()
    settings.write_text("old")
    answers = ["y", "1", "den", "", ""]
    shown, code = talk("--config", settings, answers=answers, largest_file_bytes=4096)
    assert code == 1, shown
    assert "cannot be written: File too large" in shown
    assert settings.read_text() == "old"
    assert list(settings.parent.iterdir()) == [settings]


def test_leaving_in_the_middle_writes_nothing(settings):
    shown, code = talk("--config", settings, answers=["1", "\x04"])
    assert code == 1
    assert "nothing was written" in shown
    assert not settings.exists()


def run(*arguments):
    """Run it as where standard input is no terminal, which pytest's is not."""
    return main(["init", *map(str, arguments)])


def test_without_a_terminal_flags_and_defaults_are_taken_and_nothing_is_overwritten(
    settings, capsys
):
    flags = ["--name", "Küche", "--mqtt-host", "broker:1884", "--source", "USB"]
    assert run("--config", settings, *flags) == 0
    assert f"rtgenre run --config {settings}" in capsys.readouterr().out
    config = load_config(settings)
    assert (config.source[0].node, config.source[0].shown_name) == ("kuche", "Küche")
    assert config.source[0].input == "USB"
    assert (config.mqtt.host, config.mqtt.port) == ("broker", 1884)
    before = settings.read_text()
    for more in ([], ["--yes"]):
        assert run("--config", settings, *more) == 2
        assert f"{settings} exists and stays as it is" in capsys.readouterr().err
    assert settings.read_text() == before
    assert list(settings.parent.iterdir()) == [settings]


def test_settings_go_where_they_are_read_from_any_folder(settings, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    Path("rtgenre.toml").write_text("[mqtt]\n")
    assert run("--yes", "--node", "den") == 0
    assert load_config(tmp_path / "rtgenre" / "config.toml").source[0].node == "den"
    assert "in this folder rtgenre.toml is read in its place" in capsys.readouterr().out


def test_wrong_flags_are_refused_before_anything_is_asked_or_written(settings, capsys):
    assert run("--config", settings, "--node", "a/b") == 2
    assert "a node name has" in capsys.readouterr().err
    assert not settings.exists()


def test_a_name_that_is_not_utf_8_is_said_in_one_line_and_leaves_nothing_behind(settings, capsys):
    assert main(["init", "--yes", "--config", str(settings), "--source", "\udcff.flac"]) == 1
    told = capsys.readouterr().err
    assert "a settings file holds UTF-8" in told
    assert told.count("\n") == 1
    assert not settings.parent.exists()


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert run("--config", tmp_path / "file" / "config.toml") == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "cannot be written" in err


# ---- devices ---------------------------------------------------------------------------------


def device(index, name, default_index=4):
    return InputDevice(
        index=index,
        name=name,
        host_api="ALSA",
        n_channels=2,
        default_rate_hz=48000,
        latency_seconds=0.01,
        is_default=index == default_index,
        is_default_host_api=True,
    )


DEVICES = [
    device(4, "USB Audio: - (hw:1,0)"),
    device(5, "Duo (hw:2,0)"),
    device(6, "Duo (hw:3,0)"),
    device(7, "Monitor of HDMI"),
]


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [
        ("", ""),
        ("1", ""),
        ("2", "USB Audio: -"),  # the card's number changes from boot to boot
        ("4", "Duo (hw:3,0)"),  # but here it alone tells which
    ],
)
def test_a_device_is_chosen_by_a_name_that_is_its_own(answer, chosen, monkeypatch, capsys):
    monkeypatch.setattr(questions, "list_input_devices", lambda: DEVICES)
    monkeypatch.setattr("builtins.input", lambda _prompt: answer)
    assert questions.ask_for_input() == chosen
    assert "5  Monitor of HDMI  (what this machine plays)" in capsys.readouterr().out


def test_a_home_that_nobody_has_is_said_and_asked_for_again(monkeypatch, capsys):
    monkeypatch.setattr(questions, "list_input_devices", list)
    answers = iter(["~nobody-of-that-name/song.flac", "a" * 300 + ".flac", "1"])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    assert questions.ask_for_input() == ""
    assert capsys.readouterr().out.count("cannot be looked for") == 2


def test_the_default_input_is_offered_once(monkeypatch, capsys):
    devices = [device(0, "pulse", 1), device(1, "default", 1)]
    monkeypatch.setattr(questions, "list_input_devices", lambda: devices)
    monkeypatch.setattr("builtins.input", lambda _prompt: "2")
    assert questions.ask_for_input() == "pulse"
    assert capsys.readouterr().out.count("default input") == 1


def test_a_name_in_another_script_gets_a_node_too_and_one_that_is_too_long_none(settings, capsys):
    assert run("--config", settings, "--name", "東京") == 0
    (source,) = load_config(settings).source
    assert source.name == "東京"
    assert re.fullmatch(r"[\w-]+", source.node, re.ASCII)
    assert run("--config", settings.with_name("other"), "--name", "東" * 65) == 2
    assert "at most 64 characters" in capsys.readouterr().err
    assert not settings.with_name("other").exists()
