"""Songs behind URLs, through fsspec: s3, smb, http and whatever else it has a package for."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtgenre.errors import RtgenreError
from rtgenre.messages.payload import iso_utc
from rtgenre.sources.addresses import without_user
from rtgenre.sources.decoder import DecodeError
from rtgenre.sources.folders import is_audio_name
from rtgenre.sources.names import told_path
from rtgenre.tagging.song import Song, is_url

if TYPE_CHECKING:
    from collections.abc import Iterator

# What different servers call the time of the last change.
_MODIFIED = (
    "mtime", "LastModified", "last_modified", "Last-Modified", "updated", "modified", "created",
)  # fmt: skip
_ASKED_AT_ONCE = 16


def find_remote_songs(url: str) -> list[Song]:
    """Return the song that a URL leads to, or those in the folder that it leads to, sorted.

    Raises:
        RtgenreError: fsspec or a package for such URLs is missing, or nothing can be read there.
    """
    fsspec = _fsspec()
    try:
        files, root = fsspec.core.url_to_fs(url)
        if is_audio_name(Path(root).name):
            found = {root: files.info(root)}
        else:
            found = files.find(root, detail=True)
            if not found:
                # It finds nothing where there is no such folder, or no server, either.
                files.ls(root)
        named = {name: found[name] for name in sorted(found) if is_audio_name(Path(name).name)}
        songs = _with_sizes(files, named)
    except ImportError as error:
        raise RtgenreError(f"{_told(url)}: {error}") from error
    except Exception as error:
        # Every kind of server has errors of its own.
        raise RtgenreError(f"{_told(url)}: cannot be read: {_reason(error)}") from error
    if not songs:
        raise RtgenreError(f"{_told(url)}: there are no audio files there")
    return [_song(files.unstrip_protocol(name), about) for name, about in songs.items()]


def _with_sizes(files: Any, found: dict[str, Any]) -> dict[str, Any]:
    """Ask of each file what a listing did not tell, as those of web servers."""

    def ask(name: str) -> Any:
        try:
            return files.info(name)
        except OSError:
            # Whoever fetches it says what is wrong.
            return found[name]

    unknown = [name for name, about in found.items() if about.get("size") is None]
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as threads:
        return found | dict(zip(unknown, threads.map(ask, unknown), strict=True))


@contextmanager
def local_copy(location: str) -> Iterator[Path]:
    """Give a path to a song: its own, or that of a copy that lasts as long as the block.

    Raises:
        DecodeError: the song cannot be fetched.
    """
    if not is_url(location):
        yield Path(location)
        return
    with tempfile.TemporaryDirectory(prefix="rtgenre-") as folder:
        # The ending says to decoders what it is.
        path = Path(folder) / f"song{Path(location.partition('?')[0]).suffix}"
        try:
            files, name = _fsspec().core.url_to_fs(location)
            files.get_file(name, str(path))
        except Exception as error:
            problem = f"cannot be fetched: {_reason(error)}"
            raise DecodeError(Path(location), problem, may_pass=True) from error
        yield path


def _told(text: str) -> str:
    """Return a URL, or a text with some, on one line and with nobody's password."""
    return told_path(without_user(text))


def _song(url: str, about: dict[str, Any]) -> Song:
    size = about.get("size")
    return Song(
        location=url,
        path=_told(url),
        size=None if size is None else int(size),
        modified=next((_time(about[name]) for name in _MODIFIED if about.get(name)), ""),
    )


def _time(value: Any) -> str:
    if isinstance(value, str):
        try:
            value = parsedate_to_datetime(value)
        except ValueError:
            return ""
    if isinstance(value, int | float):
        return iso_utc(value)
    return iso_utc(value.timestamp()) if hasattr(value, "timestamp") else ""


def _reason(error: BaseException) -> str:
    text = _told(" ".join(str(error).split()))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _fsspec() -> Any:
    try:
        import fsspec
    except ImportError:
        raise RtgenreError("URLs need fsspec: pip install 'rtgenre[cluster]'") from None
    return fsspec
