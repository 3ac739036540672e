"""The app (add-on) for Home Assistant: its papers, and its start beside a real broker."""

import copy
import http.server
import importlib.util
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
from pathlib import Path

import aiomqtt
import pytest
import yaml

from rtgenre import __version__
from rtgenre.config import load_config
from rtgenre.demo import DEMO_RECORDING
from scripts.addon import make_addon
from scripts.release import ReleaseError
from tests.broker import Broker, free_port
from tests.home_assistant_rules import mistakes, translation_mistakes

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "deploy" / "home-assistant"
APP = FOLDER / "rtgenre"
CONFIG = yaml.safe_load((APP / "config.yaml").read_text(encoding="utf-8"))

START = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("start", sys.argv[1])
start = importlib.util.module_from_spec(spec)
spec.loader.exec_module(start)
start.DATA = start.Path(sys.argv[2])
start.SETTINGS = start.DATA / "rtgenre.toml"
start.SUPERVISOR = sys.argv[3]
start.PORT = 0
start.main()
"""
"""Runs the start script as in the app, with other places for what only Home Assistant has."""


@pytest.fixture
def start():
    spec = importlib.util.spec_from_file_location("start", APP / "start.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- papers ----------------------------------------------------------------------------------


def test_home_assistant_takes_the_apps_configuration():
    assert mistakes(CONFIG) == []
    assert CONFIG["version"] == __version__
    assert yaml.safe_load((FOLDER / "repository.yaml").read_text())["name"]


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("slug", "rt genre", "slug"),
        ("version", 0.1, "quotation marks"),
        ("arch", ["armv7"], "arch"),
        ("watchdog", "http://localhost:8765/healthz", "watchdog"),
        ("services", ["mqtt:use"], "service"),
        ("map", [{"type": "everything"}], "map"),
        ("ports", {"8765": None}, "port"),
        ("ingress", "yes", "bool"),
        ("autostart", True, "there is no autostart"),
        ("startup", "application", "anyway"),
        ("schema", {"room": "text"}, "no type text"),
        ("schema", {}, "option room has no type"),
        ("schema", CONFIG["schema"] | {"speed": "float(1,2)"}, "nobody can start it"),
    ],
)
def test_the_check_of_the_configuration_would_notice_a_mistake(key, value, complaint):
    config = copy.deepcopy(CONFIG) | {key: value}
    assert complaint in "\n".join(mistakes(config))


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_option_and_port_has_words_in_each_language(language):
    path = APP / "translations" / f"{language}.yaml"
    translation = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert translation_mistakes(translation, CONFIG) == []
    del translation["configuration"]["room"]
    assert translation_mistakes(translation, CONFIG) == ["room has no words"]


@pytest.mark.parametrize(("name", "size"), [("icon.png", (128, 128)), ("logo.png", (250, 100))])
def test_pictures_have_the_size_that_home_assistant_shows(name, size):
    head = (APP / name).read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", head[16:24]) == size


def test_documentation_and_changelog_speak_of_every_option_and_of_this_version():
    docs = (APP / "DOCS.md").read_text(encoding="utf-8")
    names = yaml.safe_load((APP / "translations" / "en.yaml").read_text())["configuration"]
    assert [words["name"] for words in names.values() if words["name"] not in docs] == []
    assert f"## {__version__}\n" in (APP / "CHANGELOG.md").read_text(encoding="utf-8")


# ---- the image -------------------------------------------------------------------------------


def dockerfile():
    return re.sub(r"^#.*\n", "", (APP / "Dockerfile").read_text(), flags=re.MULTILINE)


def test_the_image_starts_a_script_that_it_holds_with_the_python_that_has_rtgenre():
    text = dockerfile()
    python, script = json.loads(re.search(r"^CMD (\[.*\])$", text, re.MULTILINE)[1])
    assert f"mv /build/{Path(script).name} {script}" in text
    assert (APP / Path(script).name).is_file()
    assert Path(python).parts[:3] == Path(script).parts[:3]


@pytest.mark.parametrize("has_wheel", [True, False])
def test_the_image_gets_the_wheel_beside_it_or_else_this_version(has_wheel, tmp_path):
    if has_wheel:
        (tmp_path / "rtgenre-9.9.9-py3-none-any.whl").touch()
    wanted = re.search(r'"(\$\(ls /build/.*)" \\$', dockerfile(), re.MULTILINE)[1]
    command = f'echo "{wanted}"'.replace("/build", str(tmp_path))
    result = subprocess.run(
        ["sh", "-c", command],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"BUILD_VERSION": "1.2.3"},
    )
    wheel = str(tmp_path / "rtgenre-9.9.9-py3-none-any.whl")
    assert result.stdout.strip() == (wheel if has_wheel else "rtgenre==1.2.3")


def test_make_addon_puts_everything_into_one_folder(tmp_path):
    wheel = tmp_path / "rtgenre-1-py3-none-any.whl"
    wheel.write_text("wheel")
    app = make_addon(wheel, __version__, tmp_path / "home-assistant")
    names = {path.name for path in app.iterdir()}
    assert names == {path.name for path in APP.iterdir() if path.name != "__pycache__"} | {
        wheel.name
    }
    assert "requirements.txt" in names
    assert (app.parent / "repository.yaml").is_file()
    with pytest.raises(ReleaseError, match=r'write version: "9\.9\.9"'):
        make_addon(wheel, "9.9.9", tmp_path / "other")


# ---- the start -------------------------------------------------------------------------------


@pytest.fixture
def supervisor():
    """Answer as the Supervisor does, with what a test puts here: by path, status and document."""
    answers = {"/addons/self/info": (200, {"result": "ok", "data": {"slug": "local_rtgenre"}})}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, document = answers.get(self.path, (404, {"result": "error", "message": "no"}))
            if self.headers["Authorization"] != "Bearer the-supervisors":
                status, document = 401, {"result": "error", "message": "unauthorized"}
            self.send_response(status)
            self.end_headers()
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        answers["address"] = f"http://127.0.0.1:{server.server_port}"
        yield answers
        server.shutdown()


@pytest.fixture
def told(start, supervisor, monkeypatch):
    """Let the start script ask this Supervisor."""
    monkeypatch.setattr(start, "SUPERVISOR", supervisor["address"])
    monkeypatch.setenv("SUPERVISOR_TOKEN", "the-supervisors")
    return start


def offer(**broker):
    return (200, {"result": "ok", "data": broker})


def test_the_options_are_settings_that_rtgenre_takes(start, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    options = {
        "room": "Wohnzimmer Süd",
        "source": "https://example.org/radio",
        "wled": ["tv", ""],
        "zigbee2mqtt": ["Sofa, links"],
        "history_days": 0,
        "log_level": "debug",
    }
    settings = start.environment(options, data=tmp_path, written=None)
    settings |= start.token({}, tmp_path, {})
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    config = load_config()
    (source,) = config.source
    assert (source.node, source.name) == ("wohnzimmer-sud", "Wohnzimmer Süd")
    assert source.input == "https://example.org/radio"
    assert config.lights.wled == {"": ("tv",)}
    assert config.lights.zigbee2mqtt == {"": ("Sofa, links",)}
    assert config.history.retention_days == 0
    assert config.log.level == "debug"
    assert config.websocket.ingress_from == "172.30.32.2"
    assert config.websocket.port == CONFIG["ingress_port"]
    # What is elsewhere is lost at the next start: Home Assistant makes a new container for each.
    assert config.history.file.parent == config.teach.file.parent == tmp_path


def test_every_option_of_the_app_is_used_by_its_start():
    text = (APP / "start.py").read_text(encoding="utf-8")
    mqtt = {f"mqtt_{key}" for key in ("port", "username", "password")}
    unused = [key for key in CONFIG["schema"] if f'"{key}"' not in text and key not in mqtt]
    assert unused == []


@pytest.mark.parametrize(
    ("text", "rooms"),
    [
        ("[smoothing]\nswitch_margin = 0.3", [("wohnzimmer", "Wohnzimmer")]),
        ("[source]\nname = 'Stube'", [("wohnzimmer", "Stube")]),
        ("[[source]]\ninput = 'USB'", [("wohnzimmer", "Wohnzimmer")]),
        ("[source]\nnode = 'den'", [("den", "den")]),
        ("[[source]]\nnode = 'den'\n[[source]]\nnode = 'bar'", [("den", "den"), ("bar", "bar")]),
    ],
)
def test_the_room_of_the_options_stays_where_the_settings_file_names_none(
    start, monkeypatch, tmp_path, text, rooms
):
    file = tmp_path / "rtgenre.toml"
    file.write_text(text)
    options = {"room": "Wohnzimmer", "token": "my-own-token-of-characters"}
    settings = start.environment(options, data=tmp_path, written=start.read_settings(file))
    for name, value in (settings | start.token(options, tmp_path, {})).items():
        monkeypatch.setenv(name, value)
    assert [(room.node, room.shown_name) for room in load_config(file).source] == rooms


@pytest.mark.parametrize(
    ("text", "may"),
    [(None, False), ("", True), ("[websocket]\nchange_settings = false", False)],
)
def test_the_page_may_change_settings_where_a_file_can_hold_them_and_does_not_forbid_it(
    start, tmp_path, monkeypatch, text, may
):
    file = tmp_path / "rtgenre.toml"
    if text is not None:
        file.write_text(text)
    settings = start.environment({}, data=tmp_path, written=start.read_settings(file))
    for name, value in (settings | start.token({}, tmp_path, {})).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    assert load_config().websocket.change_settings is may
    # Home Assistant lets nobody write into a folder unless that is asked for.
    assert {"type": "addon_config", "read_only": False} in CONFIG["map"]


def test_a_mistake_in_the_settings_file_is_left_for_rtgenre_to_tell(start, tmp_path):
    file = tmp_path / "rtgenre.toml"
    assert start.read_settings(file) is None
    file.write_text("[smoothing")
    assert start.read_settings(file) == {}


def test_a_token_is_made_once_told_once_and_kept_from_others(start, tmp_path, capsys):
    first = start.token({}, tmp_path, {})
    made = (tmp_path / "token").read_text()
    assert made in capsys.readouterr().err
    assert start.token({}, tmp_path, {}) == first
    assert capsys.readouterr().err == ""
    assert (tmp_path / "token").stat().st_mode & 0o077 == 0
    own = start.token({"token": "my-own-token-of-characters"}, tmp_path, {})
    assert own == {"RTGENRE_WEBSOCKET__TOKEN": "my-own-token-of-characters"}


def test_a_token_that_could_not_be_written_is_made_anew(start, tmp_path, capsys):
    (tmp_path / "token").touch(mode=0o600)
    start.token({}, tmp_path, {})
    made = (tmp_path / "token").read_text()
    assert len(made) >= 16
    assert made in capsys.readouterr().err
    assert (tmp_path / "token").stat().st_mode & 0o077 == 0


def test_a_token_and_a_broker_in_the_settings_file_count_where_the_options_name_none(
    told, supervisor, tmp_path, monkeypatch, capsys
):
    supervisor["/services/mqtt"] = offer(
        host="core-mosquitto", port=1883, username="a", password="b"
    )
    file = tmp_path / "rtgenre.toml"
    file.write_text(
        "[websocket]\ntoken = 'the-token-of-the-file'\n[mqtt]\nhost = 'nas'\nusername = 'me'\n"
    )
    written = told.read_settings(file)
    settings = told.token({}, tmp_path, written) | told.broker({}, written)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    config = load_config(file)
    assert config.websocket.token.get_secret_value() == "the-token-of-the-file"
    assert (config.mqtt.host, config.mqtt.username) == ("nas", "me")
    assert capsys.readouterr().err == ""
    assert told.broker({"mqtt_host": "other"}, written) == {"RTGENRE_MQTT__HOST": "other"}


def test_the_broker_that_an_app_offers_is_taken_over(told, supervisor, capsys):
    supervisor["/services/mqtt"] = offer(
        host="core-mosquitto",
        port=8883,
        ssl=True,
        username="addons",
        password="p",
        protocol="3.1.1",
    )
    assert told.broker({}, {}) == {
        "RTGENRE_MQTT__HOST": "core-mosquitto",
        "RTGENRE_MQTT__PORT": "8883",
        "RTGENRE_MQTT__TLS": "true",
        "RTGENRE_MQTT__USERNAME": "addons",
        "RTGENRE_MQTT__PASSWORD": "p",
    }
    assert told.page() == {
        "RTGENRE_HOMEASSISTANT__LINK": "homeassistant://hassio/ingress/local_rtgenre"
    }
    assert capsys.readouterr().err == ""
    # What is filled in wins, and nothing of the offer is mixed with it.
    assert told.broker({"mqtt_host": "nas"}, {}) == {"RTGENRE_MQTT__HOST": "nas"}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((400, {"result": "error", "message": "Service not enabled"}), "(Service not enabled)"),
        ((403, b"forbidden"), "the Supervisor answered 403"),
        ((200, b"<html>"), "the Supervisor does not answer"),
        ((200, [1]), "no JSON object"),
        (offer(), "without a host and a port; fill in mqtt_host"),
        (offer(host="core-mosquitto", port=None), "without a host and a port; fill in mqtt_host"),
    ],
)
def test_no_broker_or_half_a_one_is_said_in_one_line_and_ends_nothing(
    told, supervisor, capsys, answer, said
):
    supervisor["/services/mqtt"] = answer
    assert told.broker({}, {}) == {}
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_supervisor_that_is_not_there_ends_nothing(start, monkeypatch, capsys):
    monkeypatch.setattr(start, "SUPERVISOR", f"http://127.0.0.1:{free_port()}")
    assert start.broker({}, {}) == start.page() == {}
    assert "the Supervisor does not answer" in capsys.readouterr().err


# ---- all together ----------------------------------------------------------------------------


@pytest.fixture
def app(tmp_path, supervisor):
    """Start the app; its options are those of a test."""
    processes = []

    def start(**options):
        options = CONFIG["options"] | {"source": str(DEMO_RECORDING)} | options
        (tmp_path / "options.json").write_text(json.dumps(options))
        (tmp_path / "rtgenre.toml").write_text("[source]\nnode = 'home'\nloop = true\n")
        clean = {k: v for k, v in os.environ.items() if not k.startswith("RTGENRE_")}
        path = f"{Path(sys.executable).parent}:{clean['PATH']}"
        command = [sys.executable, "-c", START, APP / "start.py", tmp_path, supervisor["address"]]
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=tmp_path,
            env=clean
            | {"SUPERVISOR_TOKEN": "the-supervisors", "PATH": path, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


def users(folder, **passwords):
    path = folder / "passwords"
    path.touch()
    for user, password in passwords.items():
        command = [shutil.which("mosquitto_passwd"), "-b", path, user, password]
        subprocess.run(command, check=True, capture_output=True)
    return ["allow_anonymous false", f"password_file {path}"]


async def test_home_assistant_learns_of_the_room_over_the_broker_that_is_offered(
    app, supervisor, tmp_path, monkeypatch
):
    settings = users(tmp_path, addons="secret", home="assistant")
    async with Broker(tmp_path, *settings) as broker:
        supervisor["/services/mqtt"] = offer(
            host="127.0.0.1", port=broker.port, username="addons", password="secret"
        )
        async with aiomqtt.Client(
            "127.0.0.1", broker.port, username="home", password="assistant"
        ) as home:
            await home.subscribe("homeassistant/device/#", qos=1)
            process = app()
            message = await anext(home.messages)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert (
        json.loads(message.payload)["dev"]["cu"] == "homeassistant://hassio/ingress/local_rtgenre"
    )
    assert str(message.topic) == "homeassistant/device/rtgenre_home/config"
    assert process.returncode == 0, err


async def test_a_broker_that_is_offered_without_credentials_and_wants_some_is_told_of(
    app, supervisor, tmp_path
):
    async with Broker(tmp_path, *users(tmp_path, addons="secret")) as broker:
        supervisor["/services/mqtt"] = offer(host="127.0.0.1", port=broker.port)
        process = app()
        lines = []
        while not any("refused the login" in line for line in lines):
            lines.append(process.stderr.readline())
            assert process.poll() is None, lines
    said = "".join(lines)
    assert "is offered without a user name and a password" in said
    assert "fill in mqtt_username and mqtt_password" in said
