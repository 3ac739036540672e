"""Whether an Ogg file was cut off: nothing in it says how long it should be.

Its last page has a flag, which some old encoders left out. They end with a whole page, as does a
stream that somebody stopped recording; what is cut off ends anywhere.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from rtgenre.sources.ogg import PAGE_HEADER_BYTES, PAGE_MARK, page_body

if TYPE_CHECKING:
    from pathlib import Path

_ENDS = 4
_MOST_PAGE_BYTES = PAGE_HEADER_BYTES + 255 + 255 * 255


def lacks_end(path: Path) -> bool:
    """Say whether a file is Ogg and was cut off; of one that cannot be read others tell."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        if file.read(len(PAGE_MARK)) != PAGE_MARK:
            return False
        size = file.seek(0, 2)
        # A tag of another kind may follow the last page.
        file.seek(max(0, size - 2 * _MOST_PAGE_BYTES))
        return is_cut_off(file.read())
    return False


def is_cut_off(tail: bytes) -> bool:
    """Say so of the last bytes of an Ogg file, which hold its last page if it has one."""
    start = tail.rfind(PAGE_MARK)
    page = tail[max(0, start) :]
    body = page_body(page)
    if start < 0 or body is None or len(page) < body.stop:
        return True
    return len(page) > body.stop and not page[5] & _ENDS
