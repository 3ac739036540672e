from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rtgenre.features import FeatureParams
from tests.training.tiny_yamnet import tiny_yamnet
from training.student import N_KEPT, build_student, build_teacher

if TYPE_CHECKING:
    import keras

PARAMS = FeatureParams()


@pytest.fixture(scope="module")
def models() -> tuple[keras.Model, keras.Model]:
    return build_student(PARAMS, tiny_yamnet())


def window(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-80, 0, (1, 95, 128)).astype(np.float32)


def test_the_student_gives_steps_in_the_order_of_time(
    models: tuple[keras.Model, keras.Model],
) -> None:
    student, _ = models
    assert student.output_shape == (None, 24, tiny_yamnet()[N_KEPT - 1].kernel.shape[-1])
    changed = window()
    changed[:, 60:] = -80.0
    before, after = np.asarray(student(window())), np.asarray(student(changed))
    moved = np.abs(before - after).max(axis=(0, 2)) > 1e-5
    assert not moved[:6].any()
    assert moved[18:].any()


def test_teaching_the_student_changes_what_is_used(
    models: tuple[keras.Model, keras.Model],
) -> None:
    student, taught = models
    before = np.asarray(student(window()))
    taught.compile("sgd", "mse")
    taught.fit(window(), np.ones((1, *taught.output_shape[1:])), verbose=0)
    assert not np.allclose(before, np.asarray(student(window())))


def test_the_student_begins_with_its_teachers_convolutions() -> None:
    convolutions = tiny_yamnet()
    teacher = build_teacher(convolutions)
    _, taught = build_student(PARAMS, convolutions)
    for index in range(len(convolutions)):
        pairs = zip(
            teacher.get_layer(f"yamnet{index}").get_weights(),
            taught.get_layer(f"yamnet{index}").get_weights(),
            strict=True,
        )
        assert all(np.array_equal(one, other) for one, other in pairs)
    assert teacher.output_shape[1] == taught.output_shape[2]
