"""The command line: ``rtgenre run | demo | init | devices | classify | history | doctor | …``."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

# OpenBLAS's helper threads spin between windows, which costs more than they save. Read on import.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from rtgenre.commands.parser import parse
from rtgenre.commands.streams import escape_what_cannot_be_written, replace_closed_streams
from rtgenre.errors import RtgenreError, WrongSettings, first_cause
from rtgenre.model.standard_error import keep_messages

if TYPE_CHECKING:
    from collections.abc import Sequence


EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2
_UNTIL_STOPPED = {"run", "demo", "hub"}
"""Commands that are done when they are stopped; of others Ctrl-C leaves nothing, or a part."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 (failed) or 2 (wrong usage)."""
    closed = replace_closed_streams()
    escape_what_cannot_be_written()
    keep_messages()
    _name_missing_home()
    words = sys.argv[1:] if arguments is None else arguments
    try:
        options = parse(words)
        if "stdout" in closed and options.command != "run":
            print("rtgenre: standard output is closed", file=sys.stderr)
            return EXIT_FAILED
        code = int(options.main(options))
        # While what goes wrong with it can still be explained.
        print(end="", flush=True)
    except BaseExceptionGroup as group:
        return _explain(first_cause(group), words)
    except (RtgenreError, OSError, KeyboardInterrupt) as error:
        return _explain(error, words)
    return code


def _name_missing_home() -> None:
    """Let a user without a home, as containers have them, find nothing there and go on."""
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = "/nonexistent"


def _explain(error: BaseException, words: Sequence[str]) -> int:
    """Say in one line what ended the program; anything unexpected keeps its traceback."""
    if isinstance(error, KeyboardInterrupt):
        return EXIT_OK if _UNTIL_STOPPED.intersection(words[:1]) else EXIT_FAILED
    has_left = isinstance(error, BrokenPipeError) or _is_closed_terminal(error)
    if has_left or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        # Nothing more is said when Python flushes the output at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if has_left:
            # Whoever read the output has left, as `head` does.
            return EXIT_OK
        reason = os.strerror(errno.ENOSPC)
        print(f"rtgenre: the output is incomplete: {reason}", file=sys.stderr)
        return EXIT_FAILED
    if isinstance(error, PermissionError) and error.filename:
        home = Path("~").expanduser()
        print(
            f"rtgenre: this user may not open {error.filename}; its rights say who may, or HOME, "
            f"which is {home}, has to be this user's own folder",
            file=sys.stderr,
        )
        return EXIT_FAILED
    if not isinstance(error, RtgenreError):
        raise error
    for line in str(error).splitlines():
        print(f"rtgenre: {line}", file=sys.stderr)
    return EXIT_USAGE if isinstance(error, WrongSettings) else EXIT_FAILED


def _is_closed_terminal(error: BaseException) -> bool:
    """Say whether a terminal was closed that the output goes to."""
    if not isinstance(error, OSError) or error.errno != errno.EIO:
        return False
    return stat.S_ISCHR(os.fstat(sys.stdout.fileno()).st_mode)
