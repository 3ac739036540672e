"""The command line as a user runs it: in a process of its own."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtgenre import __version__
from rtgenre.cli import main
from rtgenre.demo import DEMO_RECORDING
from tests.rights import not_root
from tests.signals import music

LABELS = {
    "blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock",
}  # fmt: skip

NO_HISTORY = {"RTGENRE_HISTORY__ENABLED": "false"}


def start(*arguments, **kwargs):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RTGENRE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "rtgenre", *map(str, arguments)],
        stdin=kwargs.pop("stdin", subprocess.DEVNULL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment | NO_HISTORY | kwargs.pop("environment", {}),
        **kwargs,
    )


def run(*arguments, **kwargs):
    data = kwargs.pop("input", None)
    process = start(*arguments, **kwargs, **({"stdin": subprocess.PIPE} if data else {}))
    out, err = process.communicate(data, timeout=100)
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, music(9.0), 22050)
    return path


def test_help_shows_examples_and_the_version_is_the_packages():
    code, out, _ = run("--help")
    assert code == 0
    for word in ("run", "devices", "classify", "doctor", "bench", "examples:", "rtgenre run -"):
        assert word in out
    assert run("--version")[1].strip() == f"rtgenre {__version__}"


COMMANDS = [
    ["run"],
    ["devices"],
    ["classify"],
    ["history"],
    ["doctor"],
    ["bench"],
    ["config", "check"],
    ["config", "show"],
    ["mqtt", "remove-discovery"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_help_of_a_command_shows_its_own_examples_alone(command, capsys):
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    examples = capsys.readouterr().out.partition("examples:\n")[2].strip().splitlines()
    assert examples
    own = "rtgenre " + " ".join(command)
    assert [line for line in examples if own not in line] == []


def test_help_names_the_values_of_flags_for_people():
    _, out, _ = run("run", "--help")
    assert "--port PORT" in out
    assert "setting:" not in out.lower()


def test_a_file_is_played_through_and_ends_the_service_with_0(song):
    code, out, err = run("run", song, "--speed", "max", "--json", "--port", "0")
    assert code == 0, err
    documents = [json.loads(line) for line in out.splitlines()]
    assert [d["window_end_seconds"] for d in documents] == [4.0, 6.0, 8.0]
    assert set(documents[0]["probabilities"]) == LABELS
    assert documents[0]["source"] == "file: song.wav"


def test_one_missing_input_of_several_is_waited_for_while_the_others_play(song, tmp_path):
    missing = tmp_path / "later.wav"
    rooms = tmp_path / "rooms.toml"
    rooms.write_text(
        f"[[source]]\nnode = 'here'\ninput = '{song}'\nloop = true\n"
        f"[[source]]\nnode = 'later'\ninput = '{missing}'\n"
    )
    process = start("run", "--config", rooms, "--json", "--port", "0", "--hop-seconds", "0.5")
    nodes = []
    for line in process.stdout:
        nodes.append(json.loads(line)["node"])
        if len(nodes) == 3:
            assert set(nodes) == {"here"}
            song.with_name("copy.wav").write_bytes(song.read_bytes())
            song.with_name("copy.wav").rename(missing)
        if nodes[-1] == "later":
            break
    process.terminate()
    _, err = process.communicate(timeout=60)
    # Whoever stops a service is told of no failure, though an input was missing for a while.
    assert process.returncode == 0
    assert f"later: no file could be used: {missing}: there is no such file" in err.decode()


def test_raw_pcm_on_standard_input_is_heard():
    pcm = (np.repeat(music(5.0, 44100)[:, None], 2, axis=1) * 32767).astype("<i2").tobytes()
    code, out, err = run("run", "-", "--json", "--port", "0", input=pcm)
    assert code == 0, err
    (document,) = map(json.loads, out.splitlines())
    assert document["window_end_seconds"] == 4.0
    assert document["level_dbfs"] > -60


def test_a_bad_file_does_not_stop_the_others_but_shows_in_the_exit_code(song, tmp_path):
    empty = tmp_path / "empty.wav"
    empty.touch()
    code, out, err = run("run", empty, song, "--speed", "max", "--json", "--port", "0")
    assert code == 1
    assert len(out.splitlines()) == 3
    assert "empty.wav: the file is empty" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "nowhere.wav", "--port", "0"], 1, "nowhere.wav: there is no such file"),
        (["run", "--hop-seconds", "9"], 2, "[windows] hop_seconds = '9' (command line)"),
        (["run", "--model", "nowhere"], 1, "; models: "),
        (["run", "--config", "nowhere.toml"], 2, "nowhere.toml cannot be read"),
        (["run", "a.wav", "--source", "b.wav"], 2, "both --source b.wav and a.wav"),
        (["run", DEMO_RECORDING, "--channel", "3", "--port", "0"], 1, "this input has 2 channels"),
        (["run", DEMO_RECORDING, "--host", "0.0.0.0"], 2, "token"),
        (["classify", "nowhere.wav"], 1, "nowhere.wav: there is no such file"),
    ],
)
def test_a_mistake_is_one_clear_line_and_no_traceback(arguments, code, message, tmp_path):
    found_code, _, err = run(*arguments, cwd=tmp_path, environment={"PYTHONPATH": str(Path.cwd())})
    assert found_code == code, err
    assert message in err
    assert "Traceback" not in err


def test_a_broker_can_be_given_by_flags():
    flags = ["--mqtt-host", "broker", "--mqtt-port", "1884", "--mqtt-username", "me"]
    code, out, err = run("config", "show", *flags)
    assert code == 0, err
    for line in ('host = "broker"', "port = 1884", 'username = "me"'):
        assert line in out


def test_a_port_in_use_says_which_and_what_to_do(song):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = run("run", song, "--port", port)
    assert code == 1
    assert f"port {port}" in err
    assert "--port" in err
    assert "Traceback" not in err


def test_a_history_that_cannot_be_written_is_said_once_and_stops_nothing(song, tmp_path):
    (tmp_path / "file").touch()
    environment = {
        "RTGENRE_HISTORY__ENABLED": "true",
        "RTGENRE_HISTORY__FILE": str(tmp_path / "file" / "history.db"),
    }
    code, out, err = run("run", song, "--json", "--port", "0", environment=environment)
    assert code == 0, err
    assert len(out.splitlines()) == 3
    told = [line for line in err.splitlines() if "history.db cannot be used" in line]
    assert len([line for line in told if "are lost" not in line]) <= 1 <= len(told)
    assert "Traceback" not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (["classify"], ["the output is incomplete: No space left on device"]),
        (
            ["run", "--port", "0", "--json", "--speed", "max"],
            [
                "standard output cannot be written: No space left on device; lines are missing",
                "the output is incomplete: No space left on device",
            ],
        ),
    ],
)
def test_a_full_disk_under_the_output_is_said_once_and_ends_nothing_early(
    song, arguments, messages
):
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "rtgenre", *arguments, song],
            check=False,
            env=os.environ | NO_HISTORY,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=100,
        )
    assert process.returncode == 1
    found = [line for line in process.stderr.splitlines() if line and "INFO" not in line]
    assert len(found) == len(messages), process.stderr
    assert all(line.endswith(m) for line, m in zip(found, messages, strict=True))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_being_asked_to_stop_is_a_clean_end(number):
    process = start("run", DEMO_RECORDING, "--loop", "--port", "0")
    for line in process.stderr:
        if b"listening to" in line:
            break
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert b"Traceback" not in err


def test_whoever_stops_reading_the_output_ends_it_quietly():
    process = start("run", DEMO_RECORDING, "--loop", "--speed", "max", "--json", "--port", "0")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


def test_classify_says_what_files_are_over_time_and_overall(song, tmp_path):
    (tmp_path / "more").mkdir()
    soundfile.write(tmp_path / "more" / "other.flac", music(5.0, seed=1), 22050)
    code, out, err = run("classify", "--json", song, tmp_path / "more")
    assert code == 0, err
    first, second = map(json.loads, out.splitlines())
    assert first["genre"] in LABELS | {"unknown"}
    assert set(first["probabilities"]) == LABELS
    assert first["sections"][0]["start_seconds"] == 0.0
    assert first["sections"][-1]["end_seconds"] == 8.0
    assert second["file"].endswith("other.flac")
    _, out, err = run("classify", song)
    assert re.search(r"song\.wav: \w+ ", out)
    assert err == ""


def test_classify_judges_what_could_be_read_and_remarks_what_is_missing(song):
    song.write_bytes(song.read_bytes()[: song.stat().st_size * 7 // 9])
    code, out, err = run("classify", "--json", song)
    assert code == 0, err
    assert json.loads(out)["sections"][-1]["end_seconds"] == 6.0
    assert err.strip() == f"rtgenre: {song}: ends early, after 7.0 s of 9.0 s"


def test_files_that_cannot_be_used_are_each_one_line_and_the_others_are_judged(song, tmp_path):
    (tmp_path / "song.raw").write_bytes(bytes(100_000))
    strange = tmp_path / os.fsdecode(b"caf\xe9\n.wav")
    strange.write_bytes(song.read_bytes())
    soundfile.write(tmp_path / "wide.wav", np.repeat(music(5.0)[:, None], 2, axis=1), 22050)
    settings = {"RTGENRE_SOURCE__CHANNEL": "right"}
    files = [tmp_path / "song.raw", strange, tmp_path / "wide.wav"]
    code, out, err = run("classify", *files, environment=settings)
    assert code == 1
    assert out.startswith(f"{files[2]}: ")
    failures = err.split("\n")[-3:-1]
    assert "Traceback" not in err
    assert "song.raw: is not audio that can be read: raw samples have no header" in failures[0]
    assert r"caf\xe9\n.wav: channel 'right' was asked for" in failures[1]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is Unicode")
@pytest.mark.parametrize("command", [["classify"], ["run", "--port", "0", "--speed", "max"]])
def test_a_file_name_that_is_not_utf_8_is_heard_like_any_other(song, command):
    strange = song.rename(song.with_name(os.fsdecode(b"caf\xe9.wav")))
    code, out, err = run(*command, strange)
    assert code == 0, err
    assert r"caf\xe9.wav" in out + err


def test_a_name_that_the_outputs_encoding_lacks_is_printed_with_escapes(song):
    strange = song.rename(song.with_name("жаба.wav"))
    code, out, err = run("classify", strange, environment={"PYTHONIOENCODING": "latin-1"})
    assert code == 0, err
    assert r"\u0436\u0430\u0431\u0430.wav: " in out


def test_classify_refuses_what_is_too_short_and_goes_on(song, tmp_path):
    short = tmp_path / "short.wav"
    soundfile.write(short, music(2.0), 22050)
    code, out, err = run("classify", "--json", short, song)
    assert code == 1
    assert len(out.splitlines()) == 1
    assert "short.wav: is shorter than one window" in err


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    ("redirection", "arguments", "code", "part"),
    [
        (">&-", "config show", 1, b"standard output is closed"),
        ("2>&-", "config show", 0, b"[websocket]"),
        ("<&- 2>&-", "config show", 0, b"[websocket]"),
        (">&- 2>&-", "config show", 1, b""),
        (">&-", "run --speed max {song}", 0, b"listening to"),
        ("2>&-", "run --speed max --json {song}", 0, b'"state"'),
    ],
)
def test_closed_standard_streams_neither_raise_nor_hide_anything(
    tmp_path, redirection, arguments, code, part
):
    song = tmp_path / "song.wav"
    soundfile.write(song, music(5), 22050)
    command = f"{sys.executable} -m rtgenre {arguments.format(song=song)} {redirection}"
    process = subprocess.run(
        ["sh", "-c", command],
        check=False,
        capture_output=True,
        env=os.environ | NO_HISTORY | {"RTGENRE_WEBSOCKET__ENABLED": "false"},
    )
    assert process.returncode == code, process.stderr
    assert b"Traceback" not in process.stderr
    assert part in process.stdout + process.stderr


@pytest.mark.parametrize("command", [["config", "check"], ["history"]])
def test_a_home_of_another_user_is_told_in_one_line(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir("/")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    # What is imported when it is needed may be root's, too.
    main(command)
    capsys.readouterr()
    home = tmp_path / "home"
    home.mkdir(mode=0)
    # Where settings are looked for, and where the history is.
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home) if command[0] == "config" else os.devnull)
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    with not_root():
        assert main(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert str(home) in line


@pytest.mark.skipif(sys.platform == "win32", reason="has no such users")
@pytest.mark.parametrize("command", [["config", "check"], ["history"], ["models"]])
def test_a_user_without_a_home_finds_nothing_there_and_goes_on(command, monkeypatch, capsys):
    def unknown(_):
        raise KeyError("uid not found")

    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert main(command) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "code"), [(["run"], 0), (["demo"], 0), (["learn", "songs"], 1), (["doctor"], 1)]
)
def test_ctrl_c_ends_well_only_what_runs_until_it_is_stopped(words, code, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"rtgenre.commands.{words[0]}.main", stopped)
    assert main(words) == code


def test_a_terminal_that_is_closed_ends_the_service_without_a_word(tmp_path):
    said = tmp_path / "said.txt"
    pid, ours = pty.fork()
    if pid == 0:
        os.environ |= {"TERM": "xterm", "HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
        os.dup2(os.open(said, os.O_CREAT | os.O_WRONLY), 2)
        os.execv(sys.executable, [sys.executable, "-m", "rtgenre", "demo", "--port", "0"])
    shown = b""
    while b"level" not in shown:
        shown += os.read(ours, 4096)
    os.close(ours)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert "Traceback" not in said.read_text()
    assert code == 0
