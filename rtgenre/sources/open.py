"""From a setting to a source."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from rtgenre.sources.base import AudioSource, SourceError
from rtgenre.sources.decode import AUDIO_SUFFIXES
from rtgenre.sources.file import FileSource

if TYPE_CHECKING:
    from rtgenre.config import SourceConfig


def open_source(config: SourceConfig) -> AudioSource:
    """Return the source that ``config.input`` means.

    ``-`` is standard input; what has ``://`` in it a stream; a number a device; a path that
    exists, or looks like one, a file or folder; anything else (part of) a device's name, and
    nothing the default device.

    Raises:
        SourceError: it can mean nothing; whether it works is found out when it runs.
    """
    given = config.input
    if isinstance(given, tuple):
        if not given:
            raise SourceError("an empty list of files was given; name at least one")
        return _files(tuple(Path(name) for name in given), config)
    if isinstance(given, str) and _looks_like_a_file(given):
        return _files((Path(given),), config)
    raise SourceError(f"not yet: {given!r}")


def _files(paths: tuple[Path, ...], config: SourceConfig) -> FileSource:
    return FileSource(
        tuple(path.expanduser() for path in paths), speed=config.speed, loop=config.loop
    )


def _looks_like_a_file(text: str) -> bool:
    path = Path(text).expanduser()
    return bool(text) and (
        path.exists()
        or re.search(r"[/\\]", text) is not None
        or path.suffix.lower() in AUDIO_SUFFIXES
    )
