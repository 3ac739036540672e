"""Takes songs to a table: which are to be judged, and what becomes of each row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rtgenre.tagging.finding import stat_song
from rtgenre.tagging.genre_tags import write_genre
from rtgenre.tagging.song import DAMAGED, KEPT, WRITTEN, Row, Song

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from rtgenre.tagging.tables.open_table import Table


def to_be_judged(
    songs: Iterable[Song], table: Table, model: tuple[str, str], sample_seconds: float | None
) -> list[Song]:
    """Return the songs that have no row, have changed, or were judged otherwise."""
    missing = []
    for song in songs:
        row = table.index.get(song.path)
        if row is None or not row.is_of(song, model, sample_seconds):
            missing.append(song)
    return missing


def take_rows(
    answers: Iterable[tuple[Song, object]], table: Table, writing: GenreWriting | None
) -> Generator[Row, None, None]:
    """Write each song's row to the table, and yield it.

    Args:
        answers: a song and its row, or something that says why there is none.
        table: gets the rows.
        writing: also writes the genre into the files, if that is wanted.

    Raises:
        RtgenreError: the table cannot be written.
    """
    for song, answer in answers:
        row = answer
        if not isinstance(row, Row):
            row = Row(song.path, song.size, song.modified, fault=str(answer))
        earlier = table.index.get(song.path)
        if row.model == "" and earlier is not None and earlier.genre is not None:
            # A disk that was unplugged, say, takes nothing away that is known.
            yield row
            continue
        own = None if earlier is None else earlier.genre_in_file
        if writing is not None:
            row = writing.written(song, row, own)
        row = row.with_genre_in_file(own)
        table.append(row)
        yield row


class GenreWriting:
    """Writes genres into the tags of files that have rows."""

    def __init__(self, *, overwrite: bool) -> None:
        self._overwrite = overwrite

    def written(self, song: Song, row: Row, own: str | None = None) -> Row:
        """Write a row's genre into its file, and return the row as it is then.

        Args:
            song: the file.
            row: what it is now.
            own: the genre that an earlier run wrote into it, which is replaced.
        """
        if row.genre is None or row.genre in {"unknown", "silence"}:
            return row
        if row.fault is not None:
            # Perhaps it is still being copied here, and the copy would take its place.
            return replace(row, genre_tag=DAMAGED)
        path = Path(song.location)
        outcome = write_genre(path, row.genre, overwrite=self._overwrite, own=own)
        now = stat_song(song.location)
        if outcome == WRITTEN and isinstance(now, Song):
            # The file is another one now, but not one that has to be judged anew.
            row = replace(row, size=now.size, modified=now.modified)
        return replace(row, genre_tag=outcome)

    def catch_up(self, songs: Iterable[Song], table: Table) -> Iterator[Row]:
        """Write the genres of songs that were judged before, and yield their rows as they are now.

        Args:
            songs: those that have rows as they are.
            table: gets the new rows.

        Raises:
            RtgenreError: the table cannot be written.
        """
        by_path = {song.path: song for song in songs}
        for row in table.rows():
            song = by_path.get(row.path)
            if song is None or row.genre_tag == WRITTEN:
                continue
            if row.genre_tag == KEPT and not self._overwrite:
                continue
            own = row.genre_in_file
            new = self.written(song, row, own).with_genre_in_file(own)
            if new != row:
                table.append(new)
                yield new
