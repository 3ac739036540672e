"""The CRNN's two ears: the one that ``distil`` taught, and musicnn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.frontends.ear import read_ear
from training.frontends.hearing import Ear, two_ears

if TYPE_CHECKING:
    from pathlib import Path


def read_ears(run: Path) -> tuple[Ear, Ear]:
    """Read the taught ear, and take musicnn beside it.

    Raises:
        DatasetError: the run has no ear.
    """
    return two_ears(read_ear(run))
