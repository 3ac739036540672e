"""The SQLite file of what was taught: embeddings and labels, never audio.

``rows.py`` says how they stand in it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from rtgenre.history.sqlite_store import NewerFileError, SqliteStore, is_of_full_disk
from rtgenre.learning.taught.network import MAX_PROBES, TaughtNetwork
from rtgenre.learning.taught.notes import Notes
from rtgenre.learning.taught.rows import (
    MIGRATIONS,
    SELECT_STRETCHES,
    check_names,
    check_row,
    insert_stretch,
    key_of_network,
    place_of,
    read_stretch,
)
from rtgenre.learning.taught.values import values_from_bytes
from rtgenre.messages.taught import TeachError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rtgenre.learning.taught.stretch import TaughtStretch


MAX_STRETCHES = 5000

_UNAVAILABLE = 503


@dataclass(frozen=True, slots=True)
class TaughtRow:
    """One stretch as it is listed, without what it sounds like."""

    stretch: int
    """Its number, never used again."""
    network: str
    """Identity of the network that heard it."""
    node: str
    started_at: float
    ended_at: float
    """Unix times, in seconds."""
    genre: str


@dataclass(frozen=True, slots=True)
class Added:
    """What became of stretches that were added."""

    numbers: list[int]
    n_forgotten: int
    """How many older ones went for them."""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of notes that were taken in."""

    n_new: int
    n_known: int
    """How many were in the file already."""
    n_forgotten: int
    """How many older ones went for them."""


def taught_file(configured: Path | None) -> Path:
    """Return where what was taught is: as configured, else in the user's data folder."""
    if configured is not None:
        return configured
    return user_data_path("rtgenre", appauthor=False) / "taught.db"


class TaughtStore(SqliteStore):
    """The file, open; used by one thread only."""

    migrations = MIGRATIONS
    foreign = (ValueError, TypeError, AttributeError)

    def __init__(self, file: Path, *, max_stretches: int = MAX_STRETCHES) -> None:
        """Open the file, make it where it is missing, and bring its schema up to date.

        Raises:
            TeachError: it cannot be opened, is damaged or foreign, or a newer version wrote it.
        """
        super().__init__(file)
        self._max_stretches = max_stretches
        # What is deleted is overwritten, too.
        self._connection.execute("PRAGMA secure_delete = ON")

    def add(self, network: TaughtNetwork, stretches: Sequence[TaughtStretch]) -> Added:
        """Write stretches, all or none; beyond the limit the oldest of their genre go.

        Raises:
            TeachError: the disk is full, or the file cannot be written.
        """
        with self._transaction() as connection:
            key = key_of_network(connection, network)
            numbers = [insert_stretch(connection, key, one) for one in stretches]
            return Added(numbers, self._make_room(connection, stretches[-1].genre))

    def take_in(self, notes: Notes) -> TakenIn:
        """Add the stretches of notes, all or none; those that are here already stay as they are.

        Raises:
            TeachError: a network of the notes is another one here, or the file cannot be written.
        """
        with self._transaction() as connection:
            keys = {
                one.identity: key_of_network(connection, one) for one in notes.networks.values()
            }
            known = set(
                connection.execute("SELECT network, node, started_ms, ended_ms FROM stretches")
            )
            new = {
                (*place_of(keys[identity], one), one.genre): one
                for identity, one in notes.stretches
                if place_of(keys[identity], one) not in known
            }
            n_forgotten = 0
            for (key, *_), stretch in new.items():
                insert_stretch(connection, key, stretch)
                n_forgotten += self._make_room(connection, stretch.genre)
            return TakenIn(len(new), len(notes.stretches) - len(new), n_forgotten)

    def notes(self, numbers: Sequence[int] | None = None) -> Notes:
        """Read some stretches with their networks, or all, oldest first.

        Raises:
            TeachError: the file cannot be read, or a row is damaged.
        """
        networks = {one.identity: one for one in self.networks()}
        with self._explaining():
            chosen = None if numbers is None else json.dumps(list(numbers))
            found = self._connection.execute(SELECT_STRETCHES, (None, chosen))
            stretches = tuple(read_stretch(row) for row in found)
        heard = {identity for identity, _ in stretches}
        return Notes({name: networks[name] for name in networks if name in heard}, stretches)

    def remove(self, numbers: Iterable[int]) -> int:
        """Forget some stretches, and say how many there were.

        Raises:
            TeachError: the file cannot be written.
        """
        with self._transaction() as connection:
            # As JSON, numbers larger than SQLite's are none of these, and no error.
            cursor = connection.execute(
                "DELETE FROM stretches WHERE stretch IN (SELECT value FROM json_each(?))",
                (json.dumps(list(numbers)),),
            )
            return int(cursor.rowcount)

    def clear(self) -> int:
        """Forget everything, and say how much there was.

        Raises:
            TeachError: the file cannot be written.
        """
        with self._transaction() as connection:
            n = int(connection.execute("DELETE FROM stretches").rowcount)
            connection.execute("DELETE FROM networks")
            return n

    def rename(self, genre: str, new_genre: str) -> int:
        """Call all stretches of a genre something else, and say how many there were.

        Raises:
            TeachError: the file cannot be written.
        """
        with self._transaction() as connection:
            return int(
                connection.execute(
                    "UPDATE stretches SET genre = ? WHERE genre = ?", (new_genre, genre)
                ).rowcount
            )

    def rows(self) -> list[TaughtRow]:
        """List all stretches, newest first.

        Raises:
            TeachError: the file cannot be read.
        """
        with self._explaining():
            found = self._connection.execute(
                "SELECT stretch, identity, node, started_ms / 1000.0, ended_ms / 1000.0, genre"
                " FROM stretches JOIN networks USING (network)"
                " ORDER BY started_ms DESC, stretch DESC"
            )
            rows = [TaughtRow(*row) for row in found]
            for one in rows:
                check_row(one.network, one.node, one.started_at, one.ended_at, one.genre)
            return rows

    def networks(self) -> list[TaughtNetwork]:
        """List the networks that stretches were heard with.

        Raises:
            TeachError: the file cannot be read.
        """
        with self._explaining():
            found = self._connection.execute(
                "SELECT identity, labels, probe, embedding_size FROM networks"
            ).fetchall()
            for identity, labels, *_ in found:
                check_names(identity, *labels.split("\n"))
            return [
                TaughtNetwork(
                    identity,
                    tuple(labels.split("\n")),
                    values_from_bytes(probe, size, at_most=MAX_PROBES),
                )
                for identity, labels, probe, size in found
            ]

    def stretches(self, network: str) -> list[TaughtStretch]:
        """Read the stretches that a network heard, oldest first.

        Raises:
            TeachError: the file cannot be read, or a row is damaged.
        """
        with self._explaining():
            found = self._connection.execute(SELECT_STRETCHES, (network, None))
            return [read_stretch(row)[1] for row in found]

    def _make_room(self, connection: sqlite3.Connection, genre: str) -> int:
        """Forget the oldest stretches beyond the limit, first of a genre; say how many."""
        (n,) = connection.execute("SELECT count(*) FROM stretches").fetchone()
        surplus = max(0, int(n) - self._max_stretches)
        if surplus:
            connection.execute(
                "DELETE FROM stretches WHERE stretch IN ("
                " SELECT stretch FROM stretches ORDER BY genre <> ?, started_ms, stretch LIMIT ?)",
                (genre, surplus),
            )
        return surplus

    @staticmethod
    def _explained(file: Path, error: Exception) -> TeachError:
        return _explained(file, error)


def _explained(file: Path, error: Exception) -> TeachError:
    if isinstance(error, NewerFileError):
        return TeachError(f"{file} {error}, or set another [teach] file", _UNAVAILABLE)
    if is_of_full_disk(error):
        return TeachError(f"the disk of {file} is full: make room, and try again", _UNAVAILABLE)
    if isinstance(error, sqlite3.DatabaseError | ValueError | TypeError | AttributeError) and (
        not isinstance(error, sqlite3.OperationalError)
    ):
        return TeachError(
            f"{file} is damaged, or was not written by rtgenre ({error}); move it away, or set "
            "another [teach] file",
            _UNAVAILABLE,
        )
    if file.parent.is_dir() and not os.access(file.parent, os.W_OK):
        return TeachError(
            f"{file} cannot be used: its folder is read-only for this user; change that, or set "
            "another [teach] file",
            _UNAVAILABLE,
        )
    return TeachError(f"{file} cannot be used: {error}", _UNAVAILABLE)
