"""All tables together, and what must hold between them."""

from __future__ import annotations

from collections import Counter

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from rtgenre.config.checks import Color
from rtgenre.config.listening import ModelConfig, SmoothingConfig, SourceConfig, WindowsConfig
from rtgenre.config.outputs import (
    HistoryConfig,
    HubConfig,
    LogConfig,
    MdnsConfig,
    TeachConfig,
    TerminalConfig,
    WebSocketConfig,
)
from rtgenre.config.smarthome import FIRST_NODE, HomeAssistantConfig, LightsConfig, MqttConfig
from rtgenre.outputs.colors import GENRE_COLORS

ENVIRONMENT_PREFIX = "RTGENRE_"

_MAX_NAMED = 5


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
    """Where the music comes from. For several rooms write [[source]] several times, each with a
    node."""
    model: ModelConfig = ModelConfig()
    """What classifies."""
    windows: WindowsConfig = WindowsConfig()
    """How often to look."""
    smoothing: SmoothingConfig = SmoothingConfig()
    """How calm the shown genre is."""
    terminal: TerminalConfig = TerminalConfig()
    """What is printed."""
    websocket: WebSocketConfig = WebSocketConfig()
    """WebSocket, HTTP and the page, on one port."""
    mqtt: MqttConfig = MqttConfig()
    """The MQTT broker."""
    homeassistant: HomeAssistantConfig = HomeAssistantConfig()
    """Home Assistant finds every node by itself, over the broker above."""
    lights: LightsConfig = LightsConfig()
    """Lamps that follow the music, over the broker above. Their colours are in [colors]."""
    colors: dict[str, Color] = Field(default_factory=dict)
    """Colours on the page, in the terminal and on lamps. Colour-blind people can tell them apart,
    too. Other genres, those of a model of your own, get a colour by themselves, or from here."""
    history: HistoryConfig = HistoryConfig()
    """What was heard: `rtgenre history` prints it and the page draws it."""
    hub: HubConfig = HubConfig()
    """`rtgenre hub` shows the rooms of all machines on one page. These settings are for their
    spectrograms, and for the lists of what they were taught."""
    teach: TeachConfig = TeachConfig()
    """Saying what is playing, on the page or else, so that it is known from then on."""
    mdns: MdnsConfig = MdnsConfig()
    """Tells the local network where the service is (_rtgenre._tcp), if other machines may
    connect."""
    log: LogConfig = LogConfig()
    """Messages on standard error."""

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
        twice = [node for node, n_sources in Counter(nodes).items() if n_sources > 1]
        if twice:
            found = ", ".join(twice[:_MAX_NAMED])
            unnamed = any(
                source.node in twice and "node" not in source.model_fields_set for source in sources
            )
            remark = " (which one without a node has: this machine's name)" if unnamed else ""
            raise ValueError(
                f"each [[source]] needs a node name of its own; found twice: {found}{remark}"
            )
        pipes = [source.node for source in sources if source.input in ("-", ("-",))]
        if len(pipes) > 1:
            raise ValueError(
                f"only one [[source]] can read standard input ('-'); found {', '.join(pipes)}"
            )
        return sources

    @field_validator("mqtt")
    @classmethod
    def _nothing_is_heard_of_oneself(cls, mqtt: MqttConfig, info: ValidationInfo) -> MqttConfig:
        for source in info.data.get("source", ()):
            if source.playing_topic.startswith(f"{mqtt.topic_prefix}/"):
                raise ValueError(
                    f"the playing_topic {source.playing_topic!r} of the source {source.node!r} is "
                    f"below {mqtt.topic_prefix}/, where rtgenre itself speaks; name another "
                    "program's topic, or none"
                )
        return mqtt

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
