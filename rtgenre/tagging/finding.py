"""Which songs are meant by the folders, files, playlists and URLs of a command line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rtgenre.errors import RtgenreError
from rtgenre.messages.payload import iso_utc
from rtgenre.sources.folders import is_playlist, playlist_files, some_audio_files
from rtgenre.sources.names import told_path
from rtgenre.tagging.remote import find_remote_songs
from rtgenre.tagging.song import Song, is_url

if TYPE_CHECKING:
    from collections.abc import Iterable


def find_songs(places: Iterable[str]) -> tuple[list[Song], list[str]]:
    """Find every song once, sorted by path within each place.

    Returns:
        The songs, and one line for each place that cannot be read or holds none.
    """
    songs: dict[str, Song] = {}
    problems: list[str] = []
    for place in places:
        try:
            found = find_remote_songs(place) if is_url(place) else _local_songs(place, problems)
        except RtgenreError as error:
            problems.append(str(error))
            continue
        for song in found:
            songs.setdefault(song.location, song)
    return list(songs.values()), problems


def _local_songs(place: str, problems: list[str]) -> list[Song]:
    # Links stay as they are named.
    here = os.path.abspath(place)
    paths = [here]
    if os.path.isdir(here):
        paths, trouble = some_audio_files(here)
        problems += trouble
    elif is_playlist(here):
        named, trouble = playlist_files(here)
        paths = [os.path.normpath(path) for path in named]
        problems += trouble
    songs = []
    for path in sorted(paths):
        song = stat_song(path)
        if isinstance(song, Song):
            songs.append(song)
        else:
            problems.append(song)
    return songs


def stat_song(path: str) -> Song | str:
    """Return the song at an absolute path as it is now, or in one line why it cannot be used."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return f"{told_path(path)}: there is no such file"
    except (OSError, ValueError) as error:
        return f"{told_path(path)}: cannot be read: {getattr(error, 'strerror', error)}"
    return Song(path, told_path(path), status.st_size, _time(status.st_mtime_ns / 1e9))


def _time(unix_seconds: float) -> str:
    try:
        return iso_utc(unix_seconds)
    except (ValueError, OverflowError, OSError):  # no year of four digits
        return ""
