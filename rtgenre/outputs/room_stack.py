"""The rooms of the live readout below each other, however many there are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rtgenre.outputs.readout import FINE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Group
    from rich.rule import Rule
    from rich.text import Text

    from rtgenre.outputs.readout import Readout

_LINES_WITH_RULE = 3
"""Rooms that have less than this each stand below each other without a line between them."""


def stack(readouts: Sequence[Readout], width: int, height: int, *, page: int = 0) -> Group:
    """Draw the readouts below each other, each with its share of the lines.

    Where there are more rooms than lines, those that need attention stand above, and the others
    take turns below them.

    Args:
        readouts: of all rooms.
        width: of the terminal, in characters.
        height: of the terminal, in lines; the last one is the cursor's.
        page: which of the others are shown; beyond the last page it begins anew.
    """
    from rich.console import Group as RichGroup
    from rich.rule import Rule

    if len(readouts) >= height:
        return RichGroup(*_page(readouts, width, height - 1, page))
    between = len(readouts) - 1
    lines = (height - 1 - between) // len(readouts)
    ruled = lines >= _LINES_WITH_RULE
    if not ruled:
        lines = max(1, (height - 1) // len(readouts))
    parts: list[Group | Rule] = []
    for readout in readouts:
        if parts and ruled:
            parts.append(Rule(style="dim"))
        parts.append(readout.render(width, lines))
    return RichGroup(*parts)


def _page(readouts: Sequence[Readout], width: int, lines: int, page: int) -> list[Group | Text]:
    """Draw as many rooms as there are lines but one, and say in that how many there are."""
    from rich.text import Text

    ordered = sorted(readouts, key=lambda readout: (readout.rank, _natural(readout.name)))
    n_needing = sum(readout.rank < FINE for readout in readouts)
    n_fixed = min(n_needing, (lines - 1) // 2)
    n_turning = max(1, lines - 1 - n_fixed)
    fixed, others = ordered[:n_fixed], ordered[n_fixed:]
    n_pages = -(-len(others) // n_turning)
    first = page % n_pages * n_turning
    shown = others[first : first + n_turning]
    said = f"{len(readouts)} rooms, page {page % n_pages + 1} of {n_pages}"
    if n_needing:
        said += f" · {n_needing} need{'s' * (n_needing == 1)} attention"
    foot = Text(said, style="dim", no_wrap=True, overflow="ellipsis")
    return [*(readout.render(width, 1) for readout in fixed + shown), foot]


def _natural(name: str) -> list[tuple[int, str]]:
    """Return what sorts ``room9`` before ``room10``."""
    parts = re.findall(r"\d+|\D+", name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
