"""Standard error: this program's messages, without those of the libraries below it.

All that keep one quiet are here, LiteRT as well as PortAudio: each restores what it found, so that
two ways of doing it would get in each other's way.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep ALSA's and PortAudio's own lines away: the exception says the same, once.

    For that file descriptor 2 leads nowhere meanwhile, in every thread; see ``keep_messages``.
    """
    keep_messages()
    with quiet_for_a_moment():
        yield


@contextlib.contextmanager
def quiet_for_a_moment() -> Iterator[None]:
    """Keep away what a library writes, and what this program writes meanwhile.

    Several threads may be in it at the same time.
    """
    if sys.__stderr__ is None:  # closed from the start: descriptor 2 may be anything by now
        yield
        return
    with _NOWHERE:
        yield


@contextlib.contextmanager
def quiet_below() -> Iterator[None]:
    """Keep away what libraries write for long, where that takes nothing from anybody.

    libmpg123 says of damaged files what names none, and PortAudio of an unplugged device where
    in its code: both tear a readout apart, and are said in our words, too. Only where
    ``keep_messages`` was called before, as by our commands: a program that embeds us may have
    more to say there.
    """
    if not _NOWHERE.spares_messages:
        yield
        return
    with _NOWHERE:
        yield


def keep_messages() -> None:
    """Let Python write its messages to a copy of file descriptor 2, from the first call on."""
    original = sys.__stderr__
    if original is None or sys.stderr is not original or not _writes_to_2(original):
        return
    with contextlib.suppress(OSError):
        sys.stderr = io.TextIOWrapper(
            # It is needed until the end, where Python would tell of it as not closed.
            io.FileIO(os.dup(2), "w", closefd=False),
            encoding=original.encoding,
            errors=original.errors,
            write_through=True,
        )
        _NOWHERE.spares_messages = True


class _Nowhere:
    """While a thread is in it, file descriptor 2 leads nowhere."""

    def __init__(self) -> None:
        self.spares_messages = False
        self._lock = threading.Lock()
        self._threads = 0
        self._restored = contextlib.ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            self._threads += 1
            if self._threads == 1:
                # With no descriptors left their lines are better than no sound.
                with contextlib.suppress(OSError):
                    self._lead_nowhere()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._threads -= 1
            if self._threads == 0:
                self._restored.close()

    def _lead_nowhere(self) -> None:
        kept = os.dup(2)
        self._restored.callback(os.close, kept)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
        finally:
            os.close(nowhere)
        self._restored.callback(os.dup2, kept, 2)


_NOWHERE = _Nowhere()


def _writes_to_2(stream: io.TextIOBase) -> bool:
    try:
        return stream.fileno() == 2
    except (OSError, ValueError):
        return False
