"""Which files are meant where folders are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtgenre.sources.names import told_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

AUDIO_SUFFIXES = frozenset(
    ".aac .ac3 .aif .aifc .aiff .alac .ape .au .caf .flac .m4a .m4b .mka .mkv .mov "  # noqa: SIM905
    ".mp2 .mp3 .mp4 .mpc .oga .ogg .opus .rf64 .snd .tta .w64 .wav .webm .wma .wv".split()
)
"""What counts as audio in a folder; a file named outright may be called anything."""


def expand_paths(paths: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """Replace each folder by the audio files below it, sorted by path.

    Returns:
        The files, and one line for each folder without any.
    """
    files: list[Path] = []
    failures: list[str] = []
    for path in paths:
        if not _is_folder(path):
            files.append(path)
            continue
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() in AUDIO_SUFFIXES)
        if not found:
            failures.append(f"{told_path(path)}: there are no audio files in this folder")
        files += found
    return files, failures


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name too long, say: opening it will tell
        return False
