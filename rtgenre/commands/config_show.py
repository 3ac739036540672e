"""``rtgenre config show``: every setting, and where it comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from rtgenre.commands.options import add_config_file, add_run_settings, flags_of
from rtgenre.config import (
    ENVIRONMENT_PREFIX,
    Config,
    config_file_name,
    merge_layers,
    read_layers,
    values_of,
)
from rtgenre.monitoring.logs import MASK, mask

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rtgenre.config import Layers

_ORIGIN_COLUMN = 44


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    add_run_settings(parser)


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    return show_config(options.config, flags_of(options))


def show_config(file: Path | None, flags: dict[str, Any]) -> int:
    """Print every setting as TOML with its origin, secrets masked; return the exit code.

    Raises:
        ConfigError: a setting is unknown or out of range.
    """
    layers = read_layers(file, flags)
    for line in described(merge_layers(layers), layers, config_file_name(file)):
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
