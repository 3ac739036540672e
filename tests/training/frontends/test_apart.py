from __future__ import annotations

import numpy as np
import pytest

from tests.training.frontends.test_musicnn import tiny_musicnn
from training.frontends.apart import taught_arrays_of
from training.frontends.second_ear import (
    build_second_ear,
    build_second_pupil,
    taught_arrays,
    with_taught,
)


def test_an_ear_as_it_ships_is_taken_apart_into_what_it_was_made_of() -> None:
    before = tiny_musicnn()
    pupil = build_second_pupil(before, 64000)
    chance = np.random.default_rng(1)
    for layer in pupil.layers:
        moved = [one + chance.normal(scale=0.05, size=one.shape) for one in layer.get_weights()]
        layer.set_weights(moved)
    expected = taught_arrays(pupil)
    ear = build_second_ear(with_taught(before, expected))

    found = taught_arrays_of(ear, before)

    again = build_second_ear(with_taught(before, found))
    for one, two in zip(again.get_weights(), ear.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)
    for name, array in found.items():
        assert array.shape == expected[name].shape
    for name in ("v0", "v1", "h0", "h1", "m1", "m2"):
        for kind in ("kernel", "bias"):
            key = f"million_songs_{name}/{kind}"
            np.testing.assert_allclose(found[key], expected[key], atol=1e-6)


def test_a_network_of_another_build_is_refused() -> None:
    ear = build_second_ear(tiny_musicnn())
    with pytest.raises(ValueError, match="jamendo has no normalisation of its pools"):
        taught_arrays_of(ear, tiny_musicnn("jamendo"))
