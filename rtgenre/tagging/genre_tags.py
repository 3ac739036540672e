"""Writes a genre into a file's tags, by mutagen; a file is replaced whole or left as it was."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import mutagen
from mutagen.apev2 import APEv2File
from mutagen.asf import ASF
from mutagen.id3 import ID3, TCON
from mutagen.mp4 import MP4

from rtgenre.tagging.song import KEPT, WRITTEN
from rtgenre.tagging.song_tags import chunk_texts

if TYPE_CHECKING:
    from pathlib import Path

_ID3_GENRE: Any = TCON

# As players and ID3's list of genres call them.
_NAMES = {
    "blues": "Blues",
    "classical": "Classical",
    "country": "Country",
    "disco": "Disco",
    "hiphop": "Hip-Hop",
    "jazz": "Jazz",
    "metal": "Metal",
    "pop": "Pop",
    "reggae": "Reggae",
    "rock": "Rock",
}


def genre_name(label: str) -> str:
    """Return a genre as players call it; one of somebody's own as they call it."""
    return _NAMES.get(label, label)


def write_genre(path: Path, label: str, *, overwrite: bool, own: str | None = None) -> str:
    """Write a genre where there is none yet, or one that was written so before.

    A copy is written beside the file and then takes its place, so that whatever ends the program
    leaves the file as it was or as it shall be. All other tags stay.

    Args:
        path: of an MP3, FLAC, Ogg, Opus, MP4, WMA, WAV, AIFF or APE-tagged file.
        label: the genre, as models call it.
        overwrite: write it though there is another one.
        own: the genre that was written into it before, as models call it.

    Returns:
        ``written``, ``kept`` where there was another's genre, or what went wrong, on one line.
    """
    try:
        # Of a link what it leads to is replaced, and the link stays.
        path = path.resolve(strict=True)
        file = mutagen.File(path)
        if file is None:
            return "tags of such files cannot be written"
        before = _genre(file) or chunk_texts(file, path).get("genre", "")
        name = genre_name(label)
        is_own = own is not None and before == genre_name(own)
        if before == name or (before and not overwrite and not is_own):
            return WRITTEN if is_own else KEPT
        _write_copy(path, type(file), name)
    except Exception as error:  # as in ``read_tags``
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return "not written: " + " ".join(reason.split())
    return WRITTEN


def _write_copy(path: Path, kind: Any, genre: str) -> None:
    beside = path.with_name(f".{path.name}.rtgenre-tmp")
    try:
        shutil.copyfile(path, beside)
        file = kind(beside)
        options = _set_genre(file, genre)
        file.save(**options)
        _take_over_owner(path, beside)
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _take_over_owner(path: Path, beside: Path) -> None:
    status = path.stat()
    shutil.copymode(path, beside)
    if hasattr(os, "chown") and (status.st_uid, status.st_gid) != (os.getuid(), os.getgid()):
        os.chown(beside, status.st_uid, status.st_gid)


def _genre(file: Any) -> str:
    """Return the genre that a file has, empty where it has none."""
    values = (file.tags or {}).get(_key(file))
    if values is None:
        return ""
    texts = values.genres if isinstance(values, TCON) else values
    return "; ".join(str(text) for text in ([texts] if isinstance(texts, str) else texts)).strip()


def _set_genre(file: Any, genre: str) -> dict[str, Any]:
    """Set the genre, and return how the file is to be saved."""
    if file.tags is None:
        file.add_tags()
    if not isinstance(file.tags, ID3):
        file.tags[_key(file)] = [genre] if not isinstance(file, APEv2File) else genre
        return {}
    tags: Any = file.tags
    old = tags.version[:2] == (2, 3)
    tags.setall("TCON", [_ID3_GENRE(encoding=1 if old else 3, text=[genre])])
    if not old:
        return {}
    # Players that know 2.3 only are why a file has it.
    tags.update_to_v23()
    return {"v2_version": 3}


def _key(file: Any) -> str:
    if isinstance(file.tags, ID3):
        return "TCON"
    if isinstance(file, MP4):
        return "\xa9gen"
    if isinstance(file, ASF):
        return "WM/Genre"
    return "Genre" if isinstance(file, APEv2File) else "genre"
