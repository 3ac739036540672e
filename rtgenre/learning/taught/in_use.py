"""What was taught, for commands that judge files: they say what the service would show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtgenre.learning.taught.notebook import Notebook

if TYPE_CHECKING:
    from pathlib import Path

    from rtgenre.learning.taught.genres import TaughtGenres
    from rtgenre.model.classifier import Classifier
    from rtgenre.types import Prediction


def taught_in_use(file: Path, model_folder: Path, classifier: Classifier) -> TaughtGenres | None:
    """Learn what was taught, as the service does; None where nothing was.

    Args:
        file: that the service keeps it in.
        model_folder: of the model.
        classifier: the model.

    Raises:
        TeachError: the file or the model's examples cannot be read.
    """
    info = classifier.info
    if not file.exists() or not info.embedding_size:
        return None
    notebook = Notebook(file, info, model_folder)
    notebook.note_network(test_sounds_heard(notebook, classifier))
    return notebook.fit()


def test_sounds_heard(notebook: Notebook, classifier: Classifier) -> list[Prediction]:
    """Return what the model says of the sounds by which networks are told apart."""
    return [classifier.predict_window(one) for one in notebook.test_sounds()]
