"""Standard input, output and error as a command finds them: some may be closed."""

from __future__ import annotations

import io
import os
import sys


def replace_closed_streams() -> frozenset[str]:
    """Open those that are closed on the null device, and return their names in ``sys``.

    Otherwise the next file that is opened, the history say, would take the place of one, and get
    what libraries write to it.
    """
    replaced = set()
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is given out, which is this one.
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(descriptor, mode, closefd=False))
            replaced.add(name)
    return frozenset(replaced)


def escape_what_cannot_be_written() -> None:
    """Let standard output write what its encoding lacks as escapes, as standard error does."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
