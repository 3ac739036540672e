from dataclasses import fields, replace

import numpy as np
import pytest

from rtgenre.model.arrays import ArraysError, write_arrays
from rtgenre.model.classifier import Classifier
from rtgenre.model.feature_params import FeatureParams
from rtgenre.model.head import Head, head_values, read_head, write_head
from rtgenre.model.info import ModelInfo
from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.types import Prediction

SIZE, N_KNOWN = 4, 2
WINDOW = np.zeros((1, *FeatureParams().shape), np.float32)


def head(n_new=1, *, kernel=0.0, bias=0.0):
    return Head(
        scale=np.ones(SIZE, np.float32),
        kernel=np.full((SIZE, N_KNOWN + 1 + n_new), kernel, np.float32),
        bias=np.array([0.0] * (N_KNOWN + 1) + [bias] * n_new, np.float32),
        base_kernel=np.zeros((SIZE, N_KNOWN + 1), np.float32),
        base_bias=np.zeros(N_KNOWN + 1, np.float32),
    )


def prediction(embedding=(1.0, -1.0, 0.5, 0.0)):
    return Prediction(np.array([0.7, 0.3], np.float32), 0.9, 0.8, np.array(embedding, np.float32))


def test_a_head_that_learnt_nothing_says_what_the_network_says():
    (found,) = head(n_new=0).apply([prediction()])
    np.testing.assert_allclose(found.probabilities, [0.7, 0.3], atol=1e-6)
    assert found.familiar == pytest.approx(0.8, abs=1e-6)
    assert found.music == 0.9


def test_a_new_genre_takes_its_share_of_known_ones_and_of_other_music_alike():
    # As likely as all that is known together.
    (found,) = head(bias=np.log(3.0)).apply([prediction()])
    np.testing.assert_allclose(found.probabilities * found.familiar, [0.28, 0.12, 0.5], atol=1e-5)
    assert found.familiar == pytest.approx(0.9, abs=1e-5)


def head_alone(*familiar_energies):
    return Head(
        scale=np.ones(SIZE, np.float32),
        kernel=np.eye(SIZE, 3, dtype=np.float32),
        bias=np.zeros(3, np.float32),
        base_kernel=np.zeros((SIZE, 0), np.float32),
        base_bias=np.zeros(0, np.float32),
        familiar_energies=np.array(familiar_energies, np.float32),
    )


def test_a_head_without_known_genres_says_only_new_ones():
    (found,) = head_alone().apply([prediction((0.0, 5.0, 0.0, 0.0))])
    assert found.probabilities.shape == (3,)
    assert found.probabilities.argmax() == 1
    assert found.familiar == 1.0


def test_music_is_unfamiliar_where_it_fits_new_genres_less_than_most_of_theirs():
    one = prediction((0.0, 5.0, 0.0, 0.0))
    energy = float(head_alone().energies(one.embedding[None])[0])
    for limit, usual, familiar in [
        (energy, energy + 1.0, TrackerParams().familiar_below),
        (energy - 1.0, energy, 0.95),
    ]:
        (found,) = head_alone(limit, usual).apply([one])
        assert found.familiar == pytest.approx(familiar, abs=1e-4)
    (strange,) = head_alone(energy + 3.0, energy + 4.0).apply([one])
    assert strange.familiar < 0.01


def test_what_a_head_takes_of_a_window_is_computed_once(monkeypatch):
    asked = []

    def counted(*arguments):
        asked.append(arguments)
        return head_values(*arguments)

    monkeypatch.setattr("rtgenre.model.head.head_values", counted)
    for one in (head(), head_alone(1.0, 2.0)):
        asked.clear()
        one.apply([prediction()])
        assert len(asked) == 1


def test_a_head_of_before_heads_could_say_what_is_unfamiliar_is_read(tmp_path):
    arrays = {one.name: getattr(head_alone(), one.name) for one in fields(Head)}
    del arrays["familiar_energies"]
    write_arrays(tmp_path / "head.npz", arrays)
    after = read_head(tmp_path / "head.npz", n_network=2, n_labels=3, embedding_size=SIZE)
    assert after.apply([prediction()])[0].familiar == 1.0


@pytest.mark.parametrize("energies", [(1.0,), (1.0, 2.0, 3.0), (2.0, 1.0), (1.0, 1.0)])
def test_energies_that_say_nothing_are_refused(tmp_path, energies):
    write_head(head_alone(*energies), tmp_path / "head.npz")
    with pytest.raises(ArraysError, match="familiar_energies"):
        read_head(tmp_path / "head.npz", n_network=2, n_labels=3, embedding_size=SIZE)


def head_of_distance():
    return replace(
        head(),
        kernel=np.zeros((SIZE + 1, N_KNOWN + 2), np.float32),
        base_kernel=np.zeros((SIZE + 1, N_KNOWN + 1), np.float32),
        whitening=np.eye(SIZE, dtype=np.float32),
        centres=np.zeros((N_KNOWN, SIZE), np.float32),
        standard=np.array([0.0, 1.0], np.float32),
    )


def test_music_far_from_all_known_genres_may_be_a_new_one():
    rows = np.zeros((SIZE + 1, N_KNOWN + 2), np.float32)
    rows[SIZE, N_KNOWN + 1] = 1.0
    near, far = replace(head_of_distance(), kernel=rows).apply(
        [prediction((0.1, -0.1, 0.1, 0.0)), prediction((30.0, -30.0, 30.0, 0.0))]
    )
    assert near.probabilities.argmax() == 0
    assert far.probabilities.argmax() == N_KNOWN


def any_head():
    """Return a head in which every array counts."""
    rng = np.random.default_rng(3)
    some = head_of_distance()
    return replace(
        some,
        **{one.name: rng.normal(0.5, 0.5, getattr(some, one.name).shape) for one in fields(Head)},
    )


def test_what_a_window_is_does_not_depend_on_those_it_is_judged_with():
    windows = [prediction((1.0, -1.0, 0.5, 0.0)), prediction((0.0, 20.0, 3.0, 9.0))]
    together = any_head().apply(windows)
    for one, window in zip(together, windows, strict=True):
        (alone,) = any_head().apply([window])
        np.testing.assert_allclose(one.probabilities, alone.probabilities, rtol=1e-4)
        assert one.familiar == pytest.approx(alone.familiar, rel=1e-4)


def test_of_a_new_genre_only_what_is_more_than_the_known_ones_have_counts():
    bias = np.array([0.0] * (N_KNOWN + 1) + [2.0], np.float32)
    both = replace(head(), bias=bias, base_bias=np.full(N_KNOWN + 1, 2.0, np.float32))
    (one,), (other,) = both.apply([prediction()]), head().apply([prediction()])
    np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-5)


def test_distances_that_do_not_fit_the_network_are_refused(tmp_path):
    write_head(head_of_distance(), tmp_path / "head.npz")
    fits = {"n_network": N_KNOWN, "n_labels": 3, "embedding_size": SIZE}
    again = read_head(tmp_path / "head.npz", **fits)
    np.testing.assert_array_equal(again.whitening, head_of_distance().whitening)
    for name in ("whitening", "centres", "standard"):
        wrong = replace(head_of_distance(), **{name: getattr(head_of_distance(), name)[:-1]})
        write_head(wrong, tmp_path / "head.npz")
        with pytest.raises(ArraysError, match=name):
            read_head(tmp_path / "head.npz", **fits)


def test_heads_stand_on_each_other():
    first = head(bias=np.log(3.0))
    second = Head(
        scale=np.ones(SIZE, np.float32),
        kernel=np.zeros((SIZE, 4), np.float32),
        bias=np.zeros(4, np.float32),
        base_kernel=np.zeros((SIZE, 4), np.float32),
        base_bias=np.zeros(4, np.float32),
    )
    once = first.apply([prediction()])
    (twice,) = second.apply(once)
    np.testing.assert_allclose(twice.probabilities, once[0].probabilities, atol=1e-5)


def test_a_prediction_without_an_embedding_is_refused():
    with pytest.raises(ValueError, match="gives no embedding"):
        head().apply([replace(prediction(), embedding=None)])


@pytest.mark.parametrize(
    "which", [head(n_new=2, kernel=0.25, bias=-1.0), head_alone(), head_alone(-0.5, 1.5)]
)
def test_a_head_comes_back_from_its_file_as_it_was(tmp_path, which):
    before, n_labels = which, which.n_labels
    write_head(before, tmp_path / "head.npz")
    after = read_head(tmp_path / "head.npz", n_network=2, n_labels=n_labels, embedding_size=SIZE)
    for one in fields(Head):
        np.testing.assert_array_equal(getattr(after, one.name), getattr(before, one.name))


@pytest.mark.parametrize(
    ("n_network", "n_labels", "size"), [(3, 3, SIZE), (2, 4, SIZE), (2, 3, SIZE - 1)]
)
def test_a_head_of_another_model_is_refused(tmp_path, n_network, n_labels, size):
    write_head(head(), tmp_path / "head.npz")
    with pytest.raises(ArraysError, match="has shape"):
        read_head(
            tmp_path / "head.npz", n_network=n_network, n_labels=n_labels, embedding_size=size
        )


def test_a_classifier_with_a_head_says_the_head_s_genres():
    class Says:
        def run(self, features):
            return np.array([[0.7, 0.3, 0.9, 0.8, 1.0, -1.0, 0.5, 0.0]] * len(features), np.float32)

    info = ModelInfo(
        "own",
        "1",
        ("jazz", "rock", "techno"),
        FeatureParams(),
        has_music_output=True,
        has_familiar_output=True,
        embedding_size=SIZE,
        network_labels=("jazz", "rock"),
    )
    (found,) = Classifier(info, Says(), head(bias=10.0)).predict(WINDOW)
    assert found.probabilities.argmax() == 2
    assert info.n_outputs == 2 + 2 + SIZE
