"""What was taught while it played, for programs: by default they say what the page would show."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from rtgenre.errors import RtgenreError
from rtgenre.learning.taught.in_use import taught_in_use
from rtgenre.learning.taught.store import taught_file
from rtgenre.messages.taught import TeachError
from rtgenre.sources.names import told_path

if TYPE_CHECKING:
    from os import PathLike

    from rtgenre.learning.taught.genres import TaughtGenres
    from rtgenre.model.classifier import Classifier

logger = logging.getLogger(__name__)


def taught_for(
    taught: bool | str | PathLike[str],
    model_folder: Path,
    classifier: Classifier,
) -> TaughtGenres | None:
    """Learn what was taught; None where nothing was, or it is not to count.

    Args:
        taught: see ``load_model``.
        model_folder: of the model.
        classifier: the model.

    Raises:
        RtgenreError: a file that was named is missing, damaged, or cannot be learnt.
    """
    if taught is False:
        return None
    if taught is not True:
        return taught_in_use(_named_file(Path(taught)), model_folder, classifier)
    try:
        return taught_in_use(taught_file(None), model_folder, classifier)
    except (TeachError, OSError, RuntimeError) as error:  # the last where there is no home
        logger.warning("what was taught is not used: %s", error)
        return None


def _named_file(path: Path) -> Path:
    try:
        file = path.expanduser()
        found = file.is_file()
    except (OSError, RuntimeError) as error:
        raise RtgenreError(f"{told_path(path)}: cannot be read: {error}") from error
    if not found:
        raise RtgenreError(
            f"{told_path(file)}: there is no such file of what was taught; taught=True takes the "
            "usual one, taught=False none"
        )
    return file
