"""What a file or stream is called, for people; pure."""

from __future__ import annotations

import re

from rtgenre.types import Track

MAX_CHARACTERS = 200
# Of a longer text only the beginning is looked at.
_MOST_READ = 4000
# What ffmpeg says when a radio names what it plays next.
_STREAM_TITLE = re.compile(r"Metadata update for StreamTitle: (.*)", re.DOTALL)
# Between artist and title, as radios write them.
_DASH = " - "
# What is left of it where they leave the artist or the title out, or both.
_DANGLING_DASH = re.compile(r"^\s*-(?=\s|$)|(?<=\s)-\s*$")


def told_track(title: str, artist: str = "", *, name: str = "") -> Track | None:
    """Return what tags, or another program, say plays; ``name`` stands in for a missing title.

    All of these are anybody's texts: what cannot be printed is left out, and so is what a screen
    has no room for. None where nothing is left.
    """
    shown = _printable(title) or _printable(name)
    return Track(shown, _printable(artist) or None) if shown else None


def file_track(name: str, *, title: str = "", artist: str = "") -> Track:
    """Return what a file's tags say of it, else its name."""
    return told_track(title, artist, name=name) or Track("?", _printable(artist) or None)


def stream_title(message: str) -> str | None:
    """Return the title in a message of ffmpeg, empty where a radio has none; None in another."""
    match = _STREAM_TITLE.fullmatch(message)
    return None if match is None else _printable(match[1])


def tells_kind(message: str) -> bool:
    """Say whether ffmpeg tells what kind of stream it opened, which it does before any sound."""
    return message.startswith("Input #0, ")


def is_ogg(message: str) -> bool:
    """Say whether ffmpeg tells that what it opened is Ogg, which holds its titles in itself."""
    return message.startswith("Input #0, ogg,")


def stream_track(title: str) -> Track | None:
    """Return what a radio plays: it writes artist and title into one text, with a dash between."""
    artist, dash, rest = title.partition(_DASH)
    if dash and _printable(artist) and _printable(rest):
        return told_track(rest, artist)
    return told_track(_DANGLING_DASH.sub("", title))


def _printable(text: str) -> str:
    kept = "".join(character if character.isprintable() else " " for character in text[:_MOST_READ])
    return " ".join(kept.split())[:MAX_CHARACTERS]
