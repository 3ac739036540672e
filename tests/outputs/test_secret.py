from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from rtgenre.config import MqttConfig, WebSocketConfig
from rtgenre.outputs.errors import OutputError
from rtgenre.outputs.secret import read_secret

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_holds_the_secret_with_or_without_a_line_break(tmp_path: Path):
    file = tmp_path / "secret"
    for text in ("pass word", "pass word\n", "pass word\r\n"):
        file.write_text(text)
        assert read_secret(SecretStr(""), file, "x") == "pass word"
    assert read_secret(SecretStr("abc"), None, "x") == "abc"


def test_a_file_without_a_secret_is_one_clear_error(tmp_path: Path):
    file = tmp_path / "secret"
    file.write_text("\n")
    with pytest.raises(OutputError, match="is empty"):
        read_secret(SecretStr(""), file, "[mqtt] password_file")
    with pytest.raises(OutputError, match=r"\[mqtt\] password_file .* cannot be read"):
        read_secret(SecretStr(""), tmp_path / "missing", "[mqtt] password_file")


def test_settings_never_show_their_secrets():
    mqtt = MqttConfig(username="me", password="a-secret-password")
    websocket = WebSocketConfig(token="a-secret-token-of-length")
    assert "a-secret" not in repr(mqtt) + str(mqtt) + repr(websocket) + str(websocket)
