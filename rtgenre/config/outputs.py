"""The tables about what the service shows, serves, keeps and tells."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from rtgenre.config.checks import FilePath, Origin
from rtgenre.config.table import SettingsTable
from rtgenre.outputs.web.auth import checked_token


class TerminalConfig(SettingsTable):
    """``[terminal]``: what is printed."""

    format: Literal["auto", "live", "plain", "json", "off"] = "auto"


class WebSocketConfig(SettingsTable):
    """``[websocket]``: the port for WebSocket clients and HTTP."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8765
    """0 takes any free port."""
    token: SecretStr = SecretStr("")
    """What clients must know; needed on any host but loopback, at least 16 characters."""
    token_file: Path | None = None
    """Holds the token instead."""
    allowed_origins: tuple[Origin, ...] = ()
    """Other sites whose pages may connect, for example ``https://home.example.org``."""
    cert_file: Path | None = None
    """A certificate chain (PEM) turns ``http`` and ``ws`` into ``https`` and ``wss``."""
    key_file: Path | None = None
    max_clients: Annotated[int, Field(ge=1, le=10000)] = 600
    """Each takes an open file: more than about 600 need a higher ``ulimit -n`` than 1024."""
    max_message_bytes: Annotated[int, Field(ge=256, le=65536)] = 4096
    """Longer messages from a client close its connection."""
    messages_per_second: Annotated[float, Field(gt=0, le=1000)] = 5.0
    """From one client, over time; 20 at once are always taken."""
    send_timeout_seconds: Annotated[float, Field(ge=0.1, le=300)] = 10.0
    """A client that takes no message for so long is disconnected."""

    @field_validator("token")
    @classmethod
    def _hard_to_guess(cls, token: SecretStr) -> SecretStr:
        checked_token(token.get_secret_value())
        return token

    @model_validator(mode="after")
    def _consistent(self) -> WebSocketConfig:
        if self.token.get_secret_value() and self.token_file:
            raise ValueError("give either token or token_file, not both")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("TLS needs both cert_file and key_file")
        return self


class HistoryConfig(SettingsTable):
    """``[history]``: what was heard, kept on this machine."""

    enabled: bool = True
    file: FilePath | None = None
    """An SQLite file; the default is ``history.db`` in the user's data folder."""
    retention_days: Annotated[int, Field(ge=0, le=36500)] = 400
    """Older stretches are deleted; 0 keeps all."""


class MdnsConfig(SettingsTable):
    """``[mdns]``: whether the local network is told where the service is."""

    enabled: bool = True
    """Only has an effect where ``[websocket] host`` lets other machines in."""


class LogConfig(SettingsTable):
    """``[log]``: messages on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"
    """Text for people, or one JSON object per line."""
