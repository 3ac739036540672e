"""Which songs a folder holds: one folder per genre."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rtgenre.learning.genres import (
    MAX_GENRES,
    LearningError,
    check_different,
    checked_genre,
    known_genre,
)
from rtgenre.sources.folders import audio_files
from rtgenre.sources.names import told_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

LEAST_SONGS = 3
"""Of a genre: fewer say nothing about it."""


@dataclass(frozen=True, slots=True)
class SongFile:
    """One file, and what its folder says of it."""

    path: Path
    genre: str
    album: str
    """The folder below the genre's that it is in; empty where it lies in the genre's own."""


def find_songs(
    folder: Path,
    known: Sequence[str],
    *,
    keep: bool,
    tell: Callable[[str], None] = lambda _: None,
) -> list[SongFile]:
    """Find songs below one folder per genre, through links, too, sorted by path.

    Args:
        folder: holds the genres' folders.
        known: the genres of the model that is learnt on.
        keep: whether those stay; folders of their names then add to them.
        tell: called with a line for each folder that cannot be read.

    Raises:
        LearningError: there is no such folder, a genre has an impossible name or fewer than three
            files, or genres are too few or too many.
    """
    try:
        folders = sorted(
            path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
        )
    except OSError as error:
        raise LearningError(f"{told_path(folder)} cannot be read: {error.strerror}") from error
    if not folders:
        raise LearningError(
            f"{told_path(folder)} has no folders; one for each genre is needed, with its songs"
        )
    names = {path: _genre(path.name, known, keep=keep) for path in folders}
    check_different([path.name for path in folders])
    if len(folders) < 2 and not keep:
        raise LearningError(
            f"{told_path(folder)} has one genre only, {names[folders[0]]}; at least two are needed "
            "to tell them apart, or --keep, which adds it to those that the model knows"
        )
    if len({*names.values(), *(known if keep else ())}) > MAX_GENRES:
        raise LearningError(f"there are more than {MAX_GENRES} genres, the most of one model")
    songs: list[SongFile] = []
    for path, name in names.items():
        found, problems = audio_files(path)
        songs += [_song(file, path, name) for file in sorted(map(Path, found))]
        for problem in problems:
            tell(problem)
    check_enough(songs, names.values())
    return songs


def check_enough(songs: Sequence[SongFile], genres: Iterable[str]) -> None:
    """Check that every genre has songs enough.

    Raises:
        LearningError: one has not.
    """
    for genre in dict.fromkeys(genres):
        n = sum(song.genre == genre for song in songs)
        if n < LEAST_SONGS:
            found = {0: "no song", 1: "one song"}.get(n, f"{n} songs")
            raise LearningError(
                f"the genre {genre!r} has {found} that can be learnt from; at least {LEAST_SONGS} "
                "are needed, ten or more by several artists are good: add some, or take its folder "
                "away"
            )


def _genre(name: str, known: Sequence[str], *, keep: bool) -> str:
    return (known_genre(name, known) if keep else None) or checked_genre(name)


def _song(file: Path, folder: Path, genre: str) -> SongFile:
    album = "" if file.parent == folder else str(file.parent.relative_to(folder))
    return SongFile(file, genre, album)
