"""The file that holds settings: where it is looked for, and how it is read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from platformdirs import user_config_path
from pydantic import ValidationError

from rtgenre.config.errors import ConfigError
from rtgenre.config.settings import Config

OWN_NAME = "rtgenre.toml"
COMMON_NAME = "config.toml"
"""Other programs call theirs so, too."""

_HINTS = {
    "Invalid value": '; write text in quotes, as "broker", and yes and no as true and false',
    "Unescaped '\\'": "; write it in single quotes, as 'C:\\Music'",
}
"""What to do about what people write who do not know TOML, by the beginning of what Python says."""

_HEADER = re.compile(r"^\s*\[\[?\s*[\"']?([\w-]+)", re.MULTILINE)
_SOURCE = re.compile(r"^\s*(\[\[?)\s*source\s*\]", re.MULTILINE)
_KEY = re.compile(r"^\s*[\"']?([\w-]+)[\"']?\s*[.=]", re.MULTILINE)


def users_config_file() -> Path:
    """Return where this user's settings are, if there are any."""
    return user_config_path("rtgenre", appauthor=False) / COMMON_NAME


def settings_template() -> str:
    """Return the file that comes with rtgenre: every setting with its default and a comment."""
    return _shipped_file().read_text(encoding="utf-8")


def find_config_file() -> Path | None:
    """Return the file that is read where none is named; None if there is none.

    That is ``rtgenre.toml`` or a ``config.toml`` of rtgenre's in the current folder, else
    ``config.toml`` in the user's folder for the settings of rtgenre. The one that comes with the
    source is passed over while it is as it came: it would hide the user's own.
    """
    own, common = Path(OWN_NAME), Path(COMMON_NAME)
    if own.is_file():
        return own
    if common.is_file() and _is_own(common) and not _is_as_shipped(common):
        return common
    users = users_config_file()
    return users if users.is_file() else None


def foreign_config_file() -> Path | None:
    """Return a ``config.toml`` in the current folder that belongs to another program."""
    common = Path(COMMON_NAME)
    return common if common.is_file() and not _is_own(common) else None


def config_file_name(file: Path | None) -> str:
    """Return what to call the file that is read: ``file``, else the one that is found."""
    return str(file or find_config_file() or "no config file")


def read_config_file(path: Path) -> dict[str, Any]:
    """Read the tables of a TOML file.

    Raises:
        ConfigError: it cannot be read or is no TOML.
    """
    try:
        # Some editors begin a file with a byte order mark, which TOML does not know.
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"the config file {path} cannot be read: {reason}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"the config file {path} cannot be read: {error}") from error
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"the config file {path} is nested too deeply") from None
    except ValueError as error:
        # Of a number too long for Python it tells how to allow that, which nobody needs.
        reason = str(error).partition("; use sys.")[0]
        reason += next((hint for start, hint in _HINTS.items() if reason.startswith(start)), "")
        if _has_one_and_several_sources(text):
            reason = "it has [source] and [[source]]; write [[source]] above each room"
        raise ConfigError(f"the config file {path} is not valid TOML: {reason}") from error


def _shipped_file() -> Path:
    package = Path(__file__).resolve().parents[1]
    # Beside the package in a checkout, inside it in a wheel.
    return next(
        path for folder in (package, package.parent) if (path := folder / COMMON_NAME).is_file()
    )


def _is_as_shipped(path: Path) -> bool:
    """Say whether this is the file that comes with the source, and all in it at its default."""
    if not path.samefile(_shipped_file()):
        return False
    try:
        return Config(**read_config_file(path)) == Config()
    except (ConfigError, ValidationError):
        return False


def _has_one_and_several_sources(text: str) -> bool:
    """Say whether a room was added below the table of the first, as `rtgenre init` writes it."""
    return {"[", "[["} <= set(_SOURCE.findall(text))


def _is_own(path: Path) -> bool:
    """Say whether most of a file's tables are rtgenre's, whatever mistakes are in it."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return False
    before_tables = text[: first.start()] if (first := _HEADER.search(text)) else text
    names = {*_HEADER.findall(text), *_KEY.findall(before_tables)}
    return 2 * len(names & Config.model_fields.keys()) > len(names)
