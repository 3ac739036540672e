"""A table of text, one line a row, to which rows are appended as they come."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from rtgenre.errors import RtgenreError
from rtgenre.sources.names import told_path
from rtgenre.tagging.tables.locked_file import new_beside, open_locked, write_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rtgenre.tagging.song import Row
    from rtgenre.tagging.tables.line_formats import LineFormat


class LineTable:
    """A file of lines, which holds whole rows only, whatever ends the program.

    A row takes the place of the earlier one of the same song; both are in the file until it is
    closed, or opened again.
    """

    def __init__(self, path: Path, line_format: LineFormat, labels: Sequence[str] = ()) -> None:
        """Open or make a file.

        Args:
            path: of the file.
            line_format: of a new one; a CSV file says by its heading which columns it has.
            labels: the genres that rows to come will have.

        Raises:
            RtgenreError: it cannot be written, holds something else, or somebody else writes it.
        """
        self.path = path
        self._file = open_locked(path)
        self._format = line_format
        # Rows by path, without what nobody needs to go on; and where whole lines begin and end.
        self.index: dict[str, Row] = {}
        self._n_lines = 0
        self._start = self._end = 0
        try:
            self._read()
            extended = self._format.extended(labels)
            if extended is not self._format or self._n_lines > len(self.index):
                self._rewrite(extended)
        except OSError as error:
            self._file.close()
            raise self._unwritable(error) from error
        except BaseException:
            self._file.close()
            raise

    def rows(self) -> Iterator[Row]:
        """Yield the rows that are there now; others may be appended meanwhile.

        Raises:
            RtgenreError: another program has taken the file away.
        """
        self._check_place()
        for line in self._lines():
            yield self._format.decoded(line)

    def append(self, row: Row) -> None:
        """Write a row.

        Raises:
            RtgenreError: the disk is full, say; what was there before still is. Or another program
                has taken the file away, with what was there.
        """
        try:
            self._check_place()
            self._file.seek(self._end)
            # What an earlier run left of a row that it did not finish.
            self._file.truncate()
            if self._end == 0:
                self._start = write_all(self._file, self._format.heading())
            write_all(self._file, self._format.encoded(row))
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(self._end)
            raise self._unwritable(error) from error
        self._end = self._file.tell()
        self._n_lines += 1
        self.index[row.path] = row

    def clear(self) -> None:
        """Take all rows out."""
        self._file.truncate(0)
        self._start = self._end = self._n_lines = 0
        self.index = {}

    def close(self) -> None:
        """Leave each song's newest row only, and no file where there is no row.

        Raises:
            RtgenreError: it cannot be written; all rows are in the file. Or another program has
                taken it away, with them.
        """
        try:
            if self._n_lines:
                self._check_place()
            if self._n_lines > len(self.index):
                self._rewrite(self._format)
            self._file.truncate(self._end)
            if self._n_lines == 0:
                self.path.unlink(missing_ok=True)
            else:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise self._unwritable(error) from error
        finally:
            self._file.close()

    def _check_place(self) -> None:
        """Raise where rows would go into a file that nobody finds under this name any more."""
        try:
            if os.path.samestat(os.fstat(self._file.fileno()), self.path.stat()):
                return
        except FileNotFoundError:
            pass
        raise RtgenreError(
            f"{told_path(self.path)}: was moved, replaced or deleted meanwhile, with its "
            f"{len(self.index)} rows; put it back, and the same command goes on"
        )

    def _read(self) -> None:
        """Read what is there, up to a row that was not finished."""
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    if number == 1:
                        self._format = self._format.beginning_with(line)
                    if not line.endswith(b"\n"):
                        return
                    self._end += len(line)
                    if number == 1 and self._format.heading():
                        self._start = self._end
                        continue
                    row = self._format.decoded(line, whole=False)
                except ValueError as error:
                    raise RtgenreError(
                        f"{told_path(self.path)}: line {number} is not of 'rtgenre tag': {error}; "
                        "mend it, or choose another --output"
                    ) from error
                self._n_lines += 1
                self.index[row.path] = row

    def _lines(self) -> Iterator[bytes]:
        end, at = self._end, self._start
        with self.path.open("rb") as file:
            file.seek(at)
            while at < end:
                line = file.readline()
                at += len(line)
                yield line

    def _rewrite(self, line_format: LineFormat) -> None:
        """Write each song's newest row to a file that then takes this one's place."""
        paths = [self._format.decoded(line, whole=False).path for line in self._lines()]
        newest = {path: number for number, path in enumerate(paths)}
        file, beside = new_beside(self.path)
        try:
            start = end = write_all(file, line_format.heading())
            for number, line in enumerate(self._lines()):
                if newest[paths[number]] == number:
                    end += write_all(file, line_format.encoded(self._format.decoded(line)))
            os.fsync(file.fileno())
            beside.replace(self.path)
        except BaseException:
            file.close()
            beside.unlink(missing_ok=True)
            raise
        self._file.close()
        self._file, self._format = file, line_format
        self._start, self._end, self._n_lines = start, end, len(newest)

    def _unwritable(self, error: OSError) -> RtgenreError:
        return RtgenreError(
            f"{told_path(self.path)}: cannot be written: {error.strerror}; the {len(self.index)} "
            "rows before are whole: the same command goes on when that is mended"
        )
