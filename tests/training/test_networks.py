from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest

from rtgenre.classifier import LiteRtNetwork
from rtgenre.features import FeatureParams
from training.export import convert
from training.musicnn import BATCH_NORM_EPSILON, BatchNorm, Convolution, Musicnn
from training.networks import (
    Shape,
    _temporal_block,
    _timbral_block,
    build_front_end,
    build_heads,
    chain,
    with_probabilities,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PARAMS = FeatureParams()
SHAPE = Shape(PARAMS.n_frames, PARAMS.n_mels, n_labels=3, music_output=True)


def norm(n: int) -> BatchNorm:
    ones = np.ones(n, np.float32)
    return BatchNorm(ones, 0 * ones, 0 * ones, ones)


def block(*shape: int) -> Convolution:
    kernel = np.random.default_rng(shape).normal(scale=0.1, size=shape).astype(np.float32)
    taps, n_filters = shape[0], shape[-1]
    return Convolution(kernel, np.zeros(n_filters, np.float32), (taps - 1) // 2, norm(n_filters))


def tiny_musicnn() -> Musicnn:
    """A network of musicnn's shape, far smaller and with random weights."""
    front = (block(7, 38, 1, 2), block(7, 67, 1, 2), block(16, 1, 1, 2))
    middle = (block(7, 6, 4), block(7, 4, 4), block(7, 4, 4))
    return Musicnn("tiny", 62.5, norm(1), front, middle)


@pytest.fixture(scope="module")
def net() -> Musicnn:
    return tiny_musicnn()


@pytest.fixture(scope="module")
def front_end(net: Musicnn) -> keras.Model:
    return build_front_end(SHAPE, PARAMS, net)


@pytest.fixture(scope="module")
def model(front_end: keras.Model) -> keras.Model:
    _, n_steps, n_features = front_end.output_shape
    heads = build_heads(n_steps, (n_features, n_features), SHAPE.n_outputs, lstm_units=4)
    return chain([front_end, front_end], heads)


@pytest.fixture(scope="module")
def windows() -> np.ndarray:
    return np.random.default_rng(2).uniform(-80, 0, (3, 95, 128)).astype(np.float32)


@pytest.mark.parametrize(("index", "build"), [(0, _timbral_block), (2, _temporal_block)])
@pytest.mark.parametrize("n_frames", [20, 21])
def test_rearranged_filters_give_what_their_kernels_say(
    net: Musicnn, index: int, build: Callable[..., Any], n_frames: int
) -> None:
    frames = np.random.default_rng(3).normal(size=(1, n_frames, 96, 1)).astype(np.float32)
    block = net.front[index]
    window = keras.Input(frames.shape[1:])
    found = np.asarray(keras.Model(window, build(window, block, "block"))(frames))
    padded = np.pad(frames, ((0, 0), (block.left, block.right), (0, 0), (0, 0)))
    expected = np.maximum(keras.ops.conv(padded, block.kernel, padding="valid"), 0)
    expected = expected.max(axis=2) / np.sqrt(1 + BATCH_NORM_EPSILON)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_each_of_the_steps_covers_the_same_stretch_of_the_window(
    front_end: keras.Model, windows: np.ndarray
) -> None:
    assert front_end.output_shape[1] == 24
    changed = windows.copy()
    changed[:, 80:] = -80.0
    before, after = np.asarray(front_end(windows)), np.asarray(front_end(changed))
    np.testing.assert_allclose(before[:, :14], after[:, :14], atol=1e-5)
    assert not np.allclose(before[:, 21:], after[:, 21:])


def test_each_front_end_has_a_head_that_hears_no_other_and_one_hears_both() -> None:
    heads = build_heads(24, (5, 7), 4, lstm_units=4)
    steps = np.random.default_rng(4).normal(size=(2, 24, 12)).astype(np.float32)
    changed = steps.copy()
    changed[:, :, 5:] += 1.0
    differs = np.abs(np.asarray(heads(steps)) - np.asarray(heads(changed))).max(axis=(0, 2)) > 1e-6
    np.testing.assert_array_equal(differs, [False, True, True])


def test_genres_sum_to_one_and_music_is_judged_apart(
    model: keras.Model, windows: np.ndarray
) -> None:
    outputs = np.asarray(with_probabilities(model, 3)(windows))
    assert outputs.shape == (3, 4)
    np.testing.assert_allclose(outputs[:, :3].sum(axis=1), 1.0, rtol=1e-5)
    logits = np.asarray(model(windows)).mean(axis=1)
    np.testing.assert_allclose(outputs[:, 3], 1 / (1 + np.exp(-logits[:, 3])), rtol=1e-4)


def test_a_higher_temperature_only_makes_it_less_sure(
    model: keras.Model, windows: np.ndarray
) -> None:
    sure, unsure = (np.asarray(with_probabilities(model, 3, t)(windows)) for t in (0.1, 10.0))
    np.testing.assert_array_equal(sure[:, :3].argmax(axis=1), unsure[:, :3].argmax(axis=1))
    assert (sure[:, :3].max(axis=1) > unsure[:, :3].max(axis=1)).all()
    np.testing.assert_allclose(sure[:, 3], unsure[:, 3], rtol=1e-4)


def test_the_odds_of_no_music_lower_its_probability_and_leave_the_genres(
    model: keras.Model, windows: np.ndarray
) -> None:
    plain, wary = (np.asarray(with_probabilities(model, 3, 1.0, odds)(windows)) for odds in (1, 4))
    np.testing.assert_array_equal(plain[:, :3], wary[:, :3])
    odds = plain[:, 3] / (1 - plain[:, 3])
    np.testing.assert_allclose(wary[:, 3] / (1 - wary[:, 3]), odds / 4, rtol=1e-3)


def test_tflite_gives_the_same_probabilities_as_keras_after_saving(
    model: keras.Model, windows: np.ndarray, tmp_path: Path
) -> None:
    shipped = with_probabilities(model, 3, 1.5)
    shipped.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    (tmp_path / "model.tflite").write_bytes(convert(loaded))
    found = LiteRtNetwork(tmp_path / "model.tflite", threads=1).run(windows)
    np.testing.assert_allclose(found, np.asarray(shipped(windows)), atol=1e-4)
