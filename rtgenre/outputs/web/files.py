"""The dashboard's files, read from the package."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

from rtgenre.outputs.web.schema import message_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable


def read_web_files() -> dict[str, bytes]:
    """Return the files of the page by name, and the messages' ``schema.json``."""
    pages = dict(_walk(files("rtgenre.outputs.web") / "page", ""))
    return {**pages, "schema.json": json.dumps(message_schema(), indent=2).encode()}


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.read_bytes()
