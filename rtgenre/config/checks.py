"""Single values: which may be, and their types."""

from __future__ import annotations

import re
import socket
import unicodedata
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

AnyPath = TypeVar("AnyPath", str, Path)

MAX_TOPIC_CHARACTERS = 200
MAX_NAME_CHARACTERS = 64


def checked_color(color: str) -> str:
    """Return ``color`` in small letters.

    Raises:
        ValueError: it is not written ``#rrggbb``.
    """
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise ValueError("a colour is written #rrggbb, for example #ff7a59")
    return color.lower()


def _checked_node(node: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", node):
        raise ValueError(
            "a node name has 1 to 64 letters, digits, '-' or '_', and begins with a letter or "
            "digit; others go into name, which people see in its place"
        )
    return node


def _checked_name(name: str) -> str:
    name = checked_text(name).strip()
    if len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
        raise ValueError(
            f"a name has at most {MAX_NAME_CHARACTERS} characters and no control characters"
        )
    return name


def _checked_origin(origin: str) -> str:
    if not re.fullmatch(r"https?://[^/\s;,?#@]+", origin):
        raise ValueError("an origin is written scheme://host[:port], without a path")
    return origin.lower()


def checked_text(text: str) -> str:
    """Return ``text`` if it can be written as UTF-8.

    Raises:
        ValueError: it cannot.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("this is not text: it holds bytes that are not UTF-8") from None
    return text


def _checked_path(path: AnyPath) -> AnyPath:
    if "\0" in str(path):
        raise ValueError("a path has no NUL character")
    try:
        Path(path).expanduser()
    except RuntimeError:
        user = Path(path).parts[0][1:]
        raise ValueError(f"there is no user {user!r} on this machine") from None
    return path


def _expanded(path: Path) -> Path:
    return _checked_path(path).expanduser()


def checked_topic_prefix(prefix: str) -> str:
    """Return ``prefix`` without slashes at its end.

    Raises:
        ValueError: no topic may begin with it.
    """
    prefix = _checked_topic(prefix).rstrip("/")
    if not prefix or prefix.startswith(("/", "$")):
        raise ValueError("a topic prefix is not empty and begins with neither '/' nor '$'")
    return prefix


def _checked_topic_or_none(topic: str) -> str:
    if topic.startswith("$"):
        raise ValueError("topics that begin with '$' are the broker's own")
    return _checked_topic(topic)


def _checked_lamp(name: str) -> str:
    name = _checked_topic(name).strip("/")
    if not name:
        raise ValueError("a device's name is not empty")
    return name


def _checked_topic(topic: str) -> str:
    if len(topic) > MAX_TOPIC_CHARACTERS or re.search(r"[#+\x00-\x1f\x7f-\x9f]", topic):
        raise ValueError(
            f"a topic has no '#', '+' or control characters, and at most {MAX_TOPIC_CHARACTERS} "
            "characters"
        )
    return checked_text(topic)


def node_called(name: str) -> str:
    """Return a node name for a room that people call ``name``: ``wohnzimmer-sud``."""
    latin = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9_]+", "-", latin).strip("-_")[:64] or default_node()


def default_node() -> str:
    """Return this machine's host name as a node name."""
    name = re.sub(r"[^A-Za-z0-9_-]", "-", socket.gethostname().split(".")[0]).strip("-_")
    return name[:64] or "rtgenre"


def _checked_address(address: str) -> str:
    if not re.fullmatch(r"https?://[^/\s?#@]+/?", address):
        raise ValueError("an address is written http://host:port/")
    return address.rstrip("/") + "/"


ServiceAddress = Annotated[str, AfterValidator(_checked_address)]
FilePath = Annotated[Path, AfterValidator(_expanded)]
FolderName = Annotated[str, AfterValidator(_checked_path)]
Color = Annotated[str, AfterValidator(checked_color)]
Name = Annotated[str, AfterValidator(_checked_name)]
Origin = Annotated[str, AfterValidator(_checked_origin)]
Node = Annotated[str, AfterValidator(_checked_node)]
TopicPrefix = Annotated[str, AfterValidator(checked_topic_prefix)]
TopicOrNone = Annotated[str, AfterValidator(_checked_topic_or_none)]
Lamp = Annotated[str, AfterValidator(_checked_lamp)]
Text = Annotated[str, AfterValidator(checked_text)]
Port = Annotated[int, Field(ge=1, le=65535)]
