"""How networks become TFLite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest

from rtgenre.model.classifier import LiteRtNetwork
from training.release.tflite import Weights, convert

if TYPE_CHECKING:
    from pathlib import Path

    from training.data.dataset import FloatArray


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """A network with a small convolution and, inside another network, a large one."""
    inner_in = keras.Input((8, 16, 64))
    inner = keras.layers.Conv2D(256, (2, 2), activation="relu", name="large")(inner_in)
    inner = keras.Model(inner_in, keras.layers.GlobalAveragePooling2D()(inner), name="ear")
    window = keras.Input((8, 16))
    image = keras.layers.Reshape((8, 16, 1))(window)
    image = keras.layers.Conv2D(64, (3, 3), padding="same", name="small")(image)
    return keras.Model(window, keras.layers.Dense(4, activation="softmax")(inner(image)))


def _run(network: keras.Model, weights: Weights, folder: Path) -> tuple[int, FloatArray]:
    path = folder / weights.file_name
    path.write_bytes(convert(network, weights))
    windows = np.random.default_rng(1).normal(size=(5, 8, 16)).astype(np.float32)
    return path.stat().st_size, LiteRtNetwork(path, threads=1).run(windows)


def test_mixed_weights_keep_large_convolutions_in_a_byte_each_and_say_nearly_the_same(
    network: keras.Model, tmp_path: Path
) -> None:
    full_size, full = _run(network, Weights.FLOAT32, tmp_path)
    half_size, half = _run(network, Weights.FLOAT16, tmp_path)
    mixed_size, mixed = _run(network, Weights.MIXED, tmp_path)

    n_large = 2 * 2 * 64 * 256
    assert full_size - half_size > 1.9 * n_large
    assert half_size - mixed_size > 0.9 * n_large
    np.testing.assert_allclose(half, full, atol=1e-3)
    np.testing.assert_allclose(mixed, full, atol=1e-2)
    assert not np.array_equal(mixed, half)


def test_a_network_without_large_convolutions_loses_nothing_to_mixed_weights(
    tmp_path: Path,
) -> None:
    window = keras.Input((8, 16))
    dense = keras.layers.Dense(4, activation="softmax")(keras.layers.Flatten()(window))

    _, full = _run(keras.Model(window, dense), Weights.FLOAT32, tmp_path)
    _, mixed = _run(keras.Model(window, dense), Weights.MIXED, tmp_path)

    np.testing.assert_allclose(mixed, full, atol=1e-3)
