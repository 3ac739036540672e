"""The dashboard's files, read from the package, and the messages' schema beside them."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from rtgenre.outputs.web.http import SCHEMA_PATH, HttpResponse, static_responses
from rtgenre.outputs.web.schema import message_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable


def read_web_files() -> dict[str, bytes]:
    """Return the files of the page by name."""
    return dict(_walk(files("rtgenre.outputs.web") / "page", ""))


@cache
def schema_response() -> HttpResponse:
    """Return the answer of ``GET /schema.json``, made when it is first asked for: it takes long."""
    body = json.dumps(message_schema(), indent=2).encode()
    return static_responses({"schema.json": body})[SCHEMA_PATH]


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.read_bytes()
