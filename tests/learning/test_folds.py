import numpy as np

from rtgenre.learning.examples import Examples
from rtgenre.learning.folds import deal_into_folds, folds_of_examples


def test_no_artist_is_in_two_folds_and_every_genre_is_spread_over_all():
    rng = np.random.default_rng(1)
    groups = rng.integers(40, size=200)
    labels = groups % 4
    folds = deal_into_folds(labels, groups)
    for group in range(40):
        assert len(set(folds[groups == group])) <= 1
    for label in range(4):
        sizes = np.bincount(folds[labels == label], minlength=5)
        assert sizes.min() >= 5


def test_fewer_artists_than_folds_leave_folds_empty():
    folds = deal_into_folds(np.zeros(6, int), np.array([0, 0, 0, 1, 1, 1]))
    assert len(set(folds)) == 2


def test_folds_are_even_though_one_artist_has_many_songs():
    groups = np.repeat([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [2, 2, 2, 2, 2, 2, 2, 2, 2, 10])
    folds = deal_into_folds(np.zeros(len(groups), int), groups, 2)
    assert np.bincount(folds).tolist() == [14, 14]


def test_windows_of_one_recording_and_recordings_of_one_artist_are_in_one_fold():
    recordings = np.array([7, 3, 7, 3, 5, 9, 9])
    groups = np.array([1, 2, 1, 2, 1, 4, 4])
    examples = Examples(np.zeros((7, 2), np.float32), np.zeros(7, int), recordings, groups)
    folds = folds_of_examples(examples)
    assert len(folds) == 7
    for group in (1, 2, 4):
        assert len(set(folds[groups == group])) == 1
    assert len(set(folds)) == 3
