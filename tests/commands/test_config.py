import os
import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr

from rtgenre.cli import main
from rtgenre.commands.config_check import check_config
from rtgenre.commands.config_show import show_config
from rtgenre.config import Config, ConfigError, load_config, settings_of
from rtgenre.errors import WrongSettings
from rtgenre.monitoring.logs import MASK
from rtgenre.outputs.errors import OutputError


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(text):
    path = Path("config.toml")
    path.write_text(text)
    path.chmod(0o600)
    return path


def shown(capsys, file=None, flags=None):
    show_config(file, flags or {})
    return capsys.readouterr().out


def origin(output, key):
    (line,) = [line for line in output.splitlines() if line.startswith(f"{key} =")]
    return line.split(" # ")[-1]


def test_every_value_is_shown_with_where_it_came_from(capsys, monkeypatch):
    write('[mqtt]\nhost = "file"\nport = 1\ntopic_prefix = "file"\n')
    monkeypatch.setenv("RTGENRE_MQTT__PORT", "2")
    monkeypatch.setenv("RTGENRE_MQTT__TOPIC_PREFIX", "environment")
    output = shown(capsys, flags={"mqtt": {"topic_prefix": "flag"}})
    mqtt = output.split("[mqtt]")[1].split("\n\n")[0]
    assert origin(mqtt, "host") == "config.toml"
    assert origin(mqtt, "port") == "environment: RTGENRE_MQTT__PORT"
    assert origin(mqtt, "topic_prefix") == "command line"
    assert origin(mqtt, "qos") == "default"


def test_what_is_shown_is_toml_that_gives_the_same_settings(capsys):
    text = """
    [[source]]
    node = "kitchen"
    input = "USB"
    [[source]]
    node = "lounge"
    input = ["a.flac", 'b "quoted".mp3']
    [lights]
    wled = { kitchen = ["strip"] }
    wled_effects = { jazz = 9 }
    [websocket]
    allowed_origins = ["https://home.example"]
    """
    file = write(text)
    output = shown(capsys, file)
    again = Path("again.toml")
    again.write_text(output)
    assert load_config(again) == load_config(file)


def test_no_secret_is_shown(capsys, monkeypatch):
    write(
        '[mqtt]\nusername = "me"\npassword = "correct horse"\n[source]\ninput = "http://user:hunter2@radio/"\n'
    )
    monkeypatch.setenv("RTGENRE_WEBSOCKET__TOKEN", "a-token-that-is-long-enough")
    output = shown(capsys)
    for secret in ("correct horse", "hunter2", "a-token-that-is-long-enough"):
        assert secret not in output
    assert output.count(MASK) == 3


def test_every_secret_setting_is_masked_by_its_type():
    secrets = {
        f"[{table}] {key}"
        for table, field in Config.model_fields.items()
        for key, value in settings_of(field.annotation).items()
        if value.annotation is SecretStr
    }
    assert secrets >= {"[mqtt] password"}
    named_so = {
        f"[{table}] {key}"
        for table, field in Config.model_fields.items()
        for key in settings_of(field.annotation)
        if key in {"password", "token", "secret", "key"}
    }
    assert named_so <= secrets


def test_check_says_that_all_is_well(capsys):
    write("[windows]\nhop_seconds = 1\n")
    assert check_config(None, {}) == 0
    captured = capsys.readouterr()
    assert captured.out == "config.toml: no problems; 1 setting is set\n"
    assert captured.err == ""


def test_check_says_that_another_programs_file_is_not_read(capsys):
    write('title = "a page"\n')
    assert check_config(None, {}) == 0
    assert "config.toml is another program's" in capsys.readouterr().out


def test_check_refuses_what_run_would_refuse():
    write("[windows]\nhop_seconds = 100\n")
    with pytest.raises(ConfigError, match="hop_seconds"):
        check_config(None, {})
    with pytest.raises(WrongSettings, match="clients must show a token"):
        check_config(None, {"windows": {"hop_seconds": 2}, "websocket": {"host": "0.0.0.0"}})


@pytest.mark.parametrize(
    "text",
    [
        '[mqtt]\nhost = "broker"\nusername = "me"\npassword_file = "nowhere.txt"',
        '[mqtt]\nhost = "broker"\ntls = true\nca_file = "nowhere.txt"',
        '[websocket]\ncert_file = "nowhere.txt"\nkey_file = "nowhere.txt"',
        '[hub]\ntoken_file = "nowhere.txt"',
    ],
)
def test_check_finds_a_secret_or_certificate_that_is_not_there(text):
    write(text)
    with pytest.raises(OutputError, match=r"nowhere\.txt"):
        check_config(None, {})


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX's")
def test_check_warns_of_a_password_that_other_users_can_read(capsys):
    file = write('[mqtt]\nusername = "me"\npassword = "correct horse"\n')
    file.chmod(0o644)
    assert check_config(None, {}) == 0
    warning = capsys.readouterr().err
    assert "[mqtt] password" in warning
    assert "chmod 600" in warning
    assert "correct horse" not in warning


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX's")
def test_check_warns_of_a_secret_s_file_that_other_users_can_read(capsys):
    file = Path("token.txt")
    file.write_text("correct-horse-battery")
    write('[websocket]\ntoken_file = "token.txt"')
    for mode, warns in ((0o644, True), (0o640, False)):
        file.chmod(mode)
        assert check_config(None, {}) == 0
        warning = capsys.readouterr().err
        assert ("[websocket] token_file" in warning and "chmod o= token.txt" in warning) is warns


def test_shown_settings_of_several_sources_name_each_ones_origin(capsys):
    write('[[source]]\nnode = "a"\nchannel = "left"\n[[source]]\nnode = "b"\n')
    output = shown(capsys)
    first, second = output.split("[[source]]")[1:3]
    assert origin(first, "channel") == "config.toml"
    assert origin(second, "channel") == "default"


def test_the_file_is_toml_even_with_nothing_set(capsys):
    assert tomllib.loads(shown(capsys))["windows"]["hop_seconds"] == 2.0


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('[lights]\nwled = ["tv"]', ["[lights] wled", "no broker", "[mqtt] host"]),
        ("[lights]\nwled_effects = { jaz = 9 }", ["[lights] wled_effects", "'jaz'", "'jazz'"]),
        ('[lights]\nzigbee2mqtt_effects = { x = "blink" }', ["'x'", "its genres are blues, "]),
        ('[colors]\nhip-hop = "#112233"', ["[colors]", "'hip-hop'", "did you mean 'hiphop'?"]),
    ],
)
def test_check_warns_of_lights_and_colours_that_have_no_effect(capsys, text, parts):
    write(text)
    assert check_config(None, {}) == 0
    (warning,) = capsys.readouterr().err.splitlines()
    for part in parts:
        assert part in warning


def test_check_takes_lights_and_colours_that_have_an_effect_as_they_are(capsys):
    write(
        '[mqtt]\nhost = "broker"\n[lights]\nwled = ["tv"]\nwled_effects = { jazz = 9 }\n'
        '[colors]\njazz = "#112233"\nsilence = "#000000"\n'
    )
    assert check_config(None, {}) == 0
    assert capsys.readouterr().err == ""


def test_check_finds_fault_with_a_model_that_the_service_could_not_load(capsys):
    write('[model]\nfolder = "nowhere"')
    assert main(["config", "check"]) == 1
    output = capsys.readouterr()
    assert "no problems" not in output.out
    assert "no model folder 'nowhere'" in output.err
