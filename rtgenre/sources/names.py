"""File names as they are told to people."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rtgenre.errors import one_line

if TYPE_CHECKING:
    from pathlib import Path


def told_path(path: Path | str) -> str:
    r"""Return a path on one line; bytes that are no UTF-8 become escapes, such as ``\xe9``."""
    return one_line(os.fsencode(path).decode(errors="backslashreplace"))
