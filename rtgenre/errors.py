"""What all errors of rtgenre have in common, and how others' texts stand in messages; pure."""

from __future__ import annotations

import re

# Control characters, line and paragraph separators, marks that turn the direction of writing,
# and halves of characters, which no file or connection takes.
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class RtgenreError(Exception):
    """Something cannot be used; the message says what was found, what is allowed, what to do."""


class RefusedError(RtgenreError):
    """What a client asks for is not done; the message says why, and what to do."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        """Of an HTTP answer."""


class WrongSettings(RtgenreError):
    """What is set cannot be used: to try again changes nothing, so the exit code is 2."""


class SamplesError(RtgenreError, ValueError):
    """Samples that were handed over cannot be judged."""


def first_cause(error: BaseException) -> BaseException:
    """Return the first error that is not a group, from within groups in groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def one_line(text: str) -> str:
    r"""Return ``text`` with escapes, such as ``\n``, for what would not print on one line.

    A name could otherwise forge lines of a log, or clear a terminal.
    """
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)
