from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.training.tiny_yamnet import tiny_yamnet
from training.frontends.ear import N_KEPT, build_ear, build_pupil, build_yamnet

if TYPE_CHECKING:
    import keras

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


def test_teaching_the_pupil_changes_the_ear() -> None:
    ear = build_ear(tiny_yamnet(), N_VALUES)
    pupil = build_pupil(ear, 3)
    before = np.asarray(ear(window()))
    pupil.compile("sgd", "mse", run_eagerly=True)
    pupil.fit(window(), np.ones((1, 3)), verbose=0)
    assert not np.allclose(before, np.asarray(ear(window())))


def test_yamnet_as_a_teacher_says_the_mean_of_what_it_says_of_its_patches() -> None:
    sound = np.random.default_rng(2).normal(scale=0.1, size=(2, 32000)).astype(np.float32)
    both = build_yamnet(tiny_yamnet(), 32000)
    one = build_yamnet(tiny_yamnet(), 15600)  # one patch of 96 frames
    n_values = tiny_yamnet()[-1].kernel.shape[-1]
    assert both.output_shape == (None, n_values)
    parts = [np.asarray(one(sound[:, start : start + 15600])) for start in (0, 96 * 160)]
    np.testing.assert_allclose(np.asarray(both(sound)), np.mean(parts, axis=0), atol=1e-4)
