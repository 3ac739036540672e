import hashlib
from dataclasses import replace

import numpy as np
import pytest

from rtgenre.learning.examples import read_examples, write_examples
from rtgenre.learning.genres import MAX_GENRES
from rtgenre.learning.taught.notebook import Notebook
from rtgenre.messages.taught import TeachError
from rtgenre.model.info import EXAMPLES_FILE_NAME
from rtgenre.tracking.recent import HeardWindow
from rtgenre.types import Prediction
from tests.networks import HEARING_INFO, write_hearing_examples

HEARD = Prediction(
    np.array([0.6, 0.4], np.float32), music=1.0, embedding=np.linspace(-1, 1, 8, dtype=np.float32)
)


def a_notebook(folder, info=HEARING_INFO, name="taught.db"):
    notebook = Notebook(folder / name, info, folder)
    notebook.note_network([HEARD])
    return notebook


def add(notebook, genre, started_at=1000.0):
    notebook.add("den", genre, [HeardWindow(HEARD, started_at, started_at + 4.0)])


def test_nothing_is_learnt_on_the_examples_of_a_model_that_took_this_one_s_place(tmp_path):
    write_hearing_examples(tmp_path)
    examples = tmp_path / EXAMPLES_FILE_NAME
    checksum = hashlib.sha256(examples.read_bytes()).hexdigest()
    info = replace(HEARING_INFO, checksums={EXAMPLES_FILE_NAME: checksum})
    listening, started_later = a_notebook(tmp_path, info), a_notebook(tmp_path, info)
    add(listening, "techno")
    assert listening.fit().labels[-1] == "techno"
    kept = read_examples(examples, n_labels=2, embedding_size=8)
    write_examples(replace(kept, labels=1 - kept.labels), examples)
    assert listening.fit() is not None
    with pytest.raises(TeachError, match="is not that of the model that is in use"):
        started_later.fit()


def test_a_genre_that_is_taught_here_under_another_spelling_is_taken_in_as_that(tmp_path):
    write_hearing_examples(tmp_path)
    here, elsewhere = a_notebook(tmp_path), a_notebook(tmp_path, name="elsewhere.db")
    add(here, "synth-wave")
    add(elsewhere, "Synthwave", started_at=2000.0)
    here.take_in(elsewhere.written(None))
    assert [row.genre for row in here.page().rows] == ["synth-wave", "synth-wave"]
    assert here.fit().labels == (*HEARING_INFO.labels, "synth-wave")


def test_files_one_after_another_bring_no_more_genres_than_there_may_be(tmp_path):
    write_hearing_examples(tmp_path)
    here, elsewhere = a_notebook(tmp_path), a_notebook(tmp_path, name="elsewhere.db")
    for number in range(MAX_GENRES - len(HEARING_INFO.labels)):
        add(here, f"genre{number}", started_at=1000.0 + 10 * number)
    add(elsewhere, "genre0", started_at=5000.0)
    here.take_in(elsewhere.written(None))
    add(elsewhere, "one-more", started_at=6000.0)
    with pytest.raises(TeachError, match=f"there are {MAX_GENRES} genres"):
        here.take_in(elsewhere.written(None))
