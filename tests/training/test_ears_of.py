from __future__ import annotations

import json
from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest
from keras import layers

from rtgenre.model.feature_params import MUSICNN_FEATURES, TWO_EARS_FEATURES, YAMNET_FEATURES
from rtgenre.model.info import TFLITE_FILE_NAME, ModelInfo, write_model_info
from tests.training.frontends.test_musicnn import tiny_musicnn
from tests.training.tiny_yamnet import tiny_yamnet
from training import ears_of
from training.crnn.ears import read_ears
from training.frontends import second_ear, yamnet
from training.frontends.ear import build_ear
from training.frontends.second_ear import (
    build_second_ear,
    build_second_pupil,
    taught_arrays,
    with_taught,
)
from training.release.tflite import convert

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretrained weights come from elsewhere; small random ones are quicker and need no network."""
    monkeypatch.setattr(yamnet, "load_yamnet", tiny_yamnet)
    for place in (ears_of, second_ear):
        monkeypatch.setattr(place, "read_million_songs", tiny_musicnn)


def moved(network: keras.Model) -> keras.Model:
    """Teach a network something, so that it is not what it began as."""
    chance = np.random.default_rng(1)
    weights = network.get_weights()
    network.set_weights([one * chance.uniform(0.5, 1.5, one.shape) for one in weights])
    return network


def model_of(ears: list[keras.Model], folder: Path) -> Path:
    """Make the folder of a model that has these ears."""
    spectrograms = [keras.Input(one.input_shape[1:]) for one in ears]
    heard = [layers.Flatten()(ear(one)) for ear, one in zip(ears, spectrograms, strict=True)]
    said = layers.Dense(2, name="verdict")(layers.Concatenate()(heard))
    folder.mkdir()
    flat = keras.Input((int(np.prod(TWO_EARS_FEATURES.shape)),))
    first_size = int(np.prod(YAMNET_FEATURES.shape))
    parts = [flat[:, :first_size], flat[:, first_size:]]
    parts = [layers.Reshape(one.shape[1:])(x) for one, x in zip(spectrograms, parts, strict=True)]
    model = keras.Model(flat, keras.Model(spectrograms, said)(parts), name="crnn")
    (folder / TFLITE_FILE_NAME).write_bytes(convert(model))
    info = ModelInfo("crnn", "1", ("low", "high"), TWO_EARS_FEATURES, has_music_output=False)
    write_model_info(info, folder)
    return folder


@pytest.mark.timeout(600)
def test_new_networks_can_be_trained_behind_the_ears_of_a_model_that_ships(tmp_path: Path) -> None:
    taught = taught_arrays(moved(build_second_pupil(tiny_musicnn(), 64000)))
    second = build_second_ear(with_taught(tiny_musicnn(), taught))
    ears = [moved(build_ear(tiny_yamnet())), second]
    model, run = model_of(ears, tmp_path / "model"), tmp_path / "ears"

    ears_of.main([str(run), "--model", str(model)])

    chance = np.random.default_rng(2)
    features = (YAMNET_FEATURES, MUSICNN_FEATURES)
    for ear, found, params in zip(ears, read_ears(run), features, strict=True):
        window = chance.normal(size=(1, *params.shape)).astype(np.float32)
        expected = np.asarray(ear(window))
        np.testing.assert_allclose(np.asarray(found.network(window)), expected, atol=1e-3)
    assert json.loads((run / "run.json").read_text())["options"] == {"ears_of": "crnn 1"}


def test_a_model_without_such_ears_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"error: .*cnn has no such ears: its model hears librosa"):
        ears_of.main([str(tmp_path / "ears"), "--model", "cnn"])
    assert not (tmp_path / "ears").exists()
