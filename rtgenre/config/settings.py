"""All tables together, and what must hold between them."""

from __future__ import annotations

from collections import Counter

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from rtgenre.config.checks import Color
from rtgenre.config.listening import ModelConfig, SmoothingConfig, SourceConfig, WindowsConfig
from rtgenre.config.outputs import (
    HistoryConfig,
    LogConfig,
    MdnsConfig,
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
        twice = [node for node, n_sources in Counter(nodes).items() if n_sources > 1]
        if twice:
            found = ", ".join(twice[:_MAX_NAMED])
            raise ValueError(f"each [[source]] needs a node name of its own; found twice: {found}")
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
