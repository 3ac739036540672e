import os
import threading

import pytest

from rtgenre.config import Config
from rtgenre.config.held_files import HeldFiles, held_files


def test_secrets_and_certificates_are_told_apart_by_what_they_hold_and_none_is_shown(tmp_path):
    token, password = tmp_path / "token", tmp_path / "password"
    token.write_text("a-token-of-some-length")
    config = Config(
        websocket={"token_file": token},
        mqtt={"username": "me", "password_file": password},
        history={"file": tmp_path / "history.db"},
    )
    before = held_files(config)
    assert before.keys() == {"[websocket] token_file", "[mqtt] password_file"}
    assert before["[mqtt] password_file"] == ""
    assert "a-token" not in str(before)
    assert held_files(config) == before
    token.write_text("another-token-of-some-length")
    assert held_files(config)["[websocket] token_file"] != before["[websocket] token_file"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_left_to_those_who_need_what_is_in_it(tmp_path):
    pipe = tmp_path / "token"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("a token of enough characters",))
    writer.start()
    assert held_files(Config(websocket={"token_file": pipe}))["[websocket] token_file"] == ""
    assert pipe.read_text() == "a token of enough characters"
    writer.join()


def test_only_a_file_that_holds_another_secret_is_named_in_the_log(tmp_path, caplog):
    token, password = tmp_path / "token", tmp_path / "password"
    token.write_text("a-token-of-some-length")
    password.write_text("secret")
    mqtt = {"username": "me", "password_file": password}
    held = HeldFiles(Config(websocket={"token_file": token}, mqtt=mqtt))
    held.tell_changed().result(30)
    assert caplog.messages == []
    password.unlink()
    held.tell_changed().result(30)
    told = "changes that need a restart: [mqtt] password_file (what it holds)"
    assert caplog.messages == [told]


def test_a_disk_that_hangs_holds_up_nobody_who_asks(tmp_path, monkeypatch):
    answers = threading.Event()
    held = HeldFiles(Config(websocket={"token_file": tmp_path / "token"}))
    monkeypatch.setattr("pathlib.Path.is_file", lambda _: answers.wait(30))
    asked = held.tell_changed()
    assert not asked.done()
    answers.set()
    asked.result(30)
