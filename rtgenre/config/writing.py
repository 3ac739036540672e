"""Changes single settings in the text of a file, and leaves all else as somebody wrote it.

tomlkit keeps comments and order; but it sets a new key behind the comments about the next table,
so that one gets a line below the comment that describes it.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from rtgenre.config.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Value = str | int | float | bool | list[str]
Changes = dict[str, dict[str, Value]]
"""By table and key."""

_HEADER = re.compile(r"\s*\[{1,2}\s*[\"']?([\w-]+)[\"']?\s*\]{1,2}\s*(#.*)?")
_KEY = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*=")


def changed_text(text: str, changes: Changes, *, source_index: int = 0) -> str:
    """Return the text of a settings file with other values; all else is kept.

    Args:
        text: TOML.
        changes: what is to be set.
        source_index: which of the ``[[source]]`` tables is meant by ``source``.

    Raises:
        ConfigError: the text is no TOML, or it cannot be changed without losing something.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    try:
        wanted = tomllib.loads(text)
        for table, key, value in _each(changes):
            _table(wanted, table, source_index)[key] = value
            text = _set(text, (table, key, value), source_index, newline)
        if tomllib.loads(text) == wanted:
            return text
    except (ValueError, TOMLKitError, RecursionError) as error:
        raise ConfigError(f"the settings file is not valid TOML: {error}") from error
    raise ConfigError(
        "the settings file is written in a way that this program cannot change without losing "
        "something; change it in an editor"
    )


def _each(changes: Changes) -> Iterator[tuple[str, str, Value]]:
    for table, values in changes.items():
        for key, value in values.items():
            yield table, key, value


def _table(document: Any, name: str, source_index: int) -> Any:
    """Return a table of a document, which is made where it is missing."""
    found = document.setdefault(name, {})
    if not isinstance(found, list):
        return found
    while len(found) <= source_index:
        found.append({})
    return found[source_index]


def _set(text: str, change: tuple[str, str, Value], source_index: int, newline: str) -> str:
    table, key, value = change
    document = tomlkit.parse(text)
    found = document.get(table)
    if isinstance(found, list) and source_index < len(found):
        found = found[source_index]
    if isinstance(found, dict) and key in found:
        found[key] = value
        return tomlkit.dumps(document)
    line = f"{_key(key)} = {tomlkit.item(value).as_string()}"
    lines = text.splitlines(keepends=True)
    header = _header(lines, table, source_index)
    if header is not None:
        at = _place(lines, header, key)
        if not lines[at - 1].endswith("\n"):
            lines[at - 1] += newline
        return "".join([*lines[:at], line + newline, *lines[at:]])
    if found is None:
        gap = "" if not text else newline if text.endswith("\n") else 2 * newline
        return f"{text}{gap}[{table}]{newline}{line}{newline}"
    # Written otherwise, as `smoothing.switch_margin = 0.2` or as { … }.
    found[key] = value
    return tomlkit.dumps(document)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else tomlkit.item(key).as_string()


def _header(lines: list[str], table: str, source_index: int) -> int | None:
    """Return the line that begins a table; of ``source``, the one that is meant."""
    headers = [i for i, line in enumerate(lines) if _name(line) == table]
    index = source_index if table == "source" else 0
    return headers[index] if index < len(headers) else None


def _name(line: str) -> str | None:
    match = _HEADER.fullmatch(line.rstrip("\r\n"))
    return None if match is None else match[1]


def _place(lines: list[str], header: int, key: str) -> int:
    """Return before which line a new key goes: after its own comment, else after the last key."""
    at = header + 1
    described = re.compile(rf"\s*#\s*{re.escape(key)}\s*=")
    for number in range(header + 1, len(lines)):
        if lines[number].lstrip().startswith("["):
            break
        if described.match(lines[number]):
            return _end_of_comment(lines, number)
        if _KEY.match(lines[number]):
            at = number + 1
    return at


def _end_of_comment(lines: list[str], number: int) -> int:
    """Return the line behind a commented setting, whose comment may go on in the next lines."""
    number += 1
    while number < len(lines) and re.match(r"\s{8,}#|#\s{8,}#", lines[number]):
        number += 1
    return number


def changes_of(tables: Mapping[str, Any]) -> Changes:
    """Return what a client asks to change, as far as it has the shape of settings.

    Raises:
        ConfigError: it has not.
    """
    for table, values in tables.items():
        if not isinstance(values, dict) or not all(map(_is_value, values.values())):
            raise ConfigError(f"[{table}] takes values by key: texts, numbers, true or false")
    return {table: dict(values) for table, values in tables.items()}


def _is_value(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, str) for each in value)
    return isinstance(value, str | int | float | bool)
