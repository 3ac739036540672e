"""Texts of others in messages of ours; pure."""

from __future__ import annotations

import re

# Control characters, line and paragraph separators, marks that turn the direction of writing,
# and halves of characters, which no file or connection takes.
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def one_line(text: str) -> str:
    r"""Return ``text`` with escapes, such as ``\n``, for what would not print on one line.

    A name could otherwise forge lines of a log, or clear a terminal.
    """
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)
