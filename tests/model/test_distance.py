import numpy as np
import pytest

from rtgenre.model.distance import GenreDistance

WHITENING = np.diag([1.0, 0.5]).astype(np.float32)
CENTRES = np.array([[0.0, 0.0], [10.0, 0.0]], np.float32)


def far(*embeddings, standard=(0.0, 1.0)):
    distance = GenreDistance(WHITENING, CENTRES, np.array(standard, np.float32))
    return distance.of(np.array(embeddings, np.float32))


def test_the_nearest_genre_decides_and_directions_that_vary_more_count_less():
    at_a_centre, two_across, two_along = far((0.0, 0.0), (0.0, 4.0), (-2.0, 0.0))
    assert at_a_centre == pytest.approx(0.0, abs=0.02)
    assert two_across == pytest.approx(two_along, abs=0.05)
    assert two_across == pytest.approx(2.0, abs=0.05)


def test_far_from_all_genres_is_further_than_as_far_from_all_but_one():
    between, beside = far((5.0, 0.0), (0.0, 10.0))
    assert between == pytest.approx(5.0 - 2.0 * np.log(2.0), abs=1e-4)
    assert beside > between


def test_it_is_given_in_the_standard_that_it_was_learnt_in():
    np.testing.assert_allclose(
        far((3.0, 1.0), standard=(1.0, 2.0)), 2.0 * (far((3.0, 1.0)) - 1.0), rtol=1e-6
    )
