"""Which files are meant where folders or playlists are named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rtgenre.sources.names import told_path
from rtgenre.sources.playlist import file_entries

if TYPE_CHECKING:
    from collections.abc import Iterable

AUDIO_SUFFIXES = frozenset(
    ".aac .ac3 .aif .aifc .aiff .alac .ape .au .caf .flac .m4a .m4b .mka .mkv .mov "
    ".mp2 .mp3 .mp4 .mpc .oga .ogg .opus .rf64 .snd .tta .w64 .wav .webm .wma .wv".split()
)
"""What counts as audio in a folder; a file named outright may be called anything."""
PLAYLIST_SUFFIXES = frozenset((".m3u", ".m3u8", ".pls", ".xspf"))
_MOST_BYTES = 1 << 24
"""Of a longer playlist only the beginning is read."""


def expand_paths(paths: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """Replace folders by the audio files below them, sorted by path, and playlists by theirs.

    Returns:
        The files, and one line for each folder or playlist without any, or that cannot be read.
    """
    files: list[Path] = []
    failures: list[str] = []
    for path in paths:
        if is_playlist(path):
            named, problems = playlist_files(path)
            files += map(Path, named)
            failures += problems
            continue
        if not _is_folder(path):
            files.append(path)
            continue
        found, problems = some_audio_files(path)
        files += sorted(map(Path, found))
        failures += problems
    return files, failures


def is_audio_name(name: str) -> bool:
    """Say whether a file in a folder counts as audio, by its name alone.

    What macOS writes beside a song on disks of others, ``._song.mp3``, holds no sound.
    """
    return os.path.splitext(name)[1].lower() in AUDIO_SUFFIXES and not name.startswith("._")


def some_audio_files(folder: Path | str) -> tuple[list[str], list[str]]:
    """Find the audio files below a folder as ``audio_files`` does; that there are none is told."""
    files, problems = audio_files(folder)
    if not files and not problems:
        problems = [f"{told_path(folder)}: there are no audio files in this folder"]
    return files, problems


def audio_files(folder: Path | str) -> tuple[list[str], list[str]]:
    """Find the audio files below a folder, through symbolic links, too.

    Each folder is read once, by its own path if it has one below ``folder``, so that a link to a
    folder above it never leads round in circles.

    Returns:
        Paths that begin with ``folder``; and one line for each folder that cannot be read.
    """
    files: list[str] = []
    problems: list[str] = []
    seen: set[tuple[int, int]] = set()
    waiting, links = [os.fspath(folder)], list[str]()
    while waiting or links:
        here = waiting.pop() if waiting else links.pop(links.index(min(links)))
        try:
            status = os.stat(here)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(here) as entries:
                for entry in entries:
                    if _leads_to_folder(entry):
                        (links if entry.is_symlink() else waiting).append(entry.path)
                    elif is_audio_name(entry.name):
                        files.append(entry.path)
        except OSError as error:
            problems.append(f"{told_path(here)}: cannot be read: {error.strerror}")
    return files, problems


def is_playlist(path: Path | str) -> bool:
    """Say whether a path has the name of a playlist, and is that of a file."""
    return os.path.splitext(path)[1].lower() in PLAYLIST_SUFFIXES and os.path.isfile(path)


def playlist_files(path: Path | str) -> tuple[list[str], list[str]]:
    """Read which files a playlist names, in its order.

    Returns:
        Their paths, whether they are there or not; and a line if it names none, or streams besides,
        or cannot be read.
    """
    try:
        with open(path, "rb") as file:
            entries = file_entries(file.read(_MOST_BYTES))
    except OSError as error:
        return [], [f"{told_path(path)}: cannot be read: {error.strerror}"]
    streams = [entry for entry in entries if "://" in entry]
    folder = os.path.dirname(path)
    files = [os.path.join(folder, _native(entry)) for entry in entries if "://" not in entry]
    if streams:
        advice = f"listen to a stream in it by its address, such as {told_path(streams[0])}"
        return files, [f"{told_path(path)}: of this playlist only files are played; {advice}"]
    return files, [] if files else [f"{told_path(path)}: this playlist names no files"]


def _native(entry: str) -> str:
    """Write a path as this system does where another one has written it."""
    return entry if "/" in entry else entry.replace("\\", os.sep)


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, say: opening it will tell
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name too long, say: opening it will tell
        return False
