"""From music on disk to a model folder with figures, by the commands of training/README.md."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rtgenre.model.classifier import Classifier
from rtgenre.model.info import read_model_info
from tests.training.conftest import GENRE_HZ
from training import evaluate, export, prepare, scratch
from training.data.acoustics import coloured_noise
from training.data.audio import spectrogram
from training.data.dataset import Track, save_tracks

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("librosa")


EPOCHS = "6"


def make_negatives(folder: Path) -> Path:
    """Noise, as ``training.negatives`` would store it."""
    for split in ("train", "valid"):
        rng = np.random.default_rng(split == "valid")
        columns = [spectrogram(coloured_noise(rng, 22050 * 5, -3.0)) for _ in range(4)]
        tracks = [Track(f"noise.{n:05d}", "noise", None, one) for n, one in enumerate(columns)]
        save_tracks(folder, f"negatives_{split}", tracks)
    return folder


def write_partition(path: Path) -> Path:
    rows = [
        f"{genre}.{number:05d},{'valid' if number == 2 else 'train'}"
        for genre in GENRE_HZ
        for number in range(3)
    ]
    path.write_text("track,split\n" + "\n".join(rows), encoding="utf-8")
    return path


@pytest.mark.timeout(600)
def test_music_becomes_a_model_that_the_service_runs_and_evaluate_judges(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run, model = tmp_path / "data", tmp_path / "run", tmp_path / "models" / "cnn"
    negatives = make_negatives(tmp_path / "negatives")
    partition = write_partition(tmp_path / "partition.csv")
    judge_on = ["--data", str(data), "--negatives", str(negatives)]

    prepare.main([str(music), str(data), "--partition", str(partition)])
    scratch.main(["cnn", str(run), "--epochs", EPOCHS, *judge_on])
    export.main([str(run), str(model), *judge_on])
    capsys.readouterr()
    evaluate.main(["--model", str(model), "--json", *judge_on])

    figures = json.loads(capsys.readouterr().out)
    with (run / "history.csv").open(encoding="utf-8") as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses[-1] < losses[0]
    assert (figures["n_tracks"], figures["n_windows"]) == (3, 9)
    assert figures["labels"] == sorted(GENRE_HZ)
    scores = read_model_info(model).scores
    assert scores["window_accuracy"] == figures["window_accuracy"]
    assert Classifier.load(model).info.has_music_output
    assert (run / "curves.png").exists()
    assert json.loads((run / "run.json").read_text(encoding="utf-8"))["config"]["epochs"] == 6


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.timeout(600)
def test_training_goes_on_where_it_was_stopped(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = tmp_path / "data", tmp_path / "run"
    negatives = make_negatives(tmp_path / "negatives")
    prepare.main([str(music), str(data), "--partition", str(write_partition(tmp_path / "p.csv"))])
    judge_on = ["--data", str(data), "--negatives", str(negatives)]

    scratch.main(["cnn", str(run), "--epochs", "2", *judge_on])
    newest = run / "checkpoint" / "latest.weights.h5"
    newest.write_bytes(newest.read_bytes()[:10000])  # as what ended it, or a full disk, left it
    capsys.readouterr()
    scratch.main(["cnn", str(run), "--epochs", "2", *judge_on])

    output = capsys.readouterr().out
    assert "Epoch 2/2" in output
    assert "Epoch 1/2" not in output
