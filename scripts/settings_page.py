"""Write config.toml and docs/settings.md from what the code says of the settings.

    python -m scripts.settings_page

Tests compare both with what this makes, so that they cannot lie.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from scripts.declared_settings import Setting, Table, tables

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "settings.md"
FILE = ROOT / "config.toml"

FILE_HEAD = """\
# Every setting of rtgenre with its default. Copy this file, keep what you change, delete the rest.
# Read from rtgenre.toml (or config.toml) in the current folder, else from
# ~/.config/rtgenre/config.toml, or from anywhere with: rtgenre run --config FILE
# Each setting can also come from the environment (RTGENRE_MQTT__HOST=broker, lists with commas) or
# a flag. Made by `python -m scripts.settings_page` from the types in rtgenre/config/.
"""

HEAD = """\
# Settings

<!-- Made by `python -m scripts.settings_page` from the types in rtgenre/config/. -->

Every setting has a default. You need no settings file to start.

`rtgenre init` asks what is there (the input, the room, the broker) and writes a file to begin
with. In it every other setting stands as a comment with its default. `rtgenre init --yes` asks
nothing. A file that exists is replaced only after a yes, and kept even then.

The page changes what is changed most: see [below](#on-the-page).

`config.toml` in the source folder holds every setting with its default. Copy the lines you want to
change into a file of your own. rtgenre reads the first of these files that exists:

1. the file you name: `rtgenre run --config FILE`
2. `rtgenre.toml` in the current folder, or `config.toml` there if its tables are those of rtgenre
   (that of the source folder only once you have changed it)
3. `~/.config/rtgenre/config.toml` (other systems: their folder for settings)

Each setting can also come from the environment: `RTGENRE_MQTT__HOST=broker` is `[mqtt] host`. Write
lists with commas: `RTGENRE_LIGHTS__WLED=tv,strip`. Many settings also have a flag.
`rtgenre run --help` lists the flags. A flag wins over the environment.
The environment wins over the file.

`rtgenre config check` says whether your settings can be used. `rtgenre config show` prints every
setting and where it comes from. A mistake is refused at the start, in one line:

```
rtgenre: [windows] hop_seconds = '9' (command line): it must be 0.25 to 4
```

## On the page

The sliders in the page's head lead to the settings: the input, with the level of each, the name of
the room, how calm the genre is, the lamps that follow the room, and the colours. Two strips show
the last ten minutes as they were shown, and as they would have been with what you set. "Try" shows
a colour on the room's lamps for a moment.

![Settings on the page](settings-tablet-dark.png)

"Save" writes what you changed into the settings file, which the page names, and leaves every
comment and every other line as it is. (Only the comment behind a lamp goes when you remove that
lamp.) Where there is no file yet, one is begun. Smoothing, lamps and colours are in force at once;
a new input or name is after "Start anew". If somebody else changed the file meanwhile, nothing is
saved, and you are told. A read-only file is left alone.

Whoever may see the page may do this: on this machine anybody, from others who knows the token.
`[websocket] change_settings = false` turns it off. The page of `rtgenre hub` does not offer it.
Inputs that are files or streams, and all other settings, are changed in the file.

## All settings

A default of "none" means that the setting is not set.
"""

_COMMENT_COLUMN = 32
_LINE_COLUMNS = 100


def config_file() -> str:
    """Return the text of config.toml."""
    return "\n".join([FILE_HEAD, *("\n".join(_table(table)) for table in tables())])


def _table(table: Table) -> list[str]:
    introduction = textwrap.wrap(table.is_for, _LINE_COLUMNS - 2)
    settings = [line for setting in table.settings for line in _lines(setting)]
    return [*(f"# {line}" for line in introduction), f"[{table.name}]", *settings, ""]


def _lines(setting: Setting) -> list[str]:
    """Return a setting with its comment beside it."""
    start = f"{setting.name} = {setting.value}"
    if not setting.is_set:
        start = f"# {start}"
    sentences = [part.rstrip(".") + "." for part in (setting.does, setting.limits) if part]
    column = max(_COMMENT_COLUMN, len(start) + 1)
    beside = textwrap.wrap(" ".join(sentences), _LINE_COLUMNS - column - 2)
    if not beside:
        return [start]
    return [
        f"{part:<{column}}# {line}"
        for part, line in zip([start, *[""] * len(beside)], beside, strict=False)
    ]


def page() -> str:
    """Return the text of docs/settings.md."""
    return "\n".join([HEAD, *(_section(table) for table in tables())])


def _section(table: Table) -> str:
    lines = [f"## {table.name}", "", table.is_for, ""]
    lines += ["| setting | default | allowed | what it does |", "|---|---|---|---|"]
    for setting in table.settings:
        value = f"`{setting.value}`" if setting.is_set else "none"
        cells = (f"`{setting.name}`", value, setting.allowed, setting.does.replace("<", "&lt;"))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    FILE.write_text(config_file(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
