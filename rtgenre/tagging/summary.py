"""What a run has come to, in words; pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rtgenre.tagging.song import DAMAGED, KEPT, WRITTEN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtgenre.tagging.song import Row

_BAR_WIDTH = 30
_NO_GENRES = ("unknown", "silence")


def genre_lines(rows: Iterable[Row]) -> list[str]:
    """Return a line for each genre with its share of the songs, most first."""
    counts = Counter(row.genre for row in rows if row.genre is not None)
    total = sum(counts.values())
    ranked = sorted(counts.items(), key=lambda item: (item[0] in _NO_GENRES, -item[1]))
    lines = []
    for genre, count in ranked:
        bar = "" if genre in _NO_GENRES else "█" * max(1, round(_BAR_WIDTH * count / total))
        lines.append(f"  {genre:<12} {count:>7}  {count / total:4.0%}  {bar}".rstrip())
    return lines


def written_text(rows: Iterable[Row]) -> tuple[str, list[str]]:
    """Say into how many files genres were written, and of each that was not to be, why not.

    Files with a fault, which are left alone on purpose, are only counted: the fault is told.
    """
    counts, problems = Counter[str](), []
    for row in rows:
        if row.genre_tag in {WRITTEN, KEPT}:
            counts[row.genre_tag] += 1
        elif row.unwritten_reason is not None:
            counts["not written"] += 1
            if row.unwritten_reason != DAMAGED:
                problems.append(f"{row.path}: {row.unwritten_reason}")
    told = [f"{counts[kind]} {kind}" for kind in (WRITTEN, KEPT, "not written") if counts[kind]]
    return f"genres in files: {', '.join(told) or 'none to write'}", problems


def speed_text(music_seconds: float, seconds: float) -> str:
    """Write how fast music was judged, in hours of it a minute."""
    if music_seconds <= 0 or seconds <= 0:
        return ""
    return f"{music_seconds / 60 / seconds:.2f} h of music a minute"
