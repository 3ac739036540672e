from dataclasses import replace

import numpy as np
import pytest

from rtgenre.learning.examples import OTHER, joined, read_examples, write_examples
from rtgenre.model.arrays import ArraysError, write_arrays
from tests.learning.songs import LABELS, SIZE, examples


def test_examples_come_back_but_for_the_size_of_a_step(tmp_path):
    before = examples()
    write_examples(before, tmp_path / "e.npz")
    after = read_examples(tmp_path / "e.npz", n_labels=len(LABELS), embedding_size=SIZE)
    np.testing.assert_allclose(after.embeddings, before.embeddings, atol=0.1)
    np.testing.assert_array_equal(after.labels, before.labels)
    np.testing.assert_array_equal(after.recordings, before.recordings)
    assert OTHER in after.labels


def test_joined_examples_share_no_artist_and_no_recording():
    both = joined(examples(), examples())
    n = len(both) // 2
    assert not set(both.groups[:n]) & set(both.groups[n:])
    assert not set(both.recordings[:n]) & set(both.recordings[n:])


def test_what_was_heard_in_rooms_stays_known_as_such(tmp_path):
    disturbed = np.arange(len(examples())) % 3 == 0
    both = joined(examples(), replace(examples(), disturbed=disturbed))
    write_examples(both, tmp_path / "e.npz")
    again = read_examples(tmp_path / "e.npz", n_labels=3, embedding_size=SIZE)
    expected = np.concatenate([np.ones(len(disturbed), bool), ~disturbed])
    np.testing.assert_array_equal(again.as_it_is, expected)
    np.testing.assert_array_equal(again.select(expected).as_it_is, expected[expected])


def test_examples_of_before_rooms_were_noted_are_read_as_heard_as_they_are(tmp_path):
    write_examples(examples(), tmp_path / "e.npz")
    with np.load(tmp_path / "e.npz") as kept:
        arrays = {name: kept[name] for name in kept if name != "disturbed"}
    write_arrays(tmp_path / "e.npz", arrays)
    assert read_examples(tmp_path / "e.npz", n_labels=3, embedding_size=SIZE).as_it_is.all()


@pytest.mark.parametrize(
    ("n_labels", "size", "message"),
    [(3, SIZE + 1, "this model needs"), (2, SIZE, "labels beyond the model's 2 genres")],
)
def test_examples_of_another_model_are_refused(tmp_path, n_labels, size, message):
    write_examples(examples(), tmp_path / "e.npz")
    with pytest.raises(ArraysError, match=message):
        read_examples(tmp_path / "e.npz", n_labels=n_labels, embedding_size=size)
