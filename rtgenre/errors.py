"""What all errors of rtgenre have in common."""

from __future__ import annotations


class RtgenreError(Exception):
    """Something cannot be used; the message says what was found, what is allowed, what to do."""


class SamplesError(RtgenreError, ValueError):
    """Samples that were handed over cannot be judged."""


def first_cause(error: BaseException) -> BaseException:
    """Return the first error that is not a group, from within groups in groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
