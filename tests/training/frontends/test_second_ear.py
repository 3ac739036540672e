from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rtgenre.model.features import MUSICNN_FEATURES, at_usual_level, log_mel_spectrogram
from tests.signals import music
from tests.training.frontends.test_musicnn import N_OUT, tiny_musicnn
from training.frontends.musicnn import Weights, build_musicnn
from training.frontends.second_ear import build_second_ear


def without_constants(weights: Weights) -> Weights:
    """Let dead filters always give nought."""
    norms = [one.norm for one in weights.vertical]
    shifts = [np.where(norm.is_alive, norm.shift, 0.0).astype(np.float32) for norm in norms]
    vertical = tuple(
        replace(one, norm=replace(one.norm, shift=shift))
        for one, shift in zip(weights.vertical, shifts, strict=True)
    )
    return replace(weights, vertical=vertical)


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    return at_usual_level(music(rate_hz=16000))


def said(weights: Weights, sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ear = build_second_ear(weights)
    assert ear.output_shape == (None, 1, N_OUT)
    window = log_mel_spectrogram(sound, MUSICNN_FEATURES)
    return np.asarray(ear(window[None]))[0, 0], np.asarray(
        build_musicnn(weights, 64000)(sound[None])
    )[0]


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
