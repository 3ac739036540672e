"""A song as it was found, and a row of the table about it; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

WRITTEN, KEPT = "written", "kept"
"""What a row says of the genre in the file; anything else says why it is not written."""
_WRITTEN_EARLIER = f"{WRITTEN}: "
_THEN = "; "
DAMAGED = "not written: the file is damaged or cut short"


@dataclass(frozen=True, slots=True)
class Song:
    """A file, or what a URL leads to, before anything is known of its sound."""

    location: str
    """Absolute path, or URL, as it is opened."""
    path: str
    """The same as the table has it: on one line, bytes that are no UTF-8 as escapes, and without
    the user and the password of a URL."""
    size: int | None
    """Bytes; None where a server does not tell."""
    modified: str
    """ISO 8601, UTC, milliseconds; empty where a server does not tell."""

    @property
    def is_remote(self) -> bool:
        """Whether it is not a file of this machine."""
        return is_url(self.location)


@dataclass(frozen=True, slots=True)
class Row:
    """All that the table says of a song."""

    path: str
    size: int | None
    modified: str
    duration_seconds: float | None = None
    """Of the whole song, as the file says."""
    genre: str | None = None
    """Or ``unknown`` or ``silence``; None where it could not be judged."""
    reason: str | None = None
    """Why the genre is unknown; None if it is not."""
    confidence: float | None = None
    probabilities: dict[str, float] | None = None
    sections: tuple[dict[str, Any], ...] = ()
    """``start_seconds``, ``end_seconds``, ``genre`` and ``reason``; none of a sampled song."""
    title: str = ""
    artist: str = ""
    album: str = ""
    model: str = ""
    """Name and version; empty where the song could not be judged, and may be judged later."""
    model_checksum: str = ""
    sample_seconds: float | None = None
    """How much of the song was heard at most; None where all of it was."""
    genre_tag: str | None = None
    """``written`` into the file, ``kept`` as it was, or why not; None where nobody asked.
    ``written: blues`` where an earlier run wrote another genre than the row's into it, with
    ``; not written: …`` behind it where this one could not."""
    fault: str | None = None
    """What is wrong with the file; with a genre it was judged by what could be read."""

    @property
    def genre_in_file(self) -> str | None:
        """The genre that was written into the file, as models call it; None where none was."""
        if self.genre_tag == WRITTEN:
            return self.genre
        before, is_earlier, after = (self.genre_tag or "").partition(_WRITTEN_EARLIER)
        return after.partition(_THEN)[0] if is_earlier and not before else None

    @property
    def unwritten_reason(self) -> str | None:
        """Why its genre could not be written into the file; None where it was, or was not to be."""
        tag = self.genre_tag or KEPT
        if tag.startswith(_WRITTEN_EARLIER):
            return tag.partition(_THEN)[2] or None
        return None if tag in {WRITTEN, KEPT} else tag

    def with_genre_in_file(self, genre: str | None) -> Row:
        """Return it with the genre that an earlier run wrote, if that is still in the file."""
        if genre is None or self.genre_in_file is not None or self.genre_tag == KEPT:
            return self
        tag = WRITTEN if genre == self.genre else f"{_WRITTEN_EARLIER}{genre}"
        if self.genre_tag is not None:
            tag = f"{_WRITTEN_EARLIER}{genre}{_THEN}{self.genre_tag}"
        return replace(self, genre_tag=tag)

    def is_of(self, song: Song, model: tuple[str, str], sample_seconds: float | None) -> bool:
        """Whether it is what judging this song anew would give."""
        return (
            (self.size, self.modified) == (song.size, song.modified)
            and (self.model, self.model_checksum) == model
            and self.sample_seconds == sample_seconds
        )


def is_url(text: str) -> bool:
    """Whether a place is a URL and not a path."""
    return "://" in text
