"""File names as they are told to people: on one line, and always writable as UTF-8."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Control characters, line and paragraph separators, marks that turn the direction of writing.
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def told_path(path: Path | str) -> str:
    r"""Return a path as text: what is no text in it is written as escapes, such as ``\xe9``.

    A name could otherwise forge lines of a log, or be one that no message can hold.
    """
    text = os.fsencode(path).decode(errors="backslashreplace")
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)
