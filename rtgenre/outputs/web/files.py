"""The dashboard's files, read from the package."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable


def read_web_files() -> dict[str, bytes]:
    """Return the files of the page by name, and the messages' ``schema.json``."""
    schema = files("rtgenre.messages") / "payload.schema.json"
    pages = dict(_walk(files("rtgenre.outputs.web") / "page", ""))
    return {**pages, "schema.json": schema.read_bytes()}


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.read_bytes()
