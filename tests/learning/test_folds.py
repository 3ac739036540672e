import numpy as np

from rtgenre.learning.folds import deal_into_folds


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
