"""The tables about what the service shows, serves, keeps and tells."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from rtgenre.config.checks import FilePath, Origin, ServiceAddress
from rtgenre.config.table import SettingsTable
from rtgenre.outputs.web.auth import checked_token


class TerminalConfig(SettingsTable):
    """``[terminal]``: what is printed."""

    format: Literal["auto", "live", "plain", "json", "off"] = "auto"
    """"auto" is "live" in a terminal and "plain" elsewhere."""


class WebSocketConfig(SettingsTable):
    """``[websocket]``: the port for WebSocket clients and HTTP."""

    enabled: bool = True
    """false: no port is opened."""
    host: str = "127.0.0.1"
    """"0.0.0.0" lets other machines in. They then need the token."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8765
    """0 takes any free port."""
    token: SecretStr = SecretStr("")
    """What clients must know, at least 16 characters. Needed beyond this machine."""
    token_file: FilePath | None = Field(default=None, examples=["/run/secrets/rtgenre"])
    """Holds the token instead."""
    allowed_origins: tuple[Origin, ...] = ()
    """Other sites whose pages may connect: ["https://home.example.org"]."""
    ingress_from: str = ""
    """Home Assistant's address, whose users need no token. Its app sets it."""
    change_settings: bool = True
    """false: nobody can change settings on the page."""
    cert_file: FilePath | None = Field(default=None, examples=["cert.pem"])
    """Certificate chain and key turn http and ws into https and wss."""
    key_file: FilePath | None = Field(default=None, examples=["key.pem"])
    """The key to cert_file."""
    max_clients: Annotated[int, Field(ge=1, le=10000)] = 600
    """Each takes an open file. See ulimit -n."""
    max_message_bytes: Annotated[int, Field(ge=256, le=65536)] = 4096
    """Longer messages from a client close its connection."""
    messages_per_second: Annotated[float, Field(gt=0, le=1000)] = 5.0
    """From one client, over time. 20 at once are always taken."""
    send_timeout_seconds: Annotated[float, Field(ge=0.1, le=300)] = 10.0
    """A client that takes nothing for so long is disconnected."""

    @field_validator("token")
    @classmethod
    def _hard_to_guess(cls, token: SecretStr) -> SecretStr:
        checked_token(token.get_secret_value())
        return token

    @field_validator("ingress_from")
    @classmethod
    def _address(cls, address: str) -> str:
        try:
            return address and str(ip_address(address))
        except ValueError:
            raise ValueError("this is a numeric address, for example 172.30.32.2") from None

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
    """false: nothing is kept."""
    file: FilePath | None = Field(default=None, examples=["history.db"])
    """SQLite. The default is in the user's data folder."""
    retention_days: Annotated[int, Field(ge=0, le=36500)] = 400
    """Older stretches are deleted. 0 keeps all."""


class HubConfig(SettingsTable):
    """``[hub]``: how ``rtgenre hub`` asks the nodes' own services, for what MQTT does not carry."""

    token: SecretStr = SecretStr("")
    """What the pages of all machines ask for, if it is the same."""
    token_file: FilePath | None = Field(default=None, examples=["/run/secrets/rtgenre"])
    """Holds the token instead."""
    tokens: dict[str, SecretStr] = Field(default_factory=dict)
    """By room, if they differ: { kitchen = "…" }."""
    addresses: dict[str, ServiceAddress] = Field(default_factory=dict)
    """By room, where the address that a machine tells does not lead to it: { kitchen =
    "http://pi:8765/" }."""

    @model_validator(mode="after")
    def _one_token(self) -> HubConfig:
        if self.token.get_secret_value() and self.token_file:
            raise ValueError("give either token or token_file, not both")
        return self


class TeachConfig(SettingsTable):
    """``[teach]``: saying what is playing, so that it is known from then on."""

    enabled: bool = True
    """false: nothing can be taught, and what was taught is left aside."""
    file: FilePath | None = Field(default=None, examples=["taught.db"])
    """SQLite. The default is in the user's data folder."""


class MdnsConfig(SettingsTable):
    """``[mdns]``: whether the local network is told where the service is."""

    enabled: bool = True
    """Has an effect only where [websocket] host lets other machines in."""


class LogConfig(SettingsTable):
    """``[log]``: messages on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important messages that are written, on standard error."""
    format: Literal["text", "json"] = "text"
    """Text for people, or one JSON object per line for log collectors."""
