"""What a file's tags say of a song, read by mutagen: ID3, Vorbis comments, MP4 and others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mutagen

from rtgenre.errors import one_line

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
    texts = {field: _text(file.tags, names) for field, names in _NAMES.items()}
    seconds = float(getattr(file.info, "length", 0.0) or 0.0)
    return SongTags(**texts, seconds=seconds)


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
        return one_line(text.strip())[:_MAX_CHARACTERS]
    return ""
