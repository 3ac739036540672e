"""How networks and stretches stand in the tables of the file: SQL, and numbers as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtgenre.learning.taught.stretch import MAX_WINDOWS, TaughtStretch
from rtgenre.learning.taught.values import values_from_bytes, values_to_bytes
from rtgenre.messages.taught import TeachError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from rtgenre.learning.taught.network import TaughtNetwork

_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
"""Of the years 1 and 9999, which are all that dates can say."""

MIGRATIONS = (
    (
        """
        CREATE TABLE networks (
            network INTEGER PRIMARY KEY,
            identity TEXT NOT NULL UNIQUE,
            embedding_size INTEGER NOT NULL,
            labels TEXT NOT NULL,
            probe BLOB NOT NULL
        )
        """,
        """
        CREATE TABLE stretches (
            stretch INTEGER PRIMARY KEY AUTOINCREMENT,
            network INTEGER NOT NULL REFERENCES networks,
            node TEXT NOT NULL,
            started_ms INTEGER NOT NULL,
            ended_ms INTEGER NOT NULL,
            genre TEXT NOT NULL,
            embeddings BLOB NOT NULL,
            said BLOB NOT NULL
        )
        """,
        "CREATE INDEX stretches_by_genre ON stretches (genre)",
    ),
)
"""Statements that lead from each version of the tables to the next."""

SELECT_STRETCHES = """
    SELECT identity, node, started_ms / 1000.0, ended_ms / 1000.0, genre, embeddings, said,
        embedding_size, length(labels) - length(replace(labels, char(10), '')) + 2
    FROM stretches JOIN networks USING (network)
    WHERE identity = ifnull(?1, identity)
        AND (?2 IS NULL OR stretch IN (SELECT value FROM json_each(?2)))
    ORDER BY started_ms, stretch
"""


def read_stretch(row: Sequence[Any]) -> tuple[str, TaughtStretch]:
    """Read a row of ``SELECT_STRETCHES``: the network's identity, and the stretch."""
    identity, node, start, end, genre, embeddings, said, size, n_said = row
    check_row(identity, node, start, end, genre)
    values = [
        values_from_bytes(content, n_columns, at_most=MAX_WINDOWS)
        for content, n_columns in ((embeddings, size), (said, n_said))
    ]
    return identity, TaughtStretch(node, start, end, genre, *values)


def check_row(identity: Any, node: Any, start: Any, end: Any, genre: Any) -> None:
    """Check what a row says beside its numbers: SQLite lets anything stand in it.

    Raises:
        ValueError: no lesson has such values.
    """
    check_names(identity, node, genre)
    if not all(_FIRST_SECOND <= moment <= _LAST_SECOND for moment in (start, end)):
        raise ValueError("a row is of no time that there is")


def check_names(*names: Any) -> None:
    """Check names of networks, rooms or genres.

    Raises:
        ValueError: one is no text in one line.
    """
    if not all(isinstance(name, str) and name and name.isprintable() for name in names):
        raise ValueError("a row has a name that is none")


def place_of(network_key: int, stretch: TaughtStretch) -> tuple[int, str, int, int]:
    """Say what tells a stretch from all others: who heard it, where and when."""
    started_ms, ended_ms = round(1000 * stretch.started_at), round(1000 * stretch.ended_at)
    return network_key, stretch.node, started_ms, ended_ms


def insert_stretch(connection: sqlite3.Connection, network_key: int, stretch: TaughtStretch) -> int:
    """Write a stretch, and return its number."""
    cursor = connection.execute(
        "INSERT INTO stretches (network, node, started_ms, ended_ms, genre, embeddings, said)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *place_of(network_key, stretch),
            stretch.genre,
            values_to_bytes(stretch.embeddings),
            values_to_bytes(stretch.said),
        ),
    )
    return int(cursor.lastrowid or 0)


def key_of_network(connection: sqlite3.Connection, network: TaughtNetwork) -> int:
    """Return the number of a network, which is written if it is new.

    Raises:
        TeachError: another one is called so here.
    """
    connection.execute(
        "INSERT OR IGNORE INTO networks (identity, embedding_size, labels, probe)"
        " VALUES (?, ?, ?, ?)",
        (
            network.identity,
            network.probe.shape[1],
            "\n".join(network.labels),
            values_to_bytes(network.probe),
        ),
    )
    key, size, labels = connection.execute(
        "SELECT network, embedding_size, labels FROM networks WHERE identity = ?",
        (network.identity,),
    ).fetchone()
    if size != network.probe.shape[1] or labels != "\n".join(network.labels):
        raise TeachError(
            f"the network {network.identity} has other genres or another size here; what it "
            "heard elsewhere cannot be taken in"
        )
    return int(key)
