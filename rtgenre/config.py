"""Every setting: one model per TOML table; defaults < config.toml < RTGENRE_* < flags."""

from __future__ import annotations

import dataclasses
import os
import re
import socket
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from rtgenre.lights import LightParams, UnknownLook
from rtgenre.smoothing import TrackerParams

_LIGHTS = LightParams()
_TRACKER = TrackerParams()

ENVIRONMENT_PREFIX = "RTGENRE_"
DEFAULT_FILE_NAME = "config.toml"
MIN_TOKEN_CHARACTERS = 16
MAX_TOPIC_CHARACTERS = 200
FIRST_NODE = ""
"""In place of a node's name: that of the first source."""

GENRE_COLORS = {
    "blues": "#2f6fde",
    "classical": "#c9a227",
    "country": "#b5651d",
    "disco": "#e83fb8",
    "hiphop": "#7b3fe4",
    "jazz": "#1f9e89",
    "metal": "#8a8f98",
    "pop": "#ff7a59",
    "reggae": "#3fae3f",
    "rock": "#d62839",
    "unknown": "#9aa0a6",
    "silence": "#404448",
}


class ConfigError(Exception):
    """A setting cannot be used; the message names the table, the key, the value and what may be."""


def _checked_color(color: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise ValueError("a colour is written #rrggbb, for example #ff7a59")
    return color.lower()


def _checked_node(node: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", node):
        raise ValueError(
            "a node name has 1 to 64 letters, digits, '-' or '_', and begins with a letter or digit"
        )
    return node


def _checked_origin(origin: str) -> str:
    if not re.fullmatch(r"https?://[^/\s;,?#@]+", origin):
        raise ValueError("an origin is written scheme://host[:port], without a path")
    return origin.lower()


def checked_token(token: SecretStr) -> SecretStr:
    """Return ``token`` if it is empty or long enough to be unguessable.

    Raises:
        ValueError: it is not; the message does not repeat it.
    """
    length = len(token.get_secret_value())
    if 0 < length < MIN_TOKEN_CHARACTERS:
        raise ValueError(
            f"the token has {length} characters, at least {MIN_TOKEN_CHARACTERS} are needed; "
            "`python3 -c 'import secrets; print(secrets.token_urlsafe())'` makes one"
        )
    return token


def _checked_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("this is not text: it holds bytes that are not UTF-8") from None
    return text


def _checked_topic_prefix(prefix: str) -> str:
    prefix = _checked_topic(prefix).rstrip("/")
    if not prefix or prefix.startswith(("/", "$")):
        raise ValueError("a topic prefix is not empty and begins with neither '/' nor '$'")
    return prefix


def _checked_lamp(name: str) -> str:
    name = _checked_topic(name).strip("/")
    if not name:
        raise ValueError("a device's name is not empty")
    return name


def _checked_topic(topic: str) -> str:
    if len(topic) > MAX_TOPIC_CHARACTERS or re.search(r"[#+\x00-\x1f\x7f-\x9f]", topic):
        raise ValueError(
            f"a topic has no '#', '+' or control characters, and at most {MAX_TOPIC_CHARACTERS} "
            "characters"
        )
    return _checked_text(topic)


def default_node() -> str:
    """Return this machine's host name as a node name."""
    name = re.sub(r"[^A-Za-z0-9_-]", "-", socket.gethostname().split(".")[0]).strip("-_")
    return name[:64] or "rtgenre"


Color = Annotated[str, AfterValidator(_checked_color)]
Origin = Annotated[str, AfterValidator(_checked_origin)]
Node = Annotated[str, AfterValidator(_checked_node)]
TopicPrefix = Annotated[str, AfterValidator(_checked_topic_prefix)]
Lamp = Annotated[str, AfterValidator(_checked_lamp)]
LampsByNode = dict[str, tuple[Lamp, ...]]
Text = Annotated[str, AfterValidator(_checked_text)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Table(BaseModel):
    """A TOML table: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class SourceConfig(Table):
    """``[source]``, or several ``[[source]]``: where the music comes from."""

    input: str | int | tuple[str, ...] = ""
    """A device (index, name or part of it; empty: the default), file(s), a URL, or '-'."""
    node: Node = Field(default_factory=default_node)
    """Names this source in messages and MQTT topics: a room."""
    channel: Literal["mix", "left", "right"] | Annotated[int, Field(ge=1)] = "mix"
    """'mix', 'left', 'right' or a channel number counted from 1."""
    speed: Literal["realtime", "max"] = "realtime"
    """Of files: as they would be heard, or as fast as the machine can."""
    loop: bool = False
    """Files begin again after the last one."""
    pcm_rate_hz: Annotated[int, Field(ge=8000, le=192000)] = 44100
    pcm_channels: Annotated[int, Field(ge=1, le=64)] = 2
    pcm_format: Literal["s16le", "f32le"] = "s16le"

    @field_validator("input", mode="before")
    @classmethod
    def _list_to_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


class ModelConfig(Table):
    """``[model]``: what classifies."""

    folder: str = "crnn"
    """A shipped model's name, or the path of a folder that holds model.json."""
    threads: Annotated[int, Field(ge=1, le=64)] = 1


class WindowsConfig(Table):
    """``[windows]``: how often to look."""

    hop_seconds: Annotated[float, Field(ge=0.25, le=4.0)] = 2.0


class SmoothingConfig(Table):
    """``[smoothing]``: how calm the shown genre is."""

    time_constant_seconds: Annotated[float, Field(ge=0, le=600)] = _TRACKER.time_constant_seconds
    switch_margin: Annotated[float, Field(ge=0, le=1)] = _TRACKER.switch_margin
    switch_hold_seconds: Annotated[float, Field(ge=0, le=600)] = _TRACKER.switch_hold_seconds
    unknown_below: Annotated[float, Field(ge=0, le=1)] = _TRACKER.unknown_below
    music_below: Annotated[float, Field(ge=0, le=1)] = _TRACKER.music_below
    silence_below_dbfs: Annotated[float, Field(ge=-120, le=0)] = _TRACKER.silence_below_dbfs
    silence_after_seconds: Annotated[float, Field(ge=0, le=3600)] = _TRACKER.silence_after_seconds

    def tracker_params(self) -> TrackerParams:
        """Return the same values as the tracker takes them."""
        return TrackerParams(**self.model_dump())


class TerminalConfig(Table):
    """``[terminal]``: what is printed."""

    format: Literal["auto", "live", "plain", "json", "off"] = "auto"


class WebSocketConfig(Table):
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
    """Each takes an open file: more than about 700 need a higher ``ulimit -n``."""
    max_message_bytes: Annotated[int, Field(ge=256, le=65536)] = 4096
    """Longer messages from a client close its connection."""
    messages_per_second: Annotated[float, Field(gt=0, le=1000)] = 5.0
    """From one client, over time; 20 at once are always taken."""
    send_timeout_seconds: Annotated[float, Field(ge=0.1, le=300)] = 10.0
    """A client that takes no message for so long is disconnected."""

    @field_validator("token")
    @classmethod
    def _hard_to_guess(cls, token: SecretStr) -> SecretStr:
        return checked_token(token)

    @model_validator(mode="after")
    def _consistent(self) -> WebSocketConfig:
        if self.token.get_secret_value() and self.token_file:
            raise ValueError("give either token or token_file, not both")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("TLS needs both cert_file and key_file")
        return self


class MqttConfig(Table):
    """``[mqtt]``: the broker; off while ``host`` is empty."""

    host: Text = ""
    port: Port = 1883
    username: Text = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    topic_prefix: TopicPrefix = "rtgenre"
    publish: Literal["change", "window"] = "change"
    """Send genre, confidence, level and colour when they change, or with every window.

    The JSON on ``/state`` comes with every window either way.
    """
    qos: Literal[0, 1, 2] = 1
    keepalive_seconds: Annotated[int, Field(ge=5, le=3600)] = 30
    timeout_seconds: Annotated[float, Field(ge=0.5, le=60)] = 10.0
    """How long the broker may take for each answer before the connection counts as lost."""
    client_id: Annotated[Text, Field(min_length=1, max_length=64)] = "rtgenre"
    """Each node connects as ``<client_id>-<node>``."""
    tls: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @field_validator("password")
    @classmethod
    def _text(cls, password: SecretStr) -> SecretStr:
        _checked_text(password.get_secret_value())
        return password

    @model_validator(mode="after")
    def _consistent(self) -> MqttConfig:
        if self.password.get_secret_value() and self.password_file:
            raise ValueError("give either password or password_file, not both")
        if (self.password.get_secret_value() or self.password_file) and not self.username:
            raise ValueError("a password needs a username")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("a client certificate needs both cert_file and key_file")
        if not self.tls and (self.ca_file or self.cert_file):
            raise ValueError("ca_file and cert_file need tls = true")
        return self


class HistoryConfig(Table):
    """``[history]``: what was heard, kept on this machine."""

    enabled: bool = True
    file: Path | None = None
    """An SQLite file; the default is ``history.db`` in the user's data folder."""
    retention_days: Annotated[int, Field(ge=0, le=36500)] = 400
    """Older stretches are deleted; 0 keeps all."""


class HomeAssistantConfig(Table):
    """``[homeassistant]``: how Home Assistant finds the nodes, over MQTT."""

    enabled: bool = True
    discovery_prefix: TopicPrefix = "homeassistant"
    retain: bool = False
    """Leave the discovery messages with the broker; else they are sent again when needed."""
    expire_after_seconds: Annotated[int, Field(ge=0, le=86400)] = 60
    """Values older than this are shown as unavailable; 0: never."""
    announce_within_seconds: Annotated[float, Field(ge=0, le=300)] = 10.0
    """A start of Home Assistant is answered at a random moment within this time."""
    link: str = ""
    """Address that the device page links to; empty: the dashboard's."""

    @field_validator("expire_after_seconds")
    @classmethod
    def _longer_than_hops(cls, seconds: int) -> int:
        if 0 < seconds < 10:
            raise ValueError("at least 10 s, so that late windows do not count, or 0 for never")
        return seconds

    @field_validator("link")
    @classmethod
    def _web_address(cls, link: str) -> str:
        if link and not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", link):
            raise ValueError("a link begins with http:// or https://")
        return link


class LightsConfig(Table):
    """``[lights]``: what lamps show; needs ``[mqtt] host``."""

    wled: LampsByNode = Field(default_factory=dict)
    """WLED devices, by node; a list stands for those of the first source."""
    zigbee2mqtt: LampsByNode = Field(default_factory=dict)
    """Friendly names of Zigbee2MQTT's lamps or groups, by node; a list as above."""
    wled_prefix: TopicPrefix = "wled"
    zigbee2mqtt_prefix: TopicPrefix = "zigbee2mqtt"
    hold_seconds: Annotated[float, Field(ge=0, le=3600)] = _LIGHTS.hold_seconds
    fade_seconds: Annotated[float, Field(ge=0, le=60)] = _LIGHTS.fade_seconds
    neutral_color: Color = _LIGHTS.neutral_color
    neutral_fade_seconds: Annotated[float, Field(ge=0, le=60)] = _LIGHTS.neutral_fade_seconds
    unknown: UnknownLook = _LIGHTS.unknown
    turn_on: bool = _LIGHTS.turn_on
    brightness_percent: Annotated[int, Field(ge=1, le=100)] = _LIGHTS.brightness_percent
    neutral_brightness_percent: Annotated[int, Field(ge=1, le=100)] = (
        _LIGHTS.neutral_brightness_percent
    )
    wled_effects: dict[str, Annotated[int, Field(ge=0, le=255)]] = Field(default_factory=dict)
    zigbee2mqtt_effects: dict[str, Annotated[str, Field(min_length=1)]] = Field(
        default_factory=dict
    )

    @field_validator("wled", "zigbee2mqtt", mode="before")
    @classmethod
    def _list_to_first_node(cls, value: object) -> object:
        if not isinstance(value, list | tuple):
            return value
        return {FIRST_NODE: value} if value else {}

    def light_params(self, colors: dict[str, str]) -> LightParams:
        """Return the same values as the lamps' director takes them."""
        names = {field.name for field in dataclasses.fields(LightParams)} - {"colors"}
        return LightParams(colors=colors, **{name: getattr(self, name) for name in names})

    def lamps(self, node: str, *, first: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return one node's WLED devices and Zigbee2MQTT lamps."""
        names = (node, FIRST_NODE) if first else (node,)
        wled = [lamp for name in names for lamp in self.wled.get(name, ())]
        zigbee2mqtt = [lamp for name in names for lamp in self.zigbee2mqtt.get(name, ())]
        return tuple(wled), tuple(zigbee2mqtt)


class MdnsConfig(Table):
    """``[mdns]``: whether the local network is told where the service is."""

    enabled: bool = True
    """Only has an effect where ``[websocket] host`` lets other machines in."""


class LogConfig(Table):
    """``[log]``: messages on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"
    """Text for people, or one JSON object per line."""


class Config(BaseSettings):
    """All settings, checked."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
    )

    source: tuple[SourceConfig, ...] = (SourceConfig(),)
    model: ModelConfig = ModelConfig()
    windows: WindowsConfig = WindowsConfig()
    smoothing: SmoothingConfig = SmoothingConfig()
    terminal: TerminalConfig = TerminalConfig()
    websocket: WebSocketConfig = WebSocketConfig()
    mqtt: MqttConfig = MqttConfig()
    homeassistant: HomeAssistantConfig = HomeAssistantConfig()
    lights: LightsConfig = LightsConfig()
    colors: dict[str, Color] = Field(default_factory=dict)
    history: HistoryConfig = HistoryConfig()

    mdns: MdnsConfig = MdnsConfig()
    log: LogConfig = LogConfig()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the merged layers only: ``load_config`` reads the environment itself."""
        return (init_settings,)

    @field_validator("source", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, dict | SourceConfig) else value

    @field_validator("source")
    @classmethod
    def _nodes_differ(cls, sources: tuple[SourceConfig, ...]) -> tuple[SourceConfig, ...]:
        nodes = [source.node for source in sources]
        if not nodes:
            raise ValueError("at least one [source] is needed")
        if len(set(nodes)) < len(nodes):
            raise ValueError(f"each [[source]] needs a node name of its own; found {nodes}")
        pipes = [source.node for source in sources if source.input in ("-", ("-",))]
        if len(pipes) > 1:
            raise ValueError(
                f"only one [[source]] can read standard input ('-'); found {', '.join(pipes)}"
            )
        return sources

    @field_validator("lights")
    @classmethod
    def _lamps_of_known_nodes(cls, lights: LightsConfig, info: ValidationInfo) -> LightsConfig:
        nodes = [source.node for source in info.data.get("source", ())]
        for node in {*lights.wled, *lights.zigbee2mqtt} - {FIRST_NODE}:
            if nodes and node not in nodes:
                raise ValueError(
                    f"lamps are given for the node {node!r}; the sources' nodes are "
                    f"{', '.join(nodes)}"
                )
        return lights

    @field_validator("colors")
    @classmethod
    def _complete_colors(cls, colors: dict[str, str]) -> dict[str, str]:
        return GENRE_COLORS | colors


def load_config(
    file: Path | None = None,
    flags: dict[str, Any] | None = None,
) -> Config:
    """Read every layer of settings and check the result.

    Args:
        file: a TOML file; None reads ``config.toml`` in the current folder if it exists.
        flags: nested tables from the command line, without the flags that were not given.

    Raises:
        ConfigError: a file cannot be read, or a setting is unknown or out of range.
    """
    return merge_layers(read_layers(file, flags))


def read_layers(
    file: Path | None = None, flags: dict[str, Any] | None = None
) -> dict[str, dict[str, Any]]:
    """Read every layer of settings, by its name, the weakest first; see ``load_config``.

    Raises:
        ConfigError: a file cannot be read, or an environment variable names no setting.
    """
    return {
        "config file": _read_file(file),
        "environment": _read_environment(),
        "command line": flags or {},
    }


def merge_layers(layers: dict[str, dict[str, Any]]) -> Config:
    """Let each layer replace settings of those before it, and check the result.

    Raises:
        ConfigError: a setting is unknown or out of range.
    """
    merged: dict[str, Any] = {}
    for name, layer in layers.items():
        _merge(merged, layer, name)
    try:
        return Config(**merged)
    except ValidationError as error:
        problems = [_describe(problem, layers) for problem in error.errors()]
        raise ConfigError("\n".join(problems)) from None


def _read_file(file: Path | None) -> dict[str, Any]:
    path = file or Path(DEFAULT_FILE_NAME)
    if file is None and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the config file {path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the config file {path} is not valid TOML: {error}") from error


def _read_environment() -> dict[str, Any]:
    tables = {name.upper() for name in Config.model_fields}
    for variable in sorted(os.environ):
        if variable.startswith(ENVIRONMENT_PREFIX):
            table = variable.removeprefix(ENVIRONMENT_PREFIX).split("__")[0]
            if table.upper() not in tables or "__" not in variable:
                raise ConfigError(
                    f"the environment variable {variable} names no setting; they are written "
                    f"{ENVIRONMENT_PREFIX}TABLE__KEY, for example {ENVIRONMENT_PREFIX}MQTT__HOST, "
                    f"with the tables {', '.join(sorted(tables))}"
                )
    return dict(EnvSettingsSource(Config)())


def _merge(merged: dict[str, Any], layer: dict[str, Any], layer_name: str) -> None:
    for key, value in layer.items():
        below = merged.get(key)
        if key == "source" and isinstance(below, list) and isinstance(value, dict):
            if len(below) != 1:
                raise ConfigError(
                    f"[source] is set by the {layer_name}, but the config file has {len(below)} "
                    "[[source]] tables; change them there, or use another file with --config"
                )
            below = below[0]
            merged[key] = below
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = dict(below)
            _merge(merged[key], value, layer_name)
        else:
            merged[key] = value


def _describe(problem: Any, layers: dict[str, dict[str, Any]]) -> str:
    location = [part for part in problem["loc"] if not str(part).startswith("function-")]
    if not location:
        return f"the settings cannot be read: {problem['msg']}"
    table, keys = location[0], location[1:]
    name = f"[{table}]"
    if keys:
        name += " " + ".".join(str(key) for key in keys[:2] if not isinstance(key, int))
    where = next(
        (layer for layer, values in reversed(layers.items()) if table in values), "defaults"
    )
    if problem["type"] == "extra_forbidden":
        return f"{name} ({where}): there is no such setting; {_allowed_keys(str(table), keys)}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    secret = str(location[-1]) in {"password", "token"}
    # Tables hold secrets of their own, such as the password in a stream's address.
    hidden = secret or isinstance(problem["input"], dict | list | tuple)
    value = "" if hidden else f" = {problem['input']!r}"
    return f"{name}{value} ({where}): {message}"


def _allowed_keys(table: str, keys: list[Any]) -> str:
    if not keys:
        return f"the tables are {', '.join(Config.model_fields)}"
    annotation = SourceConfig if table == "source" else Config.model_fields[table].annotation
    fields = getattr(annotation, "model_fields", {})
    return f"the keys of [{table}] are {', '.join(fields)}"
