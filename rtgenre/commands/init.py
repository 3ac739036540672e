"""``rtgenre init``: asks what is there, and writes a settings file to begin with."""

from __future__ import annotations

import getpass
import secrets
import socket
import sys
from typing import TYPE_CHECKING, Any

from rtgenre.commands.options import (
    add_broker,
    add_config_file,
    add_node,
    add_setting,
    add_source,
    flags_of,
)
from rtgenre.commands.questions import ask, ask_for_input, say, wants
from rtgenre.config import (
    Config,
    ConfigError,
    begun_settings,
    find_config_file,
    merge_layers,
    node_called,
    settings_template,
    users_config_file,
)
from rtgenre.config.private_file import written_beside
from rtgenre.config.smarthome import split_broker_address
from rtgenre.errors import RtgenreError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

Tables = dict[str, dict[str, Any]]

_HEAD = """\
Settings of rtgenre, begun by `rtgenre init`. Those that are not set stand here as comments, with
their defaults: take the # in front away to change one. Then `rtgenre config check` looks at them.
Each can also come from the environment (RTGENRE_MQTT__HOST=broker, lists with commas) or a flag."""


class InitError(RtgenreError):
    """The settings file could not be written; the message says why, and that nothing changed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    parser.add_argument("--yes", action="store_true", help="ask nothing; take flags and defaults")
    add_source(parser)
    add_node(parser)
    add_setting(parser, "--name", "source.name", help="what people see in its place")
    add_broker(parser)


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    return init(options.config, flags_of(options), may_ask=not options.yes)


def init(file: Path | None, given: Tables, *, may_ask: bool) -> int:
    """Write a settings file and return the exit code.

    Args:
        file: where to; the default is the user's own settings file.
        given: settings that the command line has, which are not asked for.
        may_ask: whether to ask for the others; without a terminal defaults are taken.

    Raises:
        ConfigError: a setting is out of range, or there is a file that nobody wants replaced.
        InitError: it cannot be written, or the answers ended early.
    """
    path = (file or users_config_file()).expanduser()
    asks = may_ask and sys.stdin.isatty()
    tables: Tables = {table: dict(keys) for table, keys in split_broker_address(given).items()}
    source = tables.get("source", {})
    if "name" in source and "node" not in source:
        source.update(_room(source.pop("name")))
    _checked(tables)
    replaces = path.exists()
    if replaces and not asks:
        raise ConfigError(
            f"{path} exists and stays as it is; move it away, or name another file with --config"
        )
    if asks:
        try:
            replaces = _conversation(path, tables)
        except EOFError:
            raise InitError("the answers ended early; nothing was written") from None
        if path.exists() and not replaces:
            say(f"{path} stays as it is.")
            return 0
    _write(path, begun_settings(settings_template(), tables, _HEAD), replaces=replaces)
    _say_what_is_next(path, tables)
    return 0


def _conversation(path: Path, tables: Tables) -> bool:
    """Ask for what is not given, into ``tables``; return whether an existing file is replaced."""
    replaces = False
    if path.exists():
        replaces = wants(f"{path} exists. Replace it? The old one is kept beside it.")
        if not replaces:
            return False
    say(f"This writes {path}. Enter alone takes what stands in [brackets].\n")
    source, mqtt = tables.setdefault("source", {}), tables.setdefault("mqtt", {})
    if "input" not in source:
        source["input"] = ask_for_input()
    if not source.keys() & {"node", "name"}:
        default = Config().source[0].node
        source.update(ask("What is this room called?", default, _room))
    if "host" not in mqtt:
        mqtt.update(ask("MQTT broker, for Home Assistant and lamps, if there is one", "", _broker))
    if mqtt.get("host") and "username" not in mqtt:
        mqtt.update(ask("Its user name, if it asks for one", "", _login))
    if "websocket" not in tables and wants("May phones and other computers here open the page?"):
        tables["websocket"] = {"host": "0.0.0.0", "token": secrets.token_urlsafe()}
    return replaces


def _checked(tables: Tables) -> Config:
    """Return the settings that these are.

    Raises:
        ConfigError: one is out of range.
    """
    return merge_layers({"answer": tables})


def _room(name: str) -> dict[str, str]:
    """Return what a room is called for people, and in topics."""
    try:
        return {"node": _checked({"source": {"node": name}}).source[0].node}
    except ConfigError:
        shown = _checked({"source": {"name": name}}).source[0].name
        return {"node": node_called(shown), "name": shown}


def _broker(address: str) -> dict[str, Any]:
    """Return the broker's host, and its port if the address has one."""
    table = split_broker_address({"mqtt": {"host": address}})
    _checked(table)
    mqtt: dict[str, Any] = table["mqtt"]
    return mqtt if address else {}


def _login(username: str) -> dict[str, str]:
    """Ask for the password that goes with a user name; no name needs none."""
    if not username:
        return {}
    password = getpass.getpass("Its password, which is not shown: ")
    _checked({"mqtt": {"username": username, "password": password}})
    return {"username": username} | ({"password": password} if password else {})


def _write(path: Path, text: str, *, replaces: bool) -> None:
    """Write the whole file or nothing, for this user's eyes alone, as it may hold secrets.

    Raises:
        InitError: it cannot be written.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise InitError(
            "a settings file holds UTF-8, which the name that was given is not; rename it, or "
            "give it with --source each time"
        ) from None
    try:
        with written_beside(path, data) as made:
            if replaces:
                kept = _free_name(path)
                path.rename(kept)
                say(f"the old settings are in {kept}")
            made.rename(path)
    except OSError as error:
        raise InitError(
            f"{path} cannot be written: {error.strerror}; name another file with --config"
        ) from error


def _free_name(path: Path) -> Path:
    """Return a name beside a file that none has, for what was in it before."""
    number = 1
    while (kept := path.with_name(f"{path.name}.old{number}")).exists():
        number += 1
    return kept


def _say_what_is_next(path: Path, tables: Tables) -> None:
    found = find_config_file()
    is_found = found is not None and found.resolve() == path.resolve()
    option = "" if is_found else f" --config {path}"
    say(f"wrote {path}; every other setting stands in it as a comment")
    if not is_found and found is not None and path == users_config_file():
        say(f"in this folder {found} is read in its place")
    if token := tables.get("websocket", {}).get("token"):
        port = Config().websocket.port
        say(f"on other devices open http://{socket.gethostname()}:{port}/#token={token}")
    say(f"next: rtgenre doctor{option}    tries the input and the broker")
    say(f"      rtgenre run{option}       starts listening")
