"""What a file's tags say of a song, read by mutagen: ID3, Vorbis comments, MP4 and others.

What WAV and AIFF hold in chunks of their own, which mutagen does not read, libsndfile tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mutagen
from mutagen.aiff import AIFF
from mutagen.wave import WAVE

from rtgenre.errors import one_line
from rtgenre.sources.decoder import DecodeError
from rtgenre.sources.libsndfile import LibsndfileDecoder

if TYPE_CHECKING:
    from pathlib import Path

_MAX_CHARACTERS = 500
# The same tag's names in Vorbis comments and mutagen's "easy" tags, APE, raw ID3, and WMA.
_NAMES = {
    "title": ("title", "Title", "TIT2"),
    "artist": ("artist", "Artist", "TPE1", "Author"),
    "album": ("album", "Album", "TALB", "WM/AlbumTitle"),
    "genre": ("genre", "Genre", "TCON", "WM/Genre"),
}


@dataclass(frozen=True, slots=True)
class SongTags:
    """Each empty, or 0, where the file does not say it."""

    title: str = ""
    artist: str = ""
    album: str = ""
    genre: str = ""
    seconds: float = 0.0
    """Length of the song."""


def read_tags(path: Path) -> SongTags:
    """Read a file's tags; nothing is raised: what cannot be read is empty."""
    try:
        # A pipe, say, would be waited for.
        file = mutagen.File(path, easy=True) if path.is_file() else None
    except Exception:  # tags are anybody's bytes: of some mutagen raises struct.error
        return SongTags()
    if file is None:
        return SongTags()
    chunks = chunk_texts(file, path)
    texts = {
        field: _text(file.tags, names) or _line(chunks.get(field, ""))
        for field, names in _NAMES.items()
    }
    seconds = float(getattr(file.info, "length", 0.0) or 0.0)
    return SongTags(**texts, seconds=seconds)


def chunk_texts(file: Any, path: Path) -> dict[str, str]:
    """Return what a WAV or AIFF says outside of its ID3 tags, ``title`` and others as ``SongTags``.

    Args:
        file: what mutagen made of it; others have no such texts.
        path: the file.
    """
    if not isinstance(file, (WAVE, AIFF)):
        return {}
    try:
        decoder = LibsndfileDecoder(path)
    except DecodeError:
        return {}
    decoder.close()
    return decoder.texts


def _text(tags: Any, names: tuple[str, ...]) -> str:
    """Return a tag on one line, several values separated by semicolons."""
    for name in names:
        try:
            values = tags[name]
        except (KeyError, ValueError, TypeError):
            continue
        values = [values] if isinstance(values, str) else list(getattr(values, "text", values))
        # Windows Media names the artist twice.
        text = "; ".join(dict.fromkeys(str(value) for value in values if str(value).strip()))
        return _line(text)
    return ""


def _line(text: str) -> str:
    return one_line(text.strip())[:_MAX_CHARACTERS]
