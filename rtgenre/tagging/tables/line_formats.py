"""Rows as lines of text: JSON or CSV; pure."""

from __future__ import annotations

import codecs
import csv
import io
import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Protocol

from rtgenre.tagging.song import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

PROBABILITY_PREFIX = "probability_"
"""Begins the name of a genre's column where each has its own."""

# The sections of a recording of some hours are longer than what csv reads by default.
csv.field_size_limit(2**31 - 1)


class LineFormat(Protocol):
    """How one row becomes one line of text, and back."""

    def heading(self) -> bytes:
        """Return the first line, or nothing."""

    def beginning_with(self, line: bytes) -> LineFormat:
        """Return the format of a file by its first line, which may be an unfinished one.

        Raises:
            ValueError: no table begins so.
        """

    def extended(self, labels: Sequence[str]) -> LineFormat:
        """Return a format that has room for these genres, too; itself if it has."""

    def encoded(self, row: Row) -> bytes:
        """Return a row as one line."""

    def decoded(self, line: bytes, *, whole: bool = True) -> Row:
        """Return the row of a line.

        Args:
            line: with or without its end.
            whole: whether probabilities, sections and tags are wanted.

        Raises:
            ValueError: it is none.
        """


class JsonLines:
    """One JSON object a line, with the fields of ``Row``."""

    def heading(self) -> bytes:
        """Return nothing."""
        return b""

    def beginning_with(self, line: bytes) -> JsonLines:
        """Return itself, if this is the beginning of a row."""
        start = b'{"path": "'
        if line[: len(start)] != start[: len(line)]:
            raise ValueError("it is no JSON object of a song")
        return self

    def extended(self, labels: Sequence[str]) -> JsonLines:
        """Return itself: each row says its genres."""
        return self

    def encoded(self, row: Row) -> bytes:
        """Return a row as one line."""
        return json.dumps(asdict(row), ensure_ascii=False).encode(errors="backslashreplace") + b"\n"

    def decoded(self, line: bytes, *, whole: bool = True) -> Row:
        """Return the row of a line; see ``LineFormat``."""
        try:
            document = json.loads(line)
            if not whole:
                return Row(**{name: document[name] for name in NEEDED})
            document["sections"] = tuple(document["sections"])
            return Row(**document)
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error


class CsvLines:
    """Comma-separated values with a heading; a column for each genre's probability."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = tuple(labels)
        self._columns = csv_columns(labels)

    def beginning_with(self, line: bytes) -> CsvLines:
        """Return a format with the columns of a heading."""
        if not line.endswith(b"\n"):
            start = self.heading()
            if line[: len(start)] == start[: len(line)]:
                return self
        # Excel's mark of UTF-8.
        columns = _cells(line.removeprefix(codecs.BOM_UTF8))
        labels = [
            column.removeprefix(PROBABILITY_PREFIX)
            for column in columns
            if column.startswith(PROBABILITY_PREFIX)
        ]
        if columns != csv_columns(labels):
            raise ValueError(f"its columns should be {', '.join(csv_columns(['…']))}")
        return CsvLines(labels)

    def heading(self) -> bytes:
        """Return the names of the columns."""
        return _csv_line(self._columns)

    def extended(self, labels: Sequence[str]) -> CsvLines:
        """Return a format with columns for these genres, too; itself if it has them."""
        both = tuple(dict.fromkeys([*self._labels, *labels]))
        return self if both == self._labels else CsvLines(both)

    def encoded(self, row: Row) -> bytes:
        """Return a row as one line."""
        values = _flat(row)
        values["sections"] = json.dumps(row.sections) if row.sections else ""
        return _csv_line([values.get(column) for column in self._columns])

    def decoded(self, line: bytes, *, whole: bool = True) -> Row:
        """Return the row of a line; see ``LineFormat``."""
        cells = _cells(line)
        if len(cells) != len(self._columns):
            raise ValueError(f"it has {len(cells)} cells in place of {len(self._columns)}")
        texts = dict(zip(self._columns, cells, strict=True))
        values = {name: _VALUES[name](texts[name]) for name in (_NAMES if whole else NEEDED)}
        if whole:
            cells_by_label = {label: texts[PROBABILITY_PREFIX + label] for label in self._labels}
            values["probabilities"] = {
                label: float(cell) for label, cell in cells_by_label.items() if cell
            } or None
        return Row(**values)


_NAMES = [field.name for field in fields(Row) if field.name != "probabilities"]
NEEDED = (
    "path", "size", "modified", "duration_seconds", "genre", "model", "model_checksum",
    "sample_seconds", "genre_tag", "fault",
)  # fmt: skip
_VALUES: dict[str, Callable[[str], Any]] = dict.fromkeys(_NAMES, lambda cell: cell or None) | {
    **dict.fromkeys(("path", "modified", "title", "artist", "album"), str),
    **dict.fromkeys(("model", "model_checksum"), str),
    **dict.fromkeys(
        ("duration_seconds", "confidence", "sample_seconds"),
        lambda cell: float(cell) if cell else None,
    ),
    "size": lambda cell: int(cell) if cell else None,
    "sections": lambda cell: tuple(json.loads(cell or "[]")),
}
"""What a cell is read as; an empty one is None, or an empty text where fields are never None."""


def csv_columns(labels: Iterable[str]) -> list[str]:
    """Return the names of all columns where each genre has its own."""
    after = _NAMES.index("confidence") + 1
    genres = [PROBABILITY_PREFIX + label for label in labels]
    return [*_NAMES[:after], *genres, *_NAMES[after:]]


def _flat(row: Row) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in _NAMES}
    for label, probability in (row.probabilities or {}).items():
        values[PROBABILITY_PREFIX + label] = probability
    return values


def _cells(line: bytes) -> list[str]:
    try:
        return next(csv.reader([line.decode()]), [])
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _csv_line(cells: Iterable[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode(errors="backslashreplace")
