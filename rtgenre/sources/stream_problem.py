"""Why a stream does not play, for people; pure."""

from __future__ import annotations

import re

from rtgenre.errors import one_line
from rtgenre.sources.stream_command import masked_url

NO_STREAM = (
    "is no stream that can be played; if it is a radio's page, "
    "give the address of the stream or playlist that stands in it"
)
NO_PARTS = (
    "is an HLS playlist of which nothing can be played; perhaps nothing is on the air just now"
)
NOTHING_IN_IT = "is a playlist that leads to no stream that can be played"

_NO_SOUND = "what the server sends is no sound"
_FAILED = "the connection failed; is the server there, and over https its certificate trusted?"
# What ffmpeg ends with, and what that means.
_MEANINGS = {
    "Invalid data found": _NO_SOUND,
    # It found something other than sound, in its older and in its newer words.
    "add a trailing '": _NO_SOUND,
    "Error opening output files": _NO_SOUND,
    "Server returned 401": "the server asks for a user and a password, or refuses these (401)",
    "Server returned 403": "the server refuses access (403)",
    "Server returned 404": "the server has nothing at this address (404)",
    "Server returned 4XX": "the server refuses the request; is the address still right?",
    "Server returned 5XX": "the server has a fault of its own",
    "Connection refused": "nothing answers there (connection refused)",
    "timed out": "the server does not answer",
    # Said of short texts, too, that come without their length.
    "Input/output error": _FAILED,
}


def may_be_playlist(said: str) -> bool:
    """Say whether these last words of ffmpeg are among those that it has for playlists."""
    return _meaning(said) in {_NO_SOUND, _FAILED}


def stream_problem(url: str, said: str) -> str:
    """Return what was wrong with an address, by ffmpeg's last words; nothing secret is in it."""
    shown = masked_url(url)
    meaning = _meaning(said)
    if meaning is not None:
        return f"{shown}: {meaning}"
    # The second is how its newer versions begin.
    reason = said.removeprefix(f"{url}: ").removeprefix("Error opening input files: ")
    told = re.sub(r"://[^/@\s]+@", "://", reason.replace(url, shown))
    told = one_line(re.sub(r"\?\S+", "?…", told)) or "ffmpeg gave up without a message"
    return told if reason == said else f"{shown}: {told}"


def _meaning(said: str) -> str | None:
    return next((meaning for words, meaning in _MEANINGS.items() if words in said), None)
