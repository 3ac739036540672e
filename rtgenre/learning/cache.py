"""Keeps what songs sounded like from growing without end."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from pathlib import Path

MAX_AGE_SECONDS = 180 * 86400.0
MAX_BYTES = 256 * 2**20
"""Some 20,000 songs."""


def prune_cache(
    folder: Path,
    now: float,
    *,
    max_bytes: int = MAX_BYTES,
    max_age_seconds: float = MAX_AGE_SECONDS,
) -> int:
    """Remove what was not needed for long, then what was not needed for longest.

    Args:
        folder: holds a folder for each model; what else it holds is left alone.
        now: Unix time in seconds.
        max_bytes: what may stay, in all.
        max_age_seconds: since a file was read or written last.

    Returns:
        How many files were removed.
    """
    n_removed, n_bytes = 0, 0
    newest_first = sorted(_files(folder), key=lambda found: -found[1].st_mtime)
    for file, found in newest_first:
        n_bytes += found.st_size
        if n_bytes <= max_bytes and now - found.st_mtime <= max_age_seconds:
            continue
        # Another `learn` may have been faster, or the folder read-only.
        with suppress(OSError):
            file.unlink()
            n_removed += 1
    for model in _folders(folder):
        # Only empty ones go.
        with suppress(OSError):
            model.rmdir()
    return n_removed


def _files(folder: Path) -> list[tuple[Path, os.stat_result]]:
    found = []
    for model in _folders(folder):
        # What a killed process left behind ends in .part.
        for file in [*model.glob("*.npz"), *model.glob(".*.part")]:
            with suppress(OSError):
                found.append((file, file.stat()))
    return found


def _folders(folder: Path) -> list[Path]:
    try:
        return [each for each in folder.iterdir() if each.is_dir() and not each.is_symlink()]
    except OSError:
        return []
