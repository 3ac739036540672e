"""Chooses a table's format by its file's ending."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rtgenre.config.errors import ConfigError
from rtgenre.sources.names import told_path
from rtgenre.tagging.tables.line_formats import CsvLines, JsonLines
from rtgenre.tagging.tables.line_table import LineTable
from rtgenre.tagging.tables.parquet_table import ParquetTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rtgenre.tagging.song import Row

ENDINGS = (".parquet", ".csv", ".jsonl")


class Table(Protocol):
    """Rows about songs in a file; each song's newest one counts."""

    path: Path
    index: dict[str, Row]
    """By path, without probabilities, sections and tags."""

    def rows(self) -> Iterator[Row]:
        """Yield the rows that are there now; others may be appended meanwhile."""

    def append(self, row: Row) -> None:
        """Write a row, whole or not at all.

        Raises:
            RtgenreError: the disk is full, say; what was there before still is.
        """

    def close(self) -> None:
        """Leave each song's newest row only.

        Raises:
            RtgenreError: the disk is full, say; what was there before still is.
        """


def check_ending(path: Path) -> None:
    """Do nothing if there is a format for the file's ending.

    Raises:
        ConfigError: there is none.
    """
    if path.suffix.lower() not in ENDINGS:
        raise ConfigError(
            f"--output is {told_path(path)}; its name must end in {', '.join(ENDINGS[:-1])} or "
            f"{ENDINGS[-1]}"
        )


def open_table(path: Path, labels: Sequence[str]) -> Table:
    """Open a table, or begin one.

    Args:
        path: of the file.
        labels: the genres that rows to come will have.

    Raises:
        ConfigError: there is no format for the file's ending.
        RtgenreError: the file cannot be written, or holds something else.
    """
    check_ending(path)
    ending = path.suffix.lower()
    if path.is_symlink():
        # The file is replaced, and not the link to it.
        path = Path(os.path.realpath(path))
    match ending:
        case ".parquet":
            return ParquetTable(path)
        case ".csv":
            return LineTable(path, CsvLines(labels), labels)
        case _:
            return LineTable(path, JsonLines())
