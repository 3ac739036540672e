"""The CRNN's two ears: the one that ``distil`` taught, and musicnn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras

from training.data.dataset import DatasetError
from training.frontends.ear import EAR_FILE_NAME
from training.frontends.hearing import Ear, two_ears

if TYPE_CHECKING:
    from pathlib import Path


def read_ears(run: Path) -> tuple[Ear, Ear]:
    """Read the taught ear, and take musicnn beside it.

    Raises:
        DatasetError: the run has no ear.
    """
    path = run / EAR_FILE_NAME
    if not path.exists():
        raise DatasetError(f"{run} has no {EAR_FILE_NAME}; make it with training.distil")
    return two_ears(keras.models.load_model(path, compile=False))
