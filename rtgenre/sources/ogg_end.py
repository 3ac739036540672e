"""Whether an Ogg file was cut off: nothing in it says how long it should be.

Its last page has a flag, which some old encoders left out. They end with a whole page, as does a
stream that somebody stopped recording; what is cut off ends anywhere.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_MARK = b"OggS"
_HEADER_BYTES = 27
_ENDS = 4
_MOST_PAGE_BYTES = _HEADER_BYTES + 255 + 255 * 255


def lacks_end(path: Path) -> bool:
    """Say whether a file is Ogg and was cut off; of one that cannot be read others tell."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        if file.read(len(_MARK)) != _MARK:
            return False
        size = file.seek(0, 2)
        # A tag of another kind may follow the last page.
        file.seek(max(0, size - 2 * _MOST_PAGE_BYTES))
        return is_cut_off(file.read())
    return False


def is_cut_off(tail: bytes) -> bool:
    """Say so of the last bytes of an Ogg file, which hold its last page if it has one."""
    start = tail.rfind(_MARK)
    if start < 0 or len(tail) < start + _HEADER_BYTES:
        return True
    body = start + _HEADER_BYTES + tail[start + 26]
    missing_bytes = body + sum(tail[start + _HEADER_BYTES : body]) - len(tail)
    if missing_bytes == 0:
        return False
    return missing_bytes > 0 or not tail[start + 5] & _ENDS
