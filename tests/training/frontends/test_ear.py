from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from rtgenre.model.feature_params import YAMNET_FEATURES
from rtgenre.model.features import at_usual_level, log_mel_spectrogram
from tests.training.tiny_yamnet import tiny_yamnet
from training.frontends.ear import N_KEPT, build_ear, build_pupil, build_yamnet

N_VALUES = 6


@pytest.fixture(scope="module")
def ear() -> keras.Model:
    return build_ear(tiny_yamnet(), N_VALUES)


def window(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-6, 2, (1, 398, 64)).astype(np.float32)


def test_the_ear_gives_a_step_each_sixth_of_a_second_in_the_order_of_time(ear: keras.Model) -> None:
    assert ear.output_shape == (None, 25, N_VALUES)
    changed = window()
    changed[:, 300:] = -7.0
    moved = np.abs(np.asarray(ear(window())) - np.asarray(ear(changed))).max(axis=(0, 2)) > 1e-5
    assert not moved[:12].any()
    assert moved[21:].any()


def test_the_ear_begins_with_yamnets_convolutions(ear: keras.Model) -> None:
    for index, one in enumerate(tiny_yamnet()[:N_KEPT]):
        kernel, bias = ear.get_layer(f"yamnet{index}").get_weights()
        np.testing.assert_array_equal(kernel, one.kernel)
        np.testing.assert_array_equal(bias, one.bias)


def test_teaching_the_pupil_changes_both_ears() -> None:
    ear = build_ear(tiny_yamnet(), N_VALUES)
    sound = keras.Input((64000,))
    second = keras.Model(sound, layers.Dense(2)(layers.Reshape((400, 160))(sound)[:, 0]))
    pupil = build_pupil(ear, second, 3)
    heard = np.random.default_rng(1).normal(scale=0.1, size=(1, 64000)).astype(np.float32)
    before = [np.asarray(ear(window())), np.asarray(second(heard))]
    pupil.compile("sgd", "mse", run_eagerly=True)
    pupil.fit(heard, np.ones((1, 3)), verbose=0)
    assert not np.allclose(before[0], np.asarray(ear(window())))
    assert not np.allclose(before[1], np.asarray(second(heard)))


def test_the_pupil_hears_the_spectrogram_that_the_ear_gets_where_it_ships() -> None:
    ear = build_ear(tiny_yamnet(), N_VALUES)
    sound = keras.Input((64000,))
    pupil = build_pupil(ear, keras.Model(sound, sound[:, :1] * 0.0), 3)
    heard = at_usual_level(np.random.default_rng(1).normal(size=64000).astype(np.float32))
    steps = np.asarray(ear(log_mel_spectrogram(heard, YAMNET_FEATURES)[None]))
    kernel, bias = pupil.get_layer("said").get_weights()
    pooled = np.concatenate([steps.mean(axis=1), steps.max(axis=1), [[0.0]]], axis=1)
    np.testing.assert_allclose(np.asarray(pupil(heard[None])), pooled @ kernel + bias, atol=1e-3)


def test_yamnet_as_a_teacher_says_the_mean_of_what_it_says_of_its_patches() -> None:
    sound = np.random.default_rng(2).normal(scale=0.1, size=(2, 32000)).astype(np.float32)
    both = build_yamnet(tiny_yamnet(), 32000)
    one = build_yamnet(tiny_yamnet(), 15600)  # one patch of 96 frames
    n_values = tiny_yamnet()[-1].kernel.shape[-1]
    assert both.output["yamnet"].shape == (None, n_values)
    parts = [np.asarray(one(sound[:, start : start + 15600])["yamnet"]) for start in (0, 96 * 160)]
    found = np.asarray(both(sound)["yamnet"])
    np.testing.assert_allclose(found, np.mean(parts, axis=0), atol=1e-4)
