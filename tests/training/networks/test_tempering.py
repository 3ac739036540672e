from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from training.networks.fitting import Examples
from training.networks.heads import build_embedding
from training.networks.tempering import fit_tempering

if TYPE_CHECKING:
    import keras

N_STEPS = 2
LEAST = -0.5


def the_values_themselves() -> keras.Model:
    """An embedding that is the mean over time."""
    model = build_embedding(N_STEPS, 2, size=2)
    kernel = np.concatenate([np.eye(2), np.zeros((2, 2))]).astype(np.float32)
    model.get_layer("projection").set_weights([kernel, np.zeros(2, np.float32)])
    return model


def heard(points: np.ndarray) -> np.ndarray:
    return np.repeat(points[:, None].astype(np.float16), N_STEPS, axis=1)


@pytest.fixture(scope="module")
def tempering() -> keras.Model:
    """Of two genres: one at 0 that varies from left to right, one at 10 that varies up and down.

    Other music and what is no music lie where they may not count.
    """
    rng = np.random.default_rng(1)
    genres = np.repeat([0, 1, -1], 2000)
    spreads = np.array([[3.0, 0.3], [0.3, 3.0], [1.0, 1.0]])[genres]
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 40.0]])[genres]
    points = centres + spreads * rng.normal(size=(6000, 2))
    examples = Examples(
        copies=[heard(points), heard(points + 0.1 * rng.normal(size=(6000, 2)))],
        genres=genres,
        is_music=(np.arange(6000) < 5000).astype(np.float32),
        weights=np.ones(6000, np.float32),
        recording_index=np.arange(6000) // 10,
        n_labels=2,
    )
    return fit_tempering(examples, the_values_themselves(), 4, weight=2.0, least=LEAST)


def familiar(tempering: keras.Model, point: tuple[float, float], logit: float) -> float:
    logits = np.array([[1.0, 2.0, 3.0, logit]], np.float32)
    found = np.asarray(tempering([logits, np.array([point], np.float32)]))
    np.testing.assert_array_equal(found[0, :3], logits[0, :3])
    return float(found[0, 3])


@pytest.mark.parametrize("point", [(0.0, 0.0), (10.0, 0.0), (2.0, 0.0), (10.0, 2.0)])
def test_what_lies_among_a_genre_s_music_keeps_its_familiarity(
    tempering: keras.Model, point: tuple[float, float]
) -> None:
    assert familiar(tempering, point, 5.0) == 5.0


def test_familiarity_falls_with_the_distance_measured_as_the_genre_varies(
    tempering: keras.Model,
) -> None:
    along, across = (8.0, 0.0), (0.0, 8.0)
    farther = (0.0, 9.0)
    assert 100.0 > familiar(tempering, along, 100.0) > familiar(tempering, across, 100.0) + 5.0
    assert familiar(tempering, across, 100.0) > familiar(tempering, farther, 100.0)


def test_the_nearest_genre_counts_alone_and_other_music_is_none(tempering: keras.Model) -> None:
    assert familiar(tempering, (10.0, 4.0), 5.0) > familiar(tempering, (0.0, 4.0), 5.0)
    assert familiar(tempering, (0.0, 40.0), 100.0) < 60.0


def test_distance_alone_makes_nothing_unfamiliar(tempering: keras.Model) -> None:
    assert familiar(tempering, (900.0, 900.0), 5.0) == LEAST
    assert familiar(tempering, (900.0, 900.0), -4.0) == -4.0


def test_a_standard_deviation_costs_the_weight(tempering: keras.Model) -> None:
    point = (0.0, 8.0)
    distance = float(tempering.get_layer("distance")(np.array([point], np.float32))[0, 0])
    assert familiar(tempering, point, 100.0) == pytest.approx(100.0 - 2.0 * distance, rel=1e-5)
