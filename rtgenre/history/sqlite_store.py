"""What stores in a SQLite file have in common: opening, migrating and transactions."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from rtgenre.errors import RtgenreError

BUSY_TIMEOUT_SECONDS = 5.0
"""How long to wait while another process writes to the same file."""


NO_ROOM_FOR_LOCKS = "SQLITE_IOERR_SHMSIZE"
"""What a full disk is called where a file in WAL mode is opened, to be read alone, too."""


def is_of_full_disk(error: Exception) -> bool:
    """Say whether there was no room on the disk; SQLite itself may speak of an "I/O error"."""
    full = ("SQLITE_FULL", NO_ROOM_FOR_LOCKS)
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorname", "") in full


class NewerFileError(Exception):
    """A newer rtgenre has changed the tables of a file."""

    def __init__(self, version: int, known: int) -> None:
        super().__init__(
            f"has schema version {version}, this rtgenre knows versions up to {known}; "
            "install a newer rtgenre"
        )


class SqliteStore(ABC):
    """A file, open for writing; used by one thread only."""

    migrations: ClassVar[Sequence[Sequence[str]]]
    """Statements that lead from each schema version to the next; ``user_version`` counts them."""
    foreign: ClassVar[tuple[type[Exception], ...]] = ()
    """What else is raised by rows that no rtgenre wrote."""

    def __init__(self, file: Path) -> None:
        """Open the file, make it where it is missing, and bring its schema up to date.

        Raises:
            RtgenreError: as ``_explained`` makes it, of all that can go wrong.
        """
        self._file = file
        with self._explaining():
            file.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                file, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None
            )
            try:
                # A killed process loses nothing that was committed; nor does a power cut, with
                # FULL.
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
                self._migrate()
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    @staticmethod
    @abstractmethod
    def _explained(file: Path, error: Exception) -> RtgenreError:
        """Say what is wrong with the file and what to do."""

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Do all of it or nothing, and explain what goes wrong."""
        with self._explaining():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        expected = (OSError, sqlite3.Error, NewerFileError)
        try:
            yield
        except expected + self.foreign as error:
            raise self._explained(self._file, error) from error

    def _migrate(self) -> None:
        newest = len(self.migrations)
        if schema_version(self._connection, newest) == newest:
            return
        with self._transaction() as connection:
            # Another process may have been faster.
            version = schema_version(connection, newest)
            for statement in chain.from_iterable(self.migrations[version:]):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {newest}")


def schema_version(connection: sqlite3.Connection, newest: int) -> int:
    """Return the version of a file's tables; 0 where there are none.

    Raises:
        NewerFileError: it is above ``newest``.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > newest:
        raise NewerFileError(version, newest)
    return int(version)
