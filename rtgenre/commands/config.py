"""``rtgenre config check`` and ``rtgenre config show``: settings, and where each comes from."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from rtgenre.config import (
    ENVIRONMENT_PREFIX,
    Config,
    SourceConfig,
    find_config_file,
    foreign_config_file,
    merge_layers,
    read_layers,
    settings_of,
    settings_without_effect,
    values_of,
)
from rtgenre.model.folders import find_model_folder
from rtgenre.model.info import ModelError, read_model_info
from rtgenre.monitoring.logs import MASK, mask
from rtgenre.outputs.web.endpoint import read_token

if TYPE_CHECKING:
    from collections.abc import Iterator

Layers = dict[str, dict[str, Any]]

_ORIGIN_COLUMN = 44


def check_config(file: Path | None, flags: dict[str, Any]) -> int:
    """Say that the settings are good, and what is risky about them; return the exit code.

    Raises:
        ConfigError: they are not good.
        OutputError: the token's file cannot be read.
    """
    layers = read_layers(file, flags)
    config = merge_layers(layers)
    if config.websocket.enabled:
        read_token(config.websocket)
    n_set = sum(1 for layer in layers.values() for table in layer.values() for _ in _keys(table))
    print(f"{_file_name(file)}: no problems; {n_set} settings are set")
    if file is None and (foreign := foreign_config_file()):
        print(f"{foreign} is another program's and not read")
    for warning in [*warnings(file, layers), *_without_effect(config)]:
        print(f"warning: {warning}", file=sys.stderr)
    return 0


def show_config(file: Path | None, flags: dict[str, Any]) -> int:
    """Print every setting as TOML with its origin, secrets masked; return the exit code.

    Raises:
        ConfigError: a setting is unknown or out of range.
    """
    layers = read_layers(file, flags)
    for line in described(merge_layers(layers), layers, _file_name(file)):
        print(line)
    return 0


def described(config: Config, layers: Layers, file_name: str) -> Iterator[str]:
    """Yield the settings as the lines of a TOML file, each with its origin as a comment."""
    several = len(config.source) > 1
    for table_name in type(config).model_fields:
        value = getattr(config, table_name)
        if table_name == "source":
            for index, source in enumerate(value):
                yield "[[source]]" if several else "[source]"
                yield from _lines(source, layers, table_name, index, file_name)
                yield ""
        else:
            yield f"[{table_name}]"
            yield from _lines(value, layers, table_name, 0, file_name)
            yield ""


def warnings(file: Path | None, layers: Layers) -> Iterator[str]:
    """Yield what is risky: secrets that other users of the machine can read."""
    path = file or find_config_file()
    secrets = [
        f"[{table}] {key}"
        for table, values in layers["config file"].items()
        if isinstance(values, dict)
        for key, value in values.items()
        if value and _is_secret(table, key)
    ]
    if secrets and path is not None and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield (
            f"{path} holds {' and '.join(secrets)} and can be read by other users; "
            f"run `chmod 600 {path}`, or use a *_file setting or the environment instead"
        )


def _without_effect(config: Config) -> Iterator[str]:
    try:
        info = read_model_info(find_model_folder(config.model.folder))
    except ModelError as error:
        yield str(error)
    else:
        yield from settings_without_effect(config, model=info.name, labels=info.labels)


def _lines(table: Any, layers: Layers, name: str, index: int, file_name: str) -> Iterator[str]:
    for key, value in values_of(table).items():
        origin = _origin(layers, name, key, index, file_name)
        text = f"# {key} is not set" if value is None else f"{key} = {_toml(value)}"
        yield f"{text:<{_ORIGIN_COLUMN}} # {origin}"


def _origin(layers: Layers, table: str, key: str, index: int, file_name: str) -> str:
    """Name the strongest layer that sets a key."""
    for name, layer in reversed(layers.items()):
        values = layer.get(table, {})
        if isinstance(values, list):
            values = values[index]
        if isinstance(values, dict) and key in values:
            if name == "environment":
                variable = f"{ENVIRONMENT_PREFIX}{table}__{key}".upper()
                return f"environment: {variable}"
            return file_name if name == "config file" else name
    return "default"


def _toml(value: Any) -> str:
    """Write a setting as TOML; JSON's strings, numbers and booleans are TOML's, too."""
    if isinstance(value, SecretStr):
        return json.dumps(MASK if value.get_secret_value() else "")
    if isinstance(value, dict):
        pairs = [f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()]
        return "{ " + ", ".join(pairs) + " }" if pairs else "{}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, str | Path):
        return json.dumps(mask(str(value)), ensure_ascii=False)
    return json.dumps(value)


def _is_secret(table: str, key: str) -> bool:
    model = SourceConfig if table == "source" else Config.model_fields[table].annotation
    field = settings_of(model).get(key)
    return field is not None and field.annotation in (SecretStr, dict[str, SecretStr])


def _keys(table: Any) -> Iterator[str]:
    for part in table if isinstance(table, list) else [table]:
        yield from part


def _file_name(file: Path | None) -> str:
    return str(file or find_config_file() or "no config file")
