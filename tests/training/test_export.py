from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest

from rtgenre.model.classifier import Classifier
from rtgenre.model.info import read_model_info
from tests.training.conftest import GENRE_HZ
from training import export as export_module
from training.data.dataset import FEATURES, DatasetError, load_tracks
from training.evaluate import Material
from training.export import ExportError, export
from training.release.runs import RunInfo, data_fingerprint, read_run, write_run
from training.release.tflite import Weights, convert

if TYPE_CHECKING:
    from pathlib import Path

RUN = RunInfo(
    name="tiny",
    about="A tiny network for a test.",
    labels=tuple(GENRE_HZ),
    has_music_output=True,
    data={"source": "generated tones"},
    credits=("tones (MIT)",),
)


def tiny_network() -> keras.Model:
    """Convolution, bidirectional LSTM and two heads: what is hard to convert, but small."""
    keras.utils.set_random_seed(1)
    window = keras.Input((FEATURES.n_frames, FEATURES.n_mels))
    x = keras.layers.Rescaling(1 / 40, offset=1.0)(window)
    x = keras.layers.Conv1D(8, 5, strides=5, activation="relu")(x)
    x = keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True))(x)
    x = keras.layers.GlobalAveragePooling1D()(x)
    genres = keras.layers.Dense(len(GENRE_HZ), activation="softmax")(x)
    music = keras.layers.Dense(1, activation="sigmoid")(x)
    return keras.Model(window, keras.layers.Concatenate()([genres, music]))


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    tiny_network().save(folder / "model.keras")
    write_run(RUN, folder)
    return folder


def test_a_run_becomes_a_folder_that_the_service_loads(
    run_folder: Path, dataset: Path, tmp_path: Path
) -> None:
    info = export(
        run_folder,
        tmp_path / "models" / "tiny",
        Material((dataset,), "valid"),
        weights=Weights.MIXED,
    )

    folder = tmp_path / "models" / "tiny"
    assert read_model_info(folder) == info
    assert info.scores["export"]["float32_largest_difference"] <= 1e-4
    assert info.scores["export"]["shipped"] == "mixed"
    assert re.fullmatch(r"\d{4}\.\d+\.\d+", info.version)
    (prediction,) = Classifier.load(folder).predict(
        np.zeros((1, FEATURES.n_frames, FEATURES.n_mels), np.float32)
    )
    assert prediction.probabilities.shape == (3,)
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "confusion.png",
        "model.json",
        "model.tflite",
        "reliability.png",
    }
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"{info.scores['window_accuracy']:.1%} of 18" in card
    assert "tones (MIT)" in card
    assert "## Limits" in card


def test_a_model_that_was_fitted_on_what_judges_it_shows_a_sibling_that_was_not(
    run_folder: Path, dataset: Path, tmp_path: Path
) -> None:
    sibling = tmp_path / "sibling"
    shutil.copytree(run_folder, sibling)
    folder = tmp_path / "models" / "tiny"

    info = export(
        run_folder,
        folder,
        Material((dataset,), "valid"),
        weights=Weights.FLOAT32,
        held_out_run=sibling,
        version="7",
    )

    assert info.version == "7"

    assert info.scores["held_out"]["window_accuracy"] == info.scores["window_accuracy"]
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "fitted on `valid` too" in card
    assert "| what | fitted on train alone | as shipped |" in card


def test_a_run_whose_training_has_not_ended_is_an_error(
    run_folder: Path, dataset: Path, tmp_path: Path
) -> None:
    (run_folder / "model.keras").unlink()

    with pytest.raises(DatasetError, match=r"has no model\.keras; its training has not ended"):
        export(
            run_folder, tmp_path / "models", Material((dataset,), "valid"), weights=Weights.MIXED
        )


def test_an_export_that_differs_from_the_trained_network_is_refused(
    run_folder: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def convert_another(_model: keras.Model, weights: Weights) -> bytes:
        other = tiny_network()
        other.set_weights([weights + 0.3 for weights in other.get_weights()])
        return convert(other, weights)

    monkeypatch.setattr(export_module, "convert", convert_another)

    with pytest.raises(ExportError, match="TFLite's probabilities differ by"):
        export(
            run_folder,
            tmp_path / "models" / "tiny",
            Material((dataset,), "valid"),
            weights=Weights.MIXED,
        )

    assert not (tmp_path / "models" / "tiny").exists()


def test_a_folder_that_is_no_run_is_an_error_with_its_name(tmp_path: Path, dataset: Path) -> None:
    with pytest.raises(DatasetError, match=r"run\.json does not describe a training run"):
        export(tmp_path, tmp_path / "models", Material((dataset,), "valid"), weights=Weights.MIXED)


def test_a_run_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    run = replace(RUN, config={"epochs": 3}, git_commit="abc")
    write_run(run, tmp_path)

    assert read_run(tmp_path) == run
    assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["name"] == "tiny"


def test_the_fingerprint_follows_what_the_tracks_hold_and_not_their_order(dataset: Path) -> None:
    tracks = load_tracks(dataset, "valid")
    changed = [replace(tracks[0], columns=tracks[0].columns[:-1]), *tracks[1:]]

    assert data_fingerprint(tracks) == data_fingerprint(tracks[::-1])
    assert data_fingerprint(tracks) != data_fingerprint(changed)
