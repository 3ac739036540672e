"""A settings file to begin with: those that were chosen, and every other as a comment. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_TABLE = re.compile(r"\[(\w+)\]")
_SETTING = re.compile(r'(?:# )?(\w+) = ("[^"]*"|[^"#]*?) *(#.*)?')
_COMMENT_COLUMN = 31


def begun_settings(
    template: str, chosen: Mapping[str, Mapping[str, str | int | bool]], head: str
) -> str:
    """Return a settings file in which only what was chosen is in force.

    Args:
        template: the file with every setting and its default, each on a line of its own.
        chosen: by table and key.
        head: what stands at the top, in place of the template's first paragraph.

    Raises:
        KeyError: something was chosen that the template does not have.
    """
    left = {(table, key): value for table, keys in chosen.items() for key, value in keys.items()}
    lines = [*(f"# {line}" for line in head.splitlines()), ""]
    table = ""
    for line in template.partition("\n\n")[2].splitlines():
        if header := _TABLE.fullmatch(line):
            table = header[1]
            lines.append(line)
        elif setting := _SETTING.fullmatch(line):
            key, default, comment = setting.groups("")
            text = f"# {key} = {default}"
            if (table, key) in left:
                text = f"{key} = {_toml(left.pop((table, key)))}"
            lines.append(f"{text:<{_COMMENT_COLUMN}} {comment}".rstrip())
        else:
            # A comment that goes on stays below its beginning.
            goes_on = line.startswith(" ")
            lines.append(" " * (_COMMENT_COLUMN + 1) + line.strip() if goes_on else line)
    if left:
        raise KeyError(*left)
    return "\n".join(lines) + "\n"


def _toml(value: str | int | bool) -> str:
    """Write a value as TOML: JSON's texts, numbers and booleans are its, too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
