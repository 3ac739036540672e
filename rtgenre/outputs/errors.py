"""What goes wrong with an output at start."""

from __future__ import annotations

from rtgenre.errors import RtgenreError


class OutputError(RtgenreError):
    """An output cannot be used; the message says what was found, what is allowed, what to do."""
