"""The dashboard's files, read from the package."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable


def read_web_files() -> dict[str, bytes]:
    """Return the contents of ``rtgenre/web`` by name, and the messages' ``schema.json``."""
    package = files("rtgenre")
    folder = package / "web"
    pages = dict(_walk(folder, "")) if folder.is_dir() else {}
    return {**pages, "schema.json": (package / "payload.schema.json").read_bytes()}


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.read_bytes()
