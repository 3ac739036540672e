"""Where settings come from: defaults < file < RTGENRE_* < flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rtgenre.config.environment import read_environment
from rtgenre.config.errors import ConfigError
from rtgenre.config.explain import explain
from rtgenre.config.file import find_config_file, read_config_file
from rtgenre.config.listening import SourceConfig
from rtgenre.config.settings import Config
from rtgenre.config.smarthome import split_broker_address
from rtgenre.config.table import settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic.fields import FieldInfo

Layers = dict[str, dict[str, Any]]
"""Each layer's tables by its name, the weakest first."""

_NEEDED = "it must be "


def load_config(
    file: Path | None = None,
    flags: dict[str, Any] | None = None,
) -> Config:
    """Read every layer of settings and check the result.

    Args:
        file: a TOML file; None reads the one that ``find_config_file`` finds.
        flags: nested tables from the command line, without the flags that were not given.

    Raises:
        ConfigError: a file cannot be read, or a setting is unknown or out of range.
    """
    return merge_layers(read_layers(file, flags))


def read_layers(file: Path | None = None, flags: dict[str, Any] | None = None) -> Layers:
    """Read every layer of settings, by its name, the weakest first; see ``load_config``.

    Raises:
        ConfigError: a file cannot be read, or an environment variable names no setting.
    """
    path = file or find_config_file()
    layers = {
        "config file": {} if path is None else read_config_file(path),
        "environment": read_environment(),
        "command line": flags or {},
    }
    return {name: split_broker_address(layer) for name, layer in layers.items()}


def merge_layers(layers: Layers) -> Config:
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
        raise ConfigError("\n".join(_describe_all(error.errors(), layers))) from None


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


def _describe_all(problems: list[Any], layers: Layers) -> list[str]:
    """Describe each setting once, though several kinds of values may be allowed for it."""
    told: list[tuple[str, str]] = []
    for place, message in (_describe(problem, layers) for problem in problems):
        is_needed = message.startswith(_NEEDED)
        if is_needed and told and told[-1][0] == place and told[-1][1].startswith(_NEEDED):
            told[-1] = place, f"{told[-1][1]} or {message.removeprefix(_NEEDED)}"
        else:
            told.append((place, message))
    return [f"{place}: {message}" for place, message in told]


def _describe(problem: Any, layers: Layers) -> tuple[str, str]:
    """Say where a problem is, and what it is."""
    location = [part for part in problem["loc"] if not str(part).startswith("function-")]
    if not location:
        return "the settings cannot be read", str(problem["msg"])
    table, keys = location[0], location[1:]
    name = f"[{table}]"
    if keys:
        # A list of lamps is that of the room without a name.
        name += " " + ".".join(str(key) for key in keys[:2] if not isinstance(key, int) and key)
    where = _origin(layers, table, keys)
    if problem["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        allowed = _allowed_keys(str(table), keys)
        return f"{name} ({where})", f"there is no such setting; {allowed}"
    message = explain(problem, _setting(str(table), keys))
    secret = bool({"password", "token", "tokens"} & {str(part) for part in location})
    # Tables hold secrets of their own, such as the password in a stream's address.
    hidden = secret or isinstance(problem["input"], dict | list | tuple)
    value = "" if hidden else f" = {problem['input']!r}"
    return f"{name}{value} ({where})", message


def _origin(layers: Layers, table: Any, keys: list[Any]) -> str:
    """Name the strongest layer that has the setting; the table, where no setting alone is meant."""
    key = next((key for key in keys if isinstance(key, str)), None)
    for name, layer in reversed(layers.items()):
        values = layer.get(table)
        tables = values if isinstance(values, list | tuple) else [values]
        if table in layer and (
            key is None or any(isinstance(each, dict) and key in each for each in tables)
        ):
            return name
    return "defaults"


def _allowed_keys(table: str, keys: list[Any]) -> str:
    if not keys:
        return f"the tables are {', '.join(Config.model_fields)}"
    return f"the keys of [{table}] are {', '.join(_settings(table))}"


def _settings(table: str) -> Mapping[str, FieldInfo]:
    """Return the declared settings of a table by their keys."""
    if table == "source":
        return settings_of(SourceConfig)
    known = Config.model_fields.get(table)
    return {} if known is None else settings_of(known.annotation)


def _setting(table: str, keys: list[Any]) -> FieldInfo | None:
    key = next((key for key in keys if isinstance(key, str)), "")
    return _settings(table).get(key)
