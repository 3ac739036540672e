"""Every setting: one model per TOML table; defaults < file < RTGENRE_* < flags."""

from rtgenre.config.checks import Node, node_called
from rtgenre.config.errors import ConfigError
from rtgenre.config.explain import limits_of
from rtgenre.config.file import (
    config_file_name,
    find_config_file,
    foreign_config_file,
    settings_template,
    users_config_file,
)
from rtgenre.config.layers import Layers, load_config, merge_layers, read_layers
from rtgenre.config.listening import SourceConfig
from rtgenre.config.outputs import HistoryConfig, HubConfig, TeachConfig, WebSocketConfig
from rtgenre.config.remarks import settings_without_effect
from rtgenre.config.settings import ENVIRONMENT_PREFIX, Config
from rtgenre.config.smarthome import LightsConfig, MqttConfig
from rtgenre.config.table import settings_of, values_of
from rtgenre.config.template import begun_settings

__all__ = [
    "ENVIRONMENT_PREFIX",
    "Config",
    "ConfigError",
    "HistoryConfig",
    "HubConfig",
    "Layers",
    "LightsConfig",
    "MqttConfig",
    "Node",
    "SourceConfig",
    "TeachConfig",
    "WebSocketConfig",
    "begun_settings",
    "config_file_name",
    "find_config_file",
    "foreign_config_file",
    "limits_of",
    "load_config",
    "merge_layers",
    "node_called",
    "read_layers",
    "settings_of",
    "settings_template",
    "settings_without_effect",
    "users_config_file",
    "values_of",
]
