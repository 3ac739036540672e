from dataclasses import replace

import numpy as np
import pytest

from rtgenre.model.classifier import Classifier
from rtgenre.model.feature_params import YAMNET_FEATURES
from rtgenre.model.info import ModelError, ModelInfo

INFO = ModelInfo("test", "1", ("jazz", "rock"), YAMNET_FEATURES, has_music_output=True)
FAMILIAR = replace(INFO, has_familiar_output=True)
WINDOW = np.zeros((1, 398, 64), np.float32)


class Says:
    """A network that always gives the same outputs."""

    def __init__(self, *outputs):
        self._outputs = outputs

    def run(self, features):
        return np.tile(np.array(self._outputs, np.float32), (len(features), 1))


def test_music_and_familiar_are_read_behind_the_genres():
    (found,) = Classifier(FAMILIAR, Says(0.3, 0.1, 0.8, 0.6)).predict(WINDOW)
    np.testing.assert_allclose(found.probabilities, [0.75, 0.25], rtol=1e-5)
    assert (found.music, found.familiar) == (pytest.approx(0.8), pytest.approx(0.6))


def test_a_model_that_does_not_say_takes_all_for_familiar_music():
    (found,) = Classifier(INFO, Says(0.3, 0.1, 0.8)).predict(WINDOW)
    assert (found.music, found.familiar) == (pytest.approx(0.8), 1.0)
    (found,) = Classifier(replace(INFO, has_music_output=False), Says(0.3, 0.1)).predict(WINDOW)
    assert (found.music, found.familiar) == (1.0, 1.0)


def test_a_familiar_output_without_one_for_music_is_not_taken_for_music():
    info = replace(FAMILIAR, has_music_output=False)
    (found,) = Classifier(info, Says(0.3, 0.1, 0.6)).predict(WINDOW)
    assert (found.music, found.familiar) == (1.0, pytest.approx(0.6))


def test_an_embedding_comes_behind_all_probabilities():
    info = replace(FAMILIAR, embedding_size=2)
    (found,) = Classifier(info, Says(0.3, 0.1, 0.8, 0.6, -2.5, 1.5)).predict(WINDOW)
    assert (found.music, found.familiar) == (pytest.approx(0.8), pytest.approx(0.6))
    np.testing.assert_array_equal(found.embedding, [-2.5, 1.5])
    (found,) = Classifier(FAMILIAR, Says(0.3, 0.1, 0.8, 0.6)).predict(WINDOW)
    assert found.embedding is None


def test_shares_stay_between_nought_and_one():
    (found,) = Classifier(FAMILIAR, Says(0.3, 0.1, 1.5, -0.5)).predict(WINDOW)
    assert (found.music, found.familiar) == (1.0, 0.0)


def test_a_network_without_the_familiar_output_that_is_promised_says_so():
    with pytest.raises(
        (ModelError, ValueError),
        match="music output and a familiar output and an embedding of 0 need",
    ):
        Classifier(FAMILIAR, Says(0.3, 0.1, 0.8)).predict(WINDOW)
