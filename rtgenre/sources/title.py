"""What a file or stream is called, for people; pure."""

from __future__ import annotations

import re

MAX_CHARACTERS = 200
# What ffmpeg says when a radio names what it plays next.
_STREAM_TITLE = re.compile(r"Metadata update for StreamTitle: (.*)", re.DOTALL)


def track_title(name: str, *, title: str = "", artist: str = "") -> str:
    """Return ``Artist - Title`` as far as the tags say it, else the file's name.

    Tags and names are anybody's texts: what cannot be printed is left out, and so is what a
    screen has no room for.
    """
    tagged = [text for text in (_printable(artist), _printable(title)) if text]
    if _printable(title):
        return " - ".join(tagged)
    return _printable(name) or "?"


def stream_title(message: str) -> str | None:
    """Return the title in a message of ffmpeg, empty where a radio has none; None in another."""
    match = _STREAM_TITLE.fullmatch(message)
    return None if match is None else _printable(match[1])


def _printable(text: str) -> str:
    kept = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(kept.split())[:MAX_CHARACTERS]
