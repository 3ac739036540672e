"""What was taught, for the commands that judge files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rtgenre.learning.taught.in_use import taught_in_use
from rtgenre.learning.taught.store import taught_file
from rtgenre.messages.taught import TeachError

if TYPE_CHECKING:
    from pathlib import Path

    from rtgenre.config import Config
    from rtgenre.learning.taught.genres import TaughtGenres
    from rtgenre.model.classifier import Classifier


def taught_or_told(
    config: Config, model_folder: Path, classifier: Classifier
) -> TaughtGenres | None:
    """Return what was taught; None, and why on standard error, where it cannot be used."""
    if not config.teach.enabled:
        return None
    try:
        return taught_in_use(taught_file(config.teach.file), model_folder, classifier)
    except TeachError as error:
        print(f"rtgenre: what was taught is not used: {error}", file=sys.stderr)
        return None
