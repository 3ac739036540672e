"""``rtgenre config check``: whether the settings can be used, and what is risky about them."""

from __future__ import annotations

import stat
import sys
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from rtgenre.commands.options import add_config_file, add_run_settings, flags_of
from rtgenre.config import (
    Config,
    SourceConfig,
    config_file_name,
    find_config_file,
    foreign_config_file,
    merge_layers,
    read_layers,
    settings_of,
    settings_without_effect,
)
from rtgenre.model.folders import find_model_folder
from rtgenre.model.info import read_model_info
from rtgenre.outputs.secret import read_secret
from rtgenre.service.outputs import check_files

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from rtgenre.config import Layers

_SECRET_FILES = (
    ("websocket", "token_file"),
    ("websocket", "key_file"),
    ("hub", "token_file"),
    ("mqtt", "password_file"),
    ("mqtt", "key_file"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    add_run_settings(parser)


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    return check_config(options.config, flags_of(options))


def check_config(file: Path | None, flags: dict[str, Any]) -> int:
    """Say that the settings are good, and what is risky about them; return the exit code.

    Raises:
        ConfigError: they are not good.
        ModelError: the model cannot be used.
        OutputError: a secret or a certificate that it names cannot be used.
    """
    layers = read_layers(file, flags)
    config = merge_layers(layers)
    check_files(config)
    read_secret(config.hub.token, config.hub.token_file, "[hub] token_file")
    info = read_model_info(find_model_folder(config.model.folder))
    n_set = sum(1 for layer in layers.values() for table in layer.values() for _ in _keys(table))
    told = "1 setting is set" if n_set == 1 else f"{n_set} settings are set"
    print(f"{config_file_name(file)}: no problems; {told}")
    if file is None and (foreign := foreign_config_file()):
        print(f"{foreign} is another program's and not read")
    without_effect = settings_without_effect(config, model=info.name, labels=info.labels)
    for warning in [*warnings(file, layers), *open_secret_files(config), *without_effect]:
        print(f"warning: {warning}", file=sys.stderr)
    return 0


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


def open_secret_files(config: Config) -> Iterator[str]:
    """Yield which files that hold a secret everybody on this machine can read."""
    for table, key in _SECRET_FILES:
        path: Path | None = getattr(getattr(config, table), key)
        if path is not None and path.exists() and path.stat().st_mode & stat.S_IROTH:
            told = f"[{table}] {key} = {str(path)!r}"
            yield f"{told} can be read by other users; run `chmod o= {path}`"


def _is_secret(table: str, key: str) -> bool:
    model = SourceConfig if table == "source" else Config.model_fields[table].annotation
    field = settings_of(model).get(key)
    return field is not None and field.annotation in (SecretStr, dict[str, SecretStr])


def _keys(table: Any) -> Iterator[str]:
    for part in table if isinstance(table, list) else [table]:
        yield from part
