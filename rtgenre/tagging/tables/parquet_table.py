"""A table as Parquet, by pyarrow; rows that are newer than it wait in a file of lines beside it."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rtgenre.errors import RtgenreError
from rtgenre.sources.names import told_path
from rtgenre.tagging.song import Row
from rtgenre.tagging.tables.line_formats import NEEDED, PROBABILITY_PREFIX, JsonLines
from rtgenre.tagging.tables.line_table import LineTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# A Parquet file is written whole; so seldom that all of it together takes no time worth a word.
_LEAST_ROWS, _LEAST_SHARE = 1000, 0.1
_ROWS_AT_ONCE = 10_000


class ParquetTable:
    """A Parquet file that is replaced whole from time to time, and when it is closed."""

    def __init__(self, path: Path) -> None:
        """Open a file, or begin one.

        Raises:
            RtgenreError: pyarrow is missing, the file holds something else, or somebody else
                writes it.
        """
        try:
            import pyarrow as arrow
            import pyarrow.parquet
        except ImportError:
            raise RtgenreError(
                f"{told_path(path)}: Parquet needs pyarrow: pip install 'rtgenre[parquet]', or "
                "choose an --output that ends in .csv or .jsonl"
            ) from None
        self.path = path
        self._arrow: Any = arrow
        # What Parquet's own file does not have yet.
        self._newer = LineTable(path.with_name(path.name + ".part"), JsonLines())
        try:
            self.index = {row.path: row for row in self._written(list(NEEDED))}
        except BaseException:
            self._newer.close()
            raise
        self._n_written = len(self.index)
        self.index.update(self._newer.index)

    def rows(self) -> Iterator[Row]:
        """Yield the rows that are there now; others may be appended meanwhile."""
        # Taken first: what is appended meanwhile may take them into the Parquet file.
        newer = {row.path: row for row in self._newer.rows()}
        yield from (row for row in self._written(None) if row.path not in newer)
        yield from newer.values()

    def append(self, row: Row) -> None:
        """Write a row.

        Raises:
            RtgenreError: the disk is full, say; what was there before still is.
        """
        self._newer.append(row)
        self.index[row.path] = row
        if len(self._newer.index) >= max(_LEAST_ROWS, _LEAST_SHARE * self._n_written):
            self._merge()

    def close(self) -> None:
        """Write all rows to the Parquet file.

        Raises:
            RtgenreError: it cannot be written; all rows are kept, here or beside it.
        """
        try:
            if self._newer.index:
                self._merge()
        finally:
            self._newer.close()

    def _merge(self) -> None:
        beside = self.path.with_name(f".{self.path.name}.rtgenre-tmp")
        try:
            table = self._table(self._newer.rows())
            exists = self.path.exists()
            if exists:
                # pandas, for one, writes sizes as floats where one is missing.
                table = self._arrow.concat_tables(
                    [self._without_newer(), table], promote_options="permissive"
                )
            self._arrow.parquet.write_table(table, beside, compression="zstd")
            with beside.open("rb+") as written:
                os.fsync(written.fileno())
            if exists:
                shutil.copymode(self.path, beside)
            beside.replace(self.path)
        except (OSError, self._arrow.ArrowException) as error:
            beside.unlink(missing_ok=True)
            reason = getattr(error, "strerror", None) or " ".join(str(error).split())
            raise RtgenreError(
                f"{told_path(self.path)}: cannot be written: {reason}; all rows "
                f"are kept in {self._newer.path.name}: the same command goes on when that is mended"
            ) from error
        self._n_written = table.num_rows
        self._newer.clear()

    def _without_newer(self) -> Any:
        table = self._arrow.parquet.read_table(self.path)
        kept = [path not in self._newer.index for path in table["path"].to_pylist()]
        return table.filter(self._arrow.array(kept, type=self._arrow.bool_()))

    def _written(self, columns: list[str] | None) -> Iterator[Row]:
        """Yield the rows of the Parquet file; with some columns only where others are not needed.

        Raises:
            RtgenreError: it is another file.
        """
        if not self.path.exists():
            return
        try:
            file = self._arrow.parquet.ParquetFile(self.path)
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=columns):
                # Of another table's columns some are no fields of a row.
                yield from map(_row, batch.to_pylist())
        except (OSError, ValueError, TypeError, self._arrow.ArrowException) as error:
            reason = " ".join(str(error).split())
            raise RtgenreError(
                f"{told_path(self.path)}: is no table of 'rtgenre tag' ({reason}); choose another "
                "--output"
            ) from error

    def _table(self, rows: Iterable[Row]) -> Any:
        documents = [_flat(row) for row in rows]
        labels = dict.fromkeys(
            name
            for document in documents
            for name in document
            if name.startswith(PROBABILITY_PREFIX)
        )
        return self._arrow.Table.from_pylist(documents, schema=self._schema(labels))

    def _schema(self, probability_columns: Iterable[str]) -> Any:
        arrow = self._arrow
        text, real = arrow.string(), arrow.float64()
        section = arrow.struct(
            {"start_seconds": real, "end_seconds": real, "genre": text, "reason": text}
        )
        return arrow.schema(
            {
                "path": text,
                "size": arrow.int64(),
                "modified": text,
                "duration_seconds": real,
                "genre": text,
                "reason": text,
                "confidence": real,
                **dict.fromkeys(probability_columns, real),
                "sections": arrow.list_(section),
                "title": text,
                "artist": text,
                "album": text,
                "model": text,
                "model_checksum": text,
                "sample_seconds": real,
                "genre_tag": text,
                "fault": text,
            }
        )


def _flat(row: Row) -> dict[str, Any]:
    document = asdict(row)
    probabilities = document.pop("probabilities") or {}
    return document | {PROBABILITY_PREFIX + label: p for label, p in probabilities.items()}


def _row(document: dict[str, Any]) -> Row:
    probabilities = {
        name.removeprefix(PROBABILITY_PREFIX): document.pop(name)
        for name in list(document)
        if name.startswith(PROBABILITY_PREFIX)
    }
    known = {label: p for label, p in probabilities.items() if p is not None}
    sections = tuple(document.pop("sections", None) or ())
    return Row(**document, probabilities=known or None, sections=sections)
