"""Write docs/settings.md from the comments of config.toml and the types of the settings.

    python -m scripts.settings_page

A test compares the page with what this makes, so that the page cannot lie.
"""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, MaxLen, MinLen

from rtgenre.config import Config, SourceConfig
from rtgenre.outputs.colors import GENRE_COLORS

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "settings.md"

HEAD = """\
# Settings

<!-- Made by `python -m scripts.settings_page` from config.toml and the types of the settings. -->

Every setting has a default. You need no settings file to start.

`config.toml` in the source folder holds every setting with its default. Copy the lines you want to
change into a file of your own. rtgenre reads the first of these files that exists:

1. the file you name: `rtgenre run --config FILE`
2. `rtgenre.toml` in the current folder, or `config.toml` there if its tables are those of rtgenre
3. `~/.config/rtgenre/config.toml` (other systems: their folder for settings)

Each setting can also come from the environment: `RTGENRE_MQTT__HOST=broker` is `[mqtt] host`. Write
lists with commas: `RTGENRE_LIGHTS__WLED=tv,strip`. Many settings also have a flag.
`rtgenre run --help` lists the flags. A flag wins over the environment.
The environment wins over the file.

`rtgenre config check` says whether your settings can be used. `rtgenre config show` prints every
setting and where it comes from. A mistake is refused at the start, in one line:

```
rtgenre: [windows] hop_seconds = '9' (command line): Input should be less than or equal to 4
```

A default of "none" means that the setting is not set.
"""

_NOT_SET = "none"
_TABLE = re.compile(r"\[(\w+)\]")
_SETTING = re.compile(r"(# )?(\w+) = (.*)")
# A value in quotes may hold '#', as colours do.
_VALUE = re.compile(r'("[^"]*"|[^#"]+?)\s*(?:#\s*(.*))?')
_CONTINUATION = re.compile(r"\s+#\s*(.*)")


class Commented:
    """What config.toml says: of each table, and the value and comment of each setting."""

    def __init__(self, text: str) -> None:
        self.tables: dict[str, str] = {}
        self.settings: dict[str, dict[str, tuple[str, str]]] = {}
        table, key, introduction = "", "", []
        for line in text.splitlines():
            if match := _TABLE.fullmatch(line):
                table, key = match[1], ""
                self.tables[table] = " ".join(introduction)
                self.settings[table] = {}
            elif table and (match := _SETTING.fullmatch(line)):
                key = match[2]
                value, comment = _VALUE.fullmatch(match[3]).groups()
                self.settings[table][key] = (_NOT_SET if match[1] else f"`{value}`", comment or "")
            elif key and (match := _CONTINUATION.fullmatch(line)):
                value, comment = self.settings[table][key]
                self.settings[table][key] = (value, f"{comment} {match[1]}")
            introduction = [*introduction, line[2:]] if line.startswith("# ") else []


def page(config_text: str) -> str:
    """Return the whole page."""
    commented = Commented(config_text)
    sections = [_section(table, commented) for table in Config.model_fields]
    return "\n".join([HEAD, *sections])


def _section(table: str, commented: Commented) -> str:
    lines = [f"## {table}", ""]
    if commented.tables[table]:
        lines += [commented.tables[table], ""]
    lines += ["| setting | default | allowed | what it does |", "|---|---|---|---|"]
    kinds = _settings(table)
    for key, (value, comment) in commented.settings[table].items():
        what = (comment[:1].upper() + comment[1:]).replace("<", "&lt;")
        cells = (f"`{key}`", value, kinds[key], what)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _settings(table: str) -> dict[str, str]:
    """Return the names of a table's settings, and in words what may be written there."""
    if table == "colors":
        return dict.fromkeys(GENRE_COLORS, "a colour: `#rrggbb`")
    model = SourceConfig if table == "source" else Config.model_fields[table].annotation
    return {
        key: allowed(field.annotation, field.metadata) for key, field in model.model_fields.items()
    }


def allowed(  # noqa: PLR0911 - one for each kind
    annotation: Any, metadata: list[Any] | tuple[Any, ...] = ()
) -> str:
    """Say in words what values a type has."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = [m for part in parts[1:] for m in getattr(part, "metadata", [part])]
        return allowed(parts[0], inner)
    if origin is Literal:
        return " or ".join(
            f'`"{value}"`' if isinstance(value, str) else f"`{value}`" for value in parts
        )
    if origin in (Union, types.UnionType):
        return " or ".join(allowed(part, metadata) for part in parts if part is not type(None))
    if origin is tuple:
        return f"a list: {allowed(parts[0])}"
    if origin is dict:
        if get_origin(parts[1]) is tuple:
            return "a list of names, or a table of lists by node"
        return f"a table, for each genre {allowed(parts[1])}"
    names = {bool: "`true` or `false`", Path: "a file", int: "a whole number", float: "a number"}
    return names.get(annotation, "text") + _limits(metadata)


def _limits(metadata: list[Any] | tuple[Any, ...]) -> str:
    words = []
    for limit in metadata:
        match limit:
            case Ge():
                words.append(f"from {limit.ge:g}")
            case Gt():
                words.append(f"above {limit.gt:g}")
            case Le():
                words.append(f"to {limit.le:g}")
            case MinLen() if limit.min_length:
                words.append(f"at least {limit.min_length} character")
            case MaxLen():
                words.append(f"at most {limit.max_length} characters")
    return ", " + " ".join(words) if words else ""


if __name__ == "__main__":
    PAGE.write_text(page((ROOT / "config.toml").read_text(encoding="utf-8")), encoding="utf-8")
