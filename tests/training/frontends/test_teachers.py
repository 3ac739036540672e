from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest
from keras import layers, ops

from training.frontends import teachers
from training.frontends.lessons import AS_IT_IS, Excerpts
from training.frontends.teachers import TEACHER_WEIGHTS, Teachers, ask

if TYPE_CHECKING:
    from pathlib import Path

SIZES = {
    "mn04": {"mn04": 4, "mn04_classes": 2},
    "jamendo": {"jamendo": 2, "jamendo_tags": 1},
    "million_songs": {"million_songs": 2, "million_songs_tags": 1},
    "yamnet": {"yamnet": 5},
}


def tiny_teacher(name: str) -> keras.Model:
    """Says how loud the sound is in so many stretches."""
    sound = keras.Input((128000 if name == "mn04" else 64000,))
    said = {}
    for part, n_values in SIZES[name].items():
        stretches = layers.Reshape((n_values, sound.shape[1] // n_values))(sound)
        said[part] = 10 * ops.mean(ops.abs(stretches), axis=2)
    return keras.Model(sound, said, name=name)


def tiny_teachers(_weights: object = None) -> Teachers:
    return Teachers(tuple(tiny_teacher(name) for name in SIZES))


def test_teachers_are_asked_at_the_rate_they_were_trained_on() -> None:
    at_16k, at_32k = np.full((3, 64000), 0.1, "f"), np.full((3, 128000), 0.2, "f")
    said = np.asarray(tiny_teachers().together()([at_16k, at_32k]))
    np.testing.assert_allclose(said, [[2.0] * 6 + [1.0] * 11] * 3, rtol=1e-5)


def test_what_teachers_say_counts_by_its_weight_however_much_it_is() -> None:
    teachers = tiny_teachers()
    importance = teachers.importance()
    assert importance.sum() == pytest.approx(1.0)
    found = {name: part.sum() for name, part in teachers.parts(importance).items()}
    all_weights = sum(TEACHER_WEIGHTS.values())
    expected = {name: one / all_weights for name, one in TEACHER_WEIGHTS.items()}
    assert found == pytest.approx(expected)


def test_rare_values_do_not_outweigh_the_others_of_their_teacher() -> None:
    said = np.random.default_rng(1).normal(size=(1000, 17))
    said[:, 1] *= 1e-3
    spread = tiny_teachers().spread(said)
    assert spread[0] == pytest.approx(1.0, abs=0.1)
    assert spread[1] == pytest.approx(0.25, abs=0.03)


def test_teachers_are_asked_once_and_only_about_the_rest_after_a_stop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teachers, "_BATCHES_A_FILE", 2)
    noise = np.random.default_rng(1).integers(-9000, 9000, 200000).astype(np.int16)
    excerpts = Excerpts([noise], np.ones(1), AS_IT_IS, batch_size=4, n_batches=3, seed=1)
    together, folder = tiny_teachers().together(), tmp_path / "said"

    first = ask(together, excerpts, folder, "asked")

    assert "asked, batch 3/3, 0 s left" in capsys.readouterr().err
    expected = np.asarray(together(list(excerpts.for_teachers(1))))
    np.testing.assert_allclose(first[4:8], expected, rtol=1e-2)
    np.testing.assert_array_equal(ask(together, excerpts, folder, "asked"), first)
    assert not capsys.readouterr().err
    more = ask(together, replace(excerpts, n_batches=4), folder, "asked")
    np.testing.assert_array_equal(more[:12], first)
    told = capsys.readouterr().err
    assert "batch 3/4" in told, "the last file was not full"
    assert "batch 2/4" not in told
    assert sorted(one.name for one in folder.iterdir()) == ["00000.npy", "00002.npy"]
