from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rtgenre.model.feature_params import MUSICNN_FEATURES
from rtgenre.model.features import at_usual_level, log_mel_spectrogram
from tests.signals import music
from tests.training.frontends.test_musicnn import N_OUT, tiny_musicnn
from training.data.dataset import DatasetError
from training.frontends.musicnn import Weights, build_musicnn
from training.frontends.second_ear import (
    build_second_ear,
    build_second_pupil,
    read_second_ear,
    taught_arrays,
    with_taught,
)

if TYPE_CHECKING:
    from pathlib import Path


def without_constants(weights: Weights) -> Weights:
    """Let dead filters always give nought."""
    vertical, horizontal = (
        tuple(
            replace(one, norm=replace(one.norm, shift=one.norm.shift * one.norm.is_alive))
            for one in some
        )
        for some in (weights.vertical, weights.horizontal)
    )
    return replace(weights, vertical=vertical, horizontal=horizontal)


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    return at_usual_level(music(rate_hz=16000))


def said(weights: Weights, sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ear = build_second_ear(weights)
    assert ear.output_shape == (None, 1, N_OUT)
    window = log_mel_spectrogram(sound, MUSICNN_FEATURES)
    expected = build_musicnn(weights, 64000)(sound[None])[weights.name]
    return np.asarray(ear(window[None]))[0, 0], np.asarray(expected)[0]


def test_rearranged_and_without_dead_filters_it_says_what_musicnn_says(sound: np.ndarray) -> None:
    found, expected = said(without_constants(tiny_musicnn()), sound)
    np.testing.assert_allclose(found, expected, atol=2e-2)


def test_what_dead_filters_always_gave_is_kept_in_the_biases(sound: np.ndarray) -> None:
    found, expected = said(tiny_musicnn(), sound)
    # At the window's ends musicnn pads these constants with nought: three frames of 251.
    np.testing.assert_allclose(found, expected, atol=0.1 * np.abs(expected).max())


def test_a_network_of_another_build_is_refused() -> None:
    with pytest.raises(ValueError, match="jamendo has no normalisation of its pools"):
        build_second_ear(tiny_musicnn("jamendo"))


def test_as_it_is_taught_it_says_what_musicnn_says(sound: np.ndarray) -> None:
    weights = tiny_musicnn()
    expected = build_musicnn(weights, 64000)(sound[None])[weights.name]
    found = build_second_pupil(weights, 64000)(sound[None])
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), atol=1e-5)


def test_what_it_was_taught_ships(sound: np.ndarray) -> None:
    weights = without_constants(tiny_musicnn())
    pupil = build_second_pupil(weights, 64000)
    chance = np.random.default_rng(1)
    for layer in pupil.layers:
        moved = [one + chance.normal(scale=0.05, size=one.shape) for one in layer.get_weights()]
        layer.set_weights(moved)
    found, _ = said(with_taught(weights, taught_arrays(pupil)), sound)
    before, _ = said(weights, sound)
    expected = np.asarray(pupil(sound[None]))[0]
    np.testing.assert_allclose(found, expected, atol=2e-2)
    assert np.abs(before - expected).max() > 0.1


def test_a_run_that_taught_none_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"has no second_ear\.npz; make it with"):
        read_second_ear(tmp_path)
