"""Files that are there whole or not at all, whatever ends the program."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PART = ".part"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a place beside ``path`` to write to; the file there takes its name in the end.

    It has the same ending, by which numpy and Keras know what to write. What was half written is
    removed where the program can still do so.
    """
    part = path.with_name(f"{path.stem}{PART}{path.suffix}")
    try:
        yield part
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    part.replace(path)
