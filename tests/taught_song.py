"""A demo song that is taught without a service, for the tests of what then counts."""

from functools import cache
from pathlib import Path

import rtgenre.demo
from rtgenre.learning.taught.in_use import test_sounds_heard as sounds_heard
from rtgenre.learning.taught.notebook import Notebook
from rtgenre.model.classifier import Classifier
from rtgenre.model.folders import find_model_folder
from rtgenre.tagging.hearing import predict_sample
from rtgenre.tracking.recent import HeardWindow

SONG = Path(rtgenre.demo.__file__).parent / "classical.ogg"


def teach_song(file, genre):
    """Write into a file of what was taught that the song is of a genre."""
    folder, info, predictions, sounds = _heard()
    notebook = Notebook(file, info, folder)
    notebook.note_network(sounds)
    windows = [HeardWindow(one, 4.0 * n, 4.0 * n + 4.0) for n, one in enumerate(predictions)]
    notebook.add("den", genre, windows)


@cache
def _heard():
    folder = find_model_folder("crnn")
    classifier = Classifier.load(folder)
    predictions = predict_sample(SONG, classifier, sample_seconds=40.0).predictions
    notebook = Notebook(Path("none"), classifier.info, folder)
    return folder, classifier.info, predictions, sounds_heard(notebook, classifier)
