"""The file that the page writes settings into: read, checked, and replaced as a whole."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import threading
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from rtgenre.config.errors import ConfigError
from rtgenre.config.file import find_config_file, settings_template, users_config_file
from rtgenre.config.lamps import in_the_files_form, refuse_other_lamps
from rtgenre.config.layers import Layers, merge_layers, read_layers
from rtgenre.config.private_file import written_beside
from rtgenre.config.smarthome import split_broker_address
from rtgenre.config.template import begun_settings
from rtgenre.config.writing import changed_text

if TYPE_CHECKING:
    from pathlib import Path

    from rtgenre.config.settings import Config
    from rtgenre.config.writing import Changes

_HEAD = "Begun by rtgenre's page. What begins with # is not in force, and says what else there is."
_CHECKSUM_DIGITS = 16


class SettingsFileError(ConfigError):
    """The file cannot be written; nothing was changed."""


class ChangedMeanwhileError(SettingsFileError):
    """The file is not the one that was looked at; nothing was changed."""


class WrittenSettings(NamedTuple):
    """What the file holds."""

    text: str
    """Empty where there is no file yet."""
    checksum: str
    """Sixteen hex digits of the SHA-256 of its bytes; empty where there is no file yet."""


class SettingsFile:
    """The file that is read at the start, or else would be; several threads may use it."""

    def __init__(self, file: Path | None, flags: dict[str, Any]) -> None:
        """Take what the command line says.

        Args:
            file: the file that it names; None: the one that is found, else the user's own.
            flags: settings that are stronger than the file.
        """
        self.path = (file or find_config_file() or users_config_file()).expanduser().absolute()
        self._flags = flags
        self._lock = threading.Lock()

    def read(self) -> WrittenSettings:
        """Return what the file holds now.

        Raises:
            SettingsFileError: it cannot be read.
        """
        try:
            data = self.path.read_bytes()
            text = data.decode()
        except FileNotFoundError:
            return WrittenSettings("", "")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsFileError(
                f"the config file {self.path} cannot be read: {error}"
            ) from None
        return WrittenSettings(text, hashlib.sha256(data).hexdigest()[:_CHECKSUM_DIGITS])

    def load(self) -> Config:
        """Return all settings as they are with what the file holds now.

        Raises:
            ConfigError: they cannot be used.
        """
        return merge_layers(read_layers(self.path if self.path.exists() else None, self._flags))

    def problem(self) -> str | None:
        """Return why the file cannot be written, as far as that shows beforehand; else None."""
        path = self.path
        try:
            if not stat.S_IMODE(path.stat().st_mode) & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
                return f"the settings file {path} is read-only; allow it to be written, or edit it"
        except OSError:
            pass
        folder = next(each for each in path.parents if each.exists())
        if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
            return f"the settings file {path} is not this user's to write; change that, or edit it"
        return None

    def change(self, changes: Changes, *, checksum: str, node: str | None = None) -> Config:
        """Write other values into the file, and return all settings as they are then.

        Args:
            changes: what is to be set, by table and key; lists of lamps are those of ``node``.
            checksum: of the file that was looked at.
            node: which of the sources is meant; None: the only one.

        Raises:
            ChangedMeanwhileError: the file is another one by now.
            SettingsFileError: it cannot be written.
            ConfigError: a setting is unknown or out of range, or something stronger sets it.
        """
        with self._lock:
            if (problem := self.problem()) is not None:
                raise SettingsFileError(problem)
            now = self.read()
            if now.checksum != checksum:
                raise ChangedMeanwhileError(
                    f"{self.path} was changed meanwhile, by another page or an editor; nothing was "
                    "saved: look at the settings as they are now, and change them again"
                )
            mark = "\ufeff" if now.text.startswith("\ufeff") else ""
            text = now.text.removeprefix(mark) or begun_settings(settings_template(), {}, _HEAD)
            layers = read_layers(self.path if now.checksum else None, self._flags)
            nodes = [source.node for source in merge_layers(layers).source]
            index = _source_index(nodes, node)
            written = in_the_files_form(changes, layers["config file"], nodes[index], nodes)
            text = changed_text(text, written, source_index=index)
            layers["config file"] = split_broker_address(tomllib.loads(text))
            config = merge_layers(layers)
            _refuse_without_effect(changes, layers)
            refuse_other_lamps(config, changes, nodes[index])
            try:
                data = (mark + text).encode()
            except UnicodeEncodeError:
                raise ConfigError("half a character is no text, and no file takes it") from None
            self._replace(data)
            return config

    def _replace(self, data: bytes) -> None:
        """Replace the file as a whole, also where its name is a link to it."""
        path = self.path.resolve()
        try:
            with written_beside(path, data) as made:
                if path.exists():
                    shutil.copymode(path, made)
                    _keep_owner(path, made)
                made.replace(path)
        except OSError as error:
            raise SettingsFileError(
                f"the settings file {path} cannot be written: {error.strerror}; nothing was changed"
            ) from error


def _source_index(nodes: list[str], node: str | None) -> int:
    if node is None and len(nodes) == 1:
        return 0
    if node not in nodes:
        raise ConfigError(
            f"there is no room {node!r} in the file; its rooms are {', '.join(nodes)}"
        )
    return nodes.index(node)


def _keep_owner(path: Path, made: Path) -> None:
    if not hasattr(os, "chown") or os.geteuid() != 0:
        return
    status = path.stat()
    os.chown(made, status.st_uid, status.st_gid)


def _refuse_without_effect(changes: Changes, layers: Layers) -> None:
    """Refuse to write what the environment or the command line sets otherwise.

    Raises:
        ConfigError: one of the settings would have no effect.
    """
    for table, values in changes.items():
        for key in values:
            for name in ("command line", "environment"):
                if key in layers[name].get(table, {}):
                    raise ConfigError(
                        f"[{table}] {key} is set by the {name}, which is stronger than the file; "
                        "change it there"
                    )
