"""Changes single settings in the text of a file, and leaves all else as somebody wrote it.

tomlkit keeps comments and order; but it sets a new key behind the comments about the next table,
so that one gets a line below the comment that describes it.
"""

from __future__ import annotations

import re
import tomllib
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from rtgenre.config.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tomlkit.items import Item

Value = str | int | float | bool | list[str] | dict[str, list[str]]
"""One with names sets only these of the table that is there."""
Changes = dict[str, dict[str, Value]]
"""By table and key."""

_HEADER = re.compile(r"\s*\[{1,2}\s*[\"']?([\w-]+)[\"']?\s*\]{1,2}\s*(#.*)?")
_WOULD_LOSE = (
    "the settings file is written in a way that this program cannot change without losing "
    "something; change it in an editor"
)
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
            _want(_table(wanted, table, source_index), key, value)
            text = _set(text, (table, key, value), source_index, newline)
        if tomllib.loads(text) == wanted:
            return text
    except (ValueError, TOMLKitError, RecursionError) as error:
        raise ConfigError(f"the settings file is not valid TOML: {error}") from error
    raise ConfigError(_WOULD_LOSE)


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


def _want(table: dict[str, Any], key: str, value: Value) -> None:
    if isinstance(value, dict) and isinstance(table.get(key), dict):
        table[key] |= value
    else:
        table[key] = value


def _set(text: str, change: tuple[str, str, Value], source_index: int, newline: str) -> str:
    table, key, value = change
    document = tomlkit.parse(text)
    found = document.get(table)
    if isinstance(found, list) and source_index < len(found):
        found = found[source_index]
    if isinstance(found, dict) and key in found:
        _replace(found, key, value)
        return tomlkit.dumps(document)
    line = f"{_key(key)} = {_item(value).as_string()}"
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
    found[key] = _item(value)
    return tomlkit.dumps(document)


def _replace(table: Any, key: str, value: Value) -> None:
    """Set what has a value already; of lists and tables, only what differs.

    Raises:
        ConfigError: comments inside a list would be lost.
    """
    present = table[key]
    if isinstance(value, dict) and isinstance(present, dict):
        for name, each in value.items():
            if name in present:
                _replace(present, name, each)
            else:
                present[name] = each
    elif isinstance(value, list) and isinstance(present, list):
        _edit(present, value)
    elif isinstance(present, list) and "#" in present.as_string():  # type: ignore[attr-defined]
        raise ConfigError(_WOULD_LOSE)
    else:
        table[key] = _item(value)


def _edit(present: list[Any], wanted: list[str]) -> None:
    """Change a list's items one by one: each keeps the comment behind it."""
    steps = SequenceMatcher(a=[str(each) for each in present], b=wanted, autojunk=False)
    for _, start, end, new_start, new_end in reversed(steps.get_opcodes()):
        new = wanted[new_start:new_end]
        n_kept = min(end - start, len(new))
        for at in range(end - 1, start + n_kept - 1, -1):
            del present[at]
        for at, name in enumerate(new):
            if at >= n_kept:
                present.insert(start + at, name)
            elif present[start + at] != name:
                present[start + at] = name


def _item(value: Value) -> Item:
    if not isinstance(value, dict):
        return tomlkit.item(value)
    table = tomlkit.inline_table()
    table.update(value)
    return table


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
    at = number = header + 1
    described = re.compile(rf"\s*#\s*{re.escape(key)}\s*=")
    while number < len(lines) and not lines[number].lstrip().startswith("["):
        if described.match(lines[number]):
            return _end_of_comment(lines, number)
        if _KEY.match(lines[number]):
            at = number = _end_of_value(lines, number)
        else:
            number += 1
    return at


def _end_of_value(lines: list[str], number: int) -> int:
    """Return the line behind a setting, whose value may go on in the next lines."""
    for end in range(number + 1, len(lines) + 1):
        try:
            tomllib.loads("".join(lines[number:end]))
        except ValueError:
            continue
        return end
    return number + 1


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
