"""The CRNN's two ears, both taught by ``distil``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.frontends.ear import read_ear
from training.frontends.hearing import Ear, two_ears
from training.frontends.second_ear import build_second_ear, read_second_ear

if TYPE_CHECKING:
    from pathlib import Path


def read_ears(run: Path) -> tuple[Ear, Ear]:
    """Read them from a run.

    Raises:
        DatasetError: the run lacks one of them.
    """
    return two_ears(read_ear(run), build_second_ear(read_second_ear(run)))
