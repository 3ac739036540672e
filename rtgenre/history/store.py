"""The history's SQLite file: its tables, writing and reading it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from rtgenre.errors import RtgenreError
from rtgenre.history.sqlite_store import (
    BUSY_TIMEOUT_SECONDS,
    NO_ROOM_FOR_LOCKS,
    NewerFileError,
    SqliteStore,
    is_of_full_disk,
    schema_version,
)
from rtgenre.history.stretches import Stretch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MIGRATIONS = (
    (
        """
        CREATE TABLE stretches (
            node TEXT NOT NULL,
            started_ms INTEGER NOT NULL,
            ended_ms INTEGER NOT NULL,
            genre TEXT NOT NULL,
            confidence REAL NOT NULL,
            model TEXT NOT NULL,
            PRIMARY KEY (node, started_ms)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX stretches_by_end ON stretches (ended_ms)",
    ),
    # SQLite can lift NOT NULL only from a new table.
    (
        """
        CREATE TABLE new_stretches (
            node TEXT NOT NULL,
            started_ms INTEGER NOT NULL,
            ended_ms INTEGER NOT NULL,
            genre TEXT NOT NULL,
            confidence REAL,
            model TEXT NOT NULL,
            reason TEXT,
            PRIMARY KEY (node, started_ms)
        ) WITHOUT ROWID
        """,
        """
        INSERT INTO new_stretches (node, started_ms, ended_ms, genre, confidence, model)
        SELECT node, started_ms, ended_ms, genre,
            CASE genre WHEN 'silence' THEN NULL ELSE confidence END, model
        FROM stretches
        """,
        "DROP TABLE stretches",
        "ALTER TABLE new_stretches RENAME TO stretches",
        "CREATE INDEX stretches_by_end ON stretches (ended_ms)",
    ),
    (
        "ALTER TABLE stretches ADD COLUMN title TEXT",
        "ALTER TABLE stretches ADD COLUMN artist TEXT",
    ),
)
SCHEMA_VERSION = len(_MIGRATIONS)
_VERSION_WITH_COLUMN = {"reason": 2, "title": 3, "artist": 3}
"""The first schema version that has a column; those of version 1 are not named."""

_UPSERT = """
    INSERT INTO stretches
        (node, started_ms, ended_ms, genre, confidence, model, reason, title, artist)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (node, started_ms) DO UPDATE SET
        ended_ms = excluded.ended_ms, genre = excluded.genre,
        confidence = excluded.confidence, model = excluded.model, reason = excluded.reason,
        title = excluded.title, artist = excluded.artist
"""
_SELECT = """
    SELECT node, started_ms / 1000.0, ended_ms / 1000.0, genre, confidence, model,
        {reason}, {title}, {artist}
    FROM stretches
    WHERE ended_ms > ? AND started_ms < ? ORDER BY started_ms, node
"""

_SELECT_ODD = """
    SELECT node, started_ms, ended_ms, genre, confidence, model FROM stretches
    WHERE ended_ms > ? AND started_ms < ? AND NOT (
        typeof(node) = 'text' AND typeof(genre) = 'text' AND typeof(model) = 'text'
        AND typeof(started_ms) IN ('integer', 'real') AND started_ms >= 0
        AND typeof(ended_ms) IN ('integer', 'real') AND ended_ms <= 253402300799999
        AND typeof({reason}) IN ('text', 'null')
        AND typeof({title}) IN ('text', 'null') AND typeof({artist}) IN ('text', 'null') AND (
            typeof(confidence) IN ('integer', 'real') AND confidence BETWEEN 0 AND 1
            OR confidence IS NULL
        )
    ) LIMIT 1
"""
"""A row that no rtgenre wrote; times end with the year 9999."""
_ANY_ENDED = "SELECT 1 FROM stretches WHERE ended_ms BETWEEN ? AND ? LIMIT 1"
_SELECT_ROWS = """
    SELECT node, started_ms, ended_ms, genre, confidence, model, reason, title, artist
    FROM stretches
    WHERE ended_ms > ? AND started_ms < ? AND (? IS NULL OR node = ?) AND (? IS NULL OR genre = ?)
"""


class HistoryError(RtgenreError):
    """The file cannot be used; the message says what was found and what to do."""


class HistoryStore(SqliteStore):
    """The file, open for writing; used by one thread only.

    Everything raises ``HistoryError`` where the file cannot be used, is no history, or a newer
    version wrote it.
    """

    migrations = _MIGRATIONS

    def write(self, stretches: Iterable[Stretch]) -> None:
        """Write all of them or none; one that is known by node and start is replaced.

        Raises:
            HistoryError: the disk is full, or the file cannot be written.
        """
        rows = [
            (
                stretch.node,
                round(1000 * stretch.started_at),
                round(1000 * stretch.ended_at),
                stretch.genre,
                stretch.confidence,
                stretch.model,
                stretch.reason,
                stretch.title,
                stretch.artist,
            )
            for stretch in stretches
        ]
        with self._transaction() as connection:
            connection.executemany(_UPSERT, rows)

    def forget_before(self, time: float) -> None:
        """Delete the stretches that ended before the Unix time ``time``.

        Raises:
            HistoryError: the file cannot be written.
        """
        with self._transaction() as connection:
            connection.execute("DELETE FROM stretches WHERE ended_ms < ?", (round(1000 * time),))

    def holds_any(self, since: float, until: float) -> bool:
        """Say whether a stretch ended between two Unix times.

        Raises:
            HistoryError: the file cannot be read.
        """
        times = (round(1000 * since), round(1000 * until))
        with self._explaining():
            return self._connection.execute(_ANY_ENDED, times).fetchone() is not None

    def forget(
        self, since: float, until: float, node: str | None = None, genre: str | None = None
    ) -> None:
        """Delete what was heard between two Unix times, of a node, of a genre, or of both.

        A stretch that reaches out of that time keeps the parts outside.

        Raises:
            HistoryError: the file cannot be written.
        """
        since_ms, until_ms = round(1000 * since), round(1000 * until)
        # What is deleted is overwritten, too.
        self._connection.execute("PRAGMA secure_delete = ON")
        with self._transaction() as connection:
            _refuse_odd_rows(connection, self._file, (since_ms, until_ms), SCHEMA_VERSION)
            chosen = (since_ms, until_ms, node, node, genre, genre)
            rows = connection.execute(_SELECT_ROWS, chosen).fetchall()
            connection.executemany(
                "DELETE FROM stretches WHERE node = ? AND started_ms = ?",
                [(row_node, started_ms) for row_node, started_ms, *_ in rows],
            )
            before = [
                (n, start, since_ms, *rest) for n, start, _, *rest in rows if start < since_ms
            ]
            after = [(n, until_ms, end, *rest) for n, _, end, *rest in rows if end > until_ms]
            connection.executemany(_UPSERT, before + after)

    @staticmethod
    def _explained(file: Path, error: Exception) -> HistoryError:
        return _explained(file, error)


def read_stretches(file: Path, since: float, until: float) -> list[Stretch]:
    """Read what was heard between two Unix times, oldest first, from a file that may be in use.

    Stretches that reach over an end of that time are returned whole.

    Raises:
        HistoryError: the file cannot be read, or a newer version wrote it.
    """
    try:
        if not file.exists():
            return []
        try:
            return _read(file, "mode=ro", since, until)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname not in {"SQLITE_CANTOPEN", NO_ROOM_FOR_LOCKS}:
                raise
            # Where not even a lock can be written, as on a disk that became read-only or is full,
            # SQLite reads a file in WAL mode only if it is told that nobody changes it.
            return _read(file, "immutable=1", since, until)
    except (OSError, sqlite3.Error, NewerFileError) as error:
        raise _explained(file, error) from error


def _read(file: Path, how: str, since: float, until: float) -> list[Stretch]:
    uri = f"{file.absolute().as_uri()}?{how}"
    with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_SECONDS)) as connection:
        version = schema_version(connection, SCHEMA_VERSION)
        if version == 0:
            return []
        times = (round(1000 * since), round(1000 * until))
        # Reading does not migrate: the file may be read-only, or in use by an older rtgenre.
        _refuse_odd_rows(connection, file, times, version)
        select = _SELECT.format(**_columns(version))
        return list(map(Stretch._make, connection.execute(select, times)))


def _columns(version: int) -> dict[str, str]:
    """Return what to read for each column that a file of this version may lack."""
    return {
        name: name if version >= since else "NULL" for name, since in _VERSION_WITH_COLUMN.items()
    }


def _refuse_odd_rows(
    connection: sqlite3.Connection, file: Path, times: tuple[int, int], version: int
) -> None:
    odd = connection.execute(_SELECT_ODD.format(**_columns(version)), times).fetchone()
    if odd is not None:
        raise HistoryError(
            f"the history {file} holds a row that rtgenre did not write: {odd}; delete that row, "
            "move the file away, or set another [history] file"
        )


def _explained(file: Path, error: Exception) -> HistoryError:
    if isinstance(error, NewerFileError):
        return HistoryError(f"the history {file} {error}, or set another [history] file")
    if isinstance(error, sqlite3.DatabaseError) and error.args[:1] == ("file is not a database",):
        return HistoryError(
            f"{file} is not a history of rtgenre; move it away, or set another [history] file"
        )
    if is_of_full_disk(error):
        return HistoryError(f"the history {file} cannot be written: its disk is full; make room")
    if os.access(file.parent, os.F_OK) and not os.access(file.parent, os.W_OK):
        return HistoryError(
            f"the history {file} cannot be used: its folder is read-only for this user; change "
            "that, or set another [history] file"
        )
    return HistoryError(f"the history {file} cannot be used: {error}")
