from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from training.frontends import musicnn
from training.frontends.musicnn import (
    Layer,
    Norm,
    Weights,
    build_musicnn,
    read_msd,
    slaney_filters,
)

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

N_OUT, N_TAGS = 10, 4
N_FRONT, N_MIDDLE = 4 + 2 + 2 * 3, 64
DEAD = np.array([False, True, False, True])
VARIANTS = {"jamendo": True, "million_songs": False}


def norm(n: int, dead: np.ndarray | None = None) -> Norm:
    rng = np.random.default_rng(n)
    scale = np.where(np.zeros(n, bool) if dead is None else dead, 0.0, 1.0)
    shift = rng.normal(scale=0.5, size=n)
    return Norm.of(
        [scale, shift, np.zeros(n), np.ones(n)],
        1e-3,
    )


def layer(*shape: int, dead: np.ndarray | None = None) -> Layer:
    rng = np.random.default_rng(shape)
    kernel = rng.normal(scale=np.sqrt(1 / np.prod(shape[:-1])), size=shape).astype(np.float32)
    return Layer(kernel, np.full(shape[-1], 0.1, np.float32), norm(shape[-1], dead))


def tiny_musicnn(name: str = "million_songs") -> Weights:
    """A network of musicnn's shape, far smaller and with random weights; some filters are dead.

    Its vertical filters are so few that as many shapes as ship make them up.
    """
    is_jamendo = VARIANTS[name]
    n_pooled = 2 * (N_FRONT + 3 * N_MIDDLE)
    return Weights(
        name=name,
        filters=slaney_filters(),
        input_norm=norm(1),
        vertical=(layer(7, 86, 1, 4, dead=DEAD), layer(7, 38, 1, 2)),
        horizontal=(layer(16, 1, 3, dead=DEAD[:3]), layer(9, 1, 3)),
        middle=(layer(7, N_FRONT, N_MIDDLE), *[layer(7, N_MIDDLE, N_MIDDLE)] * 2),
        pooled_norm=None if is_jamendo else norm(n_pooled),
        dense=layer(n_pooled, N_OUT),
        tags_kernel=layer(N_OUT, N_TAGS).kernel,
        tags_bias=np.full(N_TAGS, 0.5, np.float32),
        norm_first=is_jamendo,
        decibels=is_jamendo,
    )


@pytest.fixture(scope="module")
def sounds() -> np.ndarray:
    return np.random.default_rng(1).normal(scale=0.1, size=(2, 16000)).astype(np.float32)


def values(weights: Weights, sounds: np.ndarray) -> np.ndarray:
    return np.asarray(build_musicnn(weights, sounds.shape[1])(sounds)[weights.name])


@pytest.mark.parametrize("name", VARIANTS)
def test_tags_are_told_by_the_values_before_them(name: str, sounds: np.ndarray) -> None:
    weights = tiny_musicnn(name)
    said = build_musicnn(weights, 16000)(sounds)
    expected = np.asarray(said[name]) @ weights.tags_kernel + weights.tags_bias
    np.testing.assert_allclose(np.asarray(said[f"{name}_tags"]), expected, atol=1e-4)


@pytest.mark.parametrize("name", VARIANTS)
def test_dead_filters_that_are_left_out_change_nothing(name: str, sounds: np.ndarray) -> None:
    weights = tiny_musicnn(name)
    vertical, horizontal = (
        tuple(
            replace(one, norm=replace(one.norm, is_alive=np.ones(len(one.bias), bool)))
            for one in some
        )
        for some in (weights.vertical, weights.horizontal)
    )
    assert weights.vertical[0].norm.is_alive.tolist() == [True, False, True, False]
    assert weights.horizontal[0].norm.is_alive.tolist() == [True, False, True]

    said = values(weights, sounds)
    expected = values(replace(weights, vertical=vertical, horizontal=horizontal), sounds)

    assert said.shape == (2, N_OUT)
    assert not np.allclose(said[0], said[1])
    np.testing.assert_allclose(said, expected, atol=1e-4)


def test_the_million_songs_network_puts_maximum_and_mean_of_a_value_side_by_side(
    sounds: np.ndarray,
) -> None:
    weights = tiny_musicnn("million_songs")
    n_pooled = len(weights.dense.kernel)
    identity = np.eye(n_pooled, dtype=np.float32)
    plain = Norm(np.ones(n_pooled, np.float32), np.zeros(n_pooled, np.float32), np.ones(n_pooled))
    nothing = np.zeros(n_pooled, np.float32)
    showing = replace(
        weights,
        pooled_norm=plain,
        dense=Layer(identity, nothing + 100.0, plain),
        tags_kernel=layer(n_pooled, N_TAGS).kernel,
    )

    pooled = values(showing, sounds) - 100.0

    assert (pooled[:, 0::2] >= pooled[:, 1::2] - 1e-3).all()


def test_the_filters_are_librosas(librosa: ModuleType) -> None:
    expected = librosa.filters.mel(sr=16000, n_fft=512, n_mels=96)
    np.testing.assert_allclose(slaney_filters(), expected.T, atol=1e-6)


def test_weights_that_were_half_kept_are_not_taken_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(musicnn, "fetch", lambda _wheel: tmp_path)
    monkeypatch.setattr(musicnn, "_read_variables", lambda *_: {"kernel": np.ones(3, np.float32)})
    path = tmp_path / "kept.npz"

    def stopped(part: Path, **_arrays: object) -> None:
        part.write_bytes(b"PK")
        raise KeyboardInterrupt

    with monkeypatch.context() as kept:
        kept.setattr(np, "savez", stopped)
        with pytest.raises(KeyboardInterrupt):
            read_msd(path)
    for _ in range(2):
        assert read_msd(path)["kernel"].tolist() == [1, 1, 1]
