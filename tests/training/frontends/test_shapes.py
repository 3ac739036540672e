from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.training.frontends.test_musicnn import layer, tiny_musicnn
from training.frontends.shapes import N_SHAPES, factors, of_few_shapes

if TYPE_CHECKING:
    from training.frontends.musicnn import Layer, Weights


def test_filters_of_more_shapes_than_ship_keep_the_strongest() -> None:
    chance = np.random.default_rng(1)
    strong = np.einsum(
        "bs,tsn->tbn", chance.normal(size=(38, N_SHAPES)), chance.normal(size=(7, N_SHAPES, 4))
    )
    weak = chance.normal(scale=0.01, size=strong.shape)
    found, over_time = factors((strong + weak).astype(np.float32))
    assert found.shape == (38, N_SHAPES)
    assert over_time.shape == (7, N_SHAPES, 4)
    made = np.einsum("bs,tsn->tbn", found, over_time)
    assert np.abs(made - strong).std() < 0.01
    assert made.std() == pytest.approx(strong.std(), rel=0.01)


@pytest.fixture
def rich_musicnn() -> Weights:
    """A network whose living filters are of more shapes than ship."""
    weights = tiny_musicnn()
    n_filters = 6
    dead = np.arange(n_filters) % 3 == 0
    vertical = (layer(7, 86, 1, n_filters, dead=dead), layer(7, 38, 1, n_filters))
    return replace(weights, vertical=vertical)


def heard_by(one: Layer, frames: np.ndarray) -> np.ndarray:
    """Work out all living filters' sums: ``(n_places, n_filters)``."""
    kernel = one.kernel[..., 0, one.norm.is_alive]
    n_taps, n_bands, _ = kernel.shape
    places = np.lib.stride_tricks.sliding_window_view(frames, (n_taps, n_bands), axis=(0, 1))
    sums = np.einsum("fptb,tbn->fpn", places, kernel) + one.bias[one.norm.is_alive]
    return sums.reshape(-1, sums.shape[-1])


def test_filters_of_few_shapes_hear_of_music_what_the_filters_heard(rich_musicnn: Weights) -> None:
    chance = np.random.default_rng(2)
    # Neighbouring bands of music go together, wherever they lie.
    turns = 2j * np.pi * np.outer([1, 2, 3, 4, 5, 6], np.arange(96)) / 96
    waves = np.concatenate([np.exp(turns).real, np.exp(turns).imag])
    music = chance.normal(size=(4, 251, len(waves))) @ waves
    music = (music + 0.1 * chance.normal(size=music.shape) + 1.0).astype(np.float32)
    norm = rich_musicnn.input_norm
    frames = music[0] * norm.scale + norm.shift

    simple = of_few_shapes(rich_musicnn, music)

    for was, now in zip(rich_musicnn.vertical, simple.vertical, strict=True):
        dead = ~was.norm.is_alive
        np.testing.assert_array_equal(now.kernel[..., dead], was.kernel[..., dead])
        np.testing.assert_array_equal(now.bias[dead], was.bias[dead])
        kernel = now.kernel[..., 0, was.norm.is_alive]
        found, over_time = factors(kernel)
        np.testing.assert_allclose(np.einsum("bs,tsn->tbn", found, over_time), kernel, atol=1e-5)
        before, after = heard_by(was, frames), heard_by(now, frames)
        plain = np.einsum("bs,tsn->tbn", *factors(was.kernel[..., 0, was.norm.is_alive]))
        closest = was.kernel.copy()
        closest[..., 0, was.norm.is_alive] = plain
        unweighted = heard_by(replace(was, kernel=closest), frames)
        off, off_unweighted = (np.square(one - before).mean() for one in (after, unweighted))
        assert off < 0.05 * before.var()
        assert off < 0.5 * off_unweighted
        np.testing.assert_allclose(
            after.mean(axis=0), before.mean(axis=0), atol=0.05 * before.std()
        )
