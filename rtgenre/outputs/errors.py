"""What goes wrong with an output at start."""

from __future__ import annotations


class OutputError(Exception):
    """An output cannot be used; the message says what was found, what is allowed, what to do."""
