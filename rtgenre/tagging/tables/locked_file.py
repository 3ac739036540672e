"""Files that one process writes at a time, and that are replaced whole."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import stat
import sys
from typing import TYPE_CHECKING

from rtgenre.errors import RtgenreError
from rtgenre.sources.names import told_path

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform != "win32":
    import fcntl


def open_locked(path: Path) -> io.FileIO:
    """Open a file for reading and writing, or make it; nobody else can until it is closed.

    Raises:
        RtgenreError: somebody else has it, or it cannot be opened.
    """
    try:
        while True:
            file = io.FileIO(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+")
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise RtgenreError(f"{told_path(path)}: is not a regular file; choose another one")
            _lock(file, path)
            with contextlib.suppress(FileNotFoundError):
                # Whoever had it may have replaced it meanwhile.
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    return file
            file.close()
    except OSError as error:
        raise RtgenreError(f"{told_path(path)}: cannot be opened: {error.strerror}") from error


def new_beside(path: Path) -> tuple[io.FileIO, Path]:
    """Make an empty, locked file that is to replace another one, with its rights, in its folder."""
    beside = path.with_name(f".{path.name}.rtgenre-tmp")
    file = open_locked(beside)
    file.truncate(0)
    shutil.copymode(path, beside)
    return file, beside


def write_all(file: io.FileIO, content: bytes) -> int:
    """Write all of it and return its length; a write may stop half-way when the disk gets full.

    Raises:
        OSError: not all of it could be written.
    """
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]
    return len(content)


def _lock(file: io.FileIO, path: Path) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise RtgenreError(
            f"{told_path(path)}: another rtgenre is writing it; wait for it"
        ) from None
    except OSError:  # a network's file system without locks
        return
