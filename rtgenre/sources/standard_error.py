"""Standard error: this program's messages, without those of the libraries below it."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep ALSA's and PortAudio's own lines away: the exception says the same, once.

    For that file descriptor 2 leads nowhere meanwhile, in every thread; see ``keep_messages``.
    """
    if sys.__stderr__ is None:  # closed from the start: descriptor 2 may be anything by now
        yield
        return
    keep_messages()
    with contextlib.ExitStack() as restored:
        # With no descriptors left their lines are better than no sound.
        with contextlib.suppress(OSError):
            kept = os.dup(2)
            restored.callback(os.close, kept)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            restored.callback(os.close, nowhere)
            restored.callback(os.dup2, kept, 2)
            os.dup2(nowhere, 2)
        yield


def keep_messages() -> None:
    """Let Python write its messages to a copy of file descriptor 2, from the first call on."""
    original = sys.__stderr__
    if original is None or sys.stderr is not original or not _writes_to_2(original):
        return
    with contextlib.suppress(OSError):
        sys.stderr = io.TextIOWrapper(
            io.FileIO(os.dup(2), "w"),
            encoding=original.encoding,
            errors=original.errors,
            write_through=True,
        )


def _writes_to_2(stream: io.TextIOBase) -> bool:
    try:
        return stream.fileno() == 2
    except (OSError, ValueError):
        return False
