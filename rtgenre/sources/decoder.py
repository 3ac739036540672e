"""What a decoder of audio files is, and what it says when it cannot go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rtgenre.errors import RtgenreError
from rtgenre.sources.names import told_path

if TYPE_CHECKING:
    from pathlib import Path

    from rtgenre.types import FloatArray, Track


class DecodeError(RtgenreError):
    """A file is missing, empty, damaged or not audio; one line that begins with its path."""

    def __init__(self, path: Path, problem: str, *, may_pass: bool = False) -> None:
        super().__init__(f"{told_path(path)}: {problem}")
        self.problem = problem
        # Whether the same file may be readable later.
        self.may_pass = may_pass


class Decoder(Protocol):
    """One program's or library's way through a file."""

    sample_rate_hz: int
    n_channels: int
    track: Track
    """From its tags, else the file's name."""
    promised_frames: int
    """The length that the file itself gives; 0 where it gives none."""

    def read(self, n_frames: int) -> FloatArray:
        """Return the next ``(n_frames, n_channels)``, fewer at the end, none after it.

        Raises:
            DecodeError: the rest cannot be read.
        """

    def skip(self, n_frames: int) -> bool:
        """Pass over frames without decoding them, if that is possible; say whether it was."""

    def close(self) -> None:
        """Let go of the file."""
