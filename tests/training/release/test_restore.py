from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest
from keras import layers

from training.data.dataset import DatasetError
from training.release.restore import restore
from training.release.tflite import Weights, convert

if TYPE_CHECKING:
    from pathlib import Path


def network(seed: int, *, n_filters: int = 64, last: str = "dense") -> keras.Model:
    """Build one of each kind of layer; its large convolution is kept in 8 bits."""
    keras.utils.set_random_seed(seed)
    window = keras.Input((8, 16), name="window")
    x = layers.Reshape((8, 16, 1))(window)
    options = {"activation": "relu", "bias_initializer": "random_normal"}
    x = layers.Conv2D(n_filters, 3, padding="same", name="small", **options)(x)
    x = layers.DepthwiseConv2D(3, padding="same", name="deep", **options)(x)
    x = layers.Conv2D(256, 2, name="large", **options)(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Reshape((7, 15 * 256))(x)
    x = layers.Conv1D(8, 3, name="in_time", **options)(x)
    x = layers.Dense(4, name=last, **options)(layers.GlobalAveragePooling1D()(x))
    return keras.Model(window, x, name="ear")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first network as it ships: a part of another one."""
    whole = keras.Input((8, 16), name="whole")
    said = layers.Dense(2, name="verdict")(network(1)(whole))
    path = tmp_path_factory.mktemp("kept") / "model.tflite"
    path.write_bytes(convert(keras.Model(whole, said, name="crnn"), Weights.MIXED))
    return path


def test_weights_come_back_out_of_the_file_that_ships(kept: Path) -> None:
    expected, found = network(1), network(2)
    restore(found, kept)
    windows = np.random.default_rng(1).normal(size=(5, 8, 16))
    said = expected.predict(windows, verbose=0)
    np.testing.assert_allclose(found.predict(windows, verbose=0), said, atol=0.01 * said.max())
    assert np.abs(network(2).predict(windows, verbose=0) - said).max() > 0.1 * said.max()


def test_a_file_of_another_network_is_one_clear_error(kept: Path) -> None:
    with pytest.raises(DatasetError, match=r"model\.tflite keeps no weights of another in ear"):
        restore(network(1, last="another"), kept)
    with pytest.raises(DatasetError, match=r"keeps small of ear in the shapes .*not .*32\)"):
        restore(network(1, n_filters=32), kept)
