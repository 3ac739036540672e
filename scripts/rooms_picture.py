"""Draw into CONTRIBUTING.md which rooms of the package import which.

    python -m scripts.rooms_picture

A test compares the picture with what this makes, so that it cannot lie.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "rtgenre"
PAGE = ROOT / "CONTRIBUTING.md"

EVERYWHERE = {"errors", "threads", "types"}
"""Small rooms that many others use: they would hide the picture behind their arrows."""

_PLACE = re.compile(r"(<!-- rooms: .*? -->\n).*?(<!-- end of rooms -->)", re.DOTALL)

Rooms = dict[str, set[str]]
"""What each room imports."""


def imported_rooms(package: Path = PACKAGE) -> Rooms:
    """Return which rooms each room imports while it runs."""
    found: Rooms = defaultdict(set)
    for path in package.rglob("*.py"):
        room = path.relative_to(package).with_suffix("").parts[0]
        if room.startswith("__"):
            continue
        found[room] |= {name for name in _imports(path) if name != room}
    return dict(found)


def _imports(path: Path) -> set[str]:
    found = set()

    class Visitor(ast.NodeVisitor):
        def visit_If(self, node: ast.If) -> None:
            if ast.unparse(node.test) != "TYPE_CHECKING":
                self.generic_visit(node)

        def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
            if node.module and node.module.startswith("rtgenre."):
                found.add(node.module.split(".")[1])

    Visitor().visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def without_detours(rooms: Rooms) -> Rooms:
    """Leave out arrows to rooms that other arrows lead to anyway.

    Raises:
        graphlib.CycleError: rooms import each other in a circle.
    """
    reached: Rooms = {}
    for room in TopologicalSorter(rooms).static_order():
        others = rooms.get(room, set())
        reached[room] = others.union(*(reached[other] for other in others))
    return {
        room: {
            other
            for other in others
            if not any(other in reached[between] for between in others - {other})
        }
        for room, others in rooms.items()
    }


def picture(rooms: Rooms) -> str:
    """Return the rooms as a Mermaid flowchart."""
    drawn = {room: others - EVERYWHERE for room, others in rooms.items() if room not in EVERYWHERE}
    arrows = [
        f"    {room} --> {other}"
        for room, others in sorted(without_detours(drawn).items())
        for other in sorted(others)
    ]
    return "\n".join(["```mermaid", "flowchart TD", *arrows, "```", ""])


def with_picture(text: str, drawn: str) -> str:
    """Return the page with the picture in its place."""
    return _PLACE.sub(lambda found: found[1] + drawn + found[2], text)


if __name__ == "__main__":
    PAGE.write_text(
        with_picture(PAGE.read_text(encoding="utf-8"), picture(imported_rooms())), encoding="utf-8"
    )
