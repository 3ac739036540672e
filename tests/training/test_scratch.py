from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.training.conftest import GENRE_HZ, make_track
from training import random_split
from training.data.dataset import FEATURES, genre_indices
from training.networks.fitting import fit_temperature
from training.networks.plain import build_cnn, build_crnn
from training.scratch import (
    Batches,
    ScratchOptions,
    apply_temperature,
    main,
    two_part_loss,
)

if TYPE_CHECKING:
    from pathlib import Path

LABELS = tuple(GENRE_HZ)
OPTIONS = ScratchOptions(
    music_per_batch=4, negatives_per_batch=2, windows_per_track=2, label_smoothing=0.1
)


def batches(options: ScratchOptions = OPTIONS) -> Batches:
    tracks = [make_track(genre, 0) for genre in LABELS]
    negatives = [make_track("low", 5)]
    return Batches(tracks, genre_indices(tracks, LABELS), negatives, options)


def test_an_epoch_shows_every_track_equally_often() -> None:
    one_epoch = batches()

    assert len(one_epoch) == 2
    assert sorted(one_epoch.order) == [0, 0, 1, 1, 2, 2]


def test_a_batch_holds_music_and_what_is_not_with_targets_for_both() -> None:
    windows, targets = batches()[0]

    assert windows.shape == (6, FEATURES.n_frames, FEATURES.n_mels)
    assert windows.min() >= -FEATURES.top_db
    assert windows.max() <= 0.0
    np.testing.assert_allclose(targets[:4, :-1].sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(targets[:4, -1], 1.0, atol=1e-6)
    np.testing.assert_array_equal(targets[4:], 0.0)


def test_the_loss_of_what_is_not_music_does_not_depend_on_its_genre() -> None:
    loss = two_part_loss(music_weight=0.5)
    nothing = np.zeros((2, 4), dtype=np.float32)
    outputs = np.array([[0.9, 0.05, 0.05, 0.2], [0.1, 0.8, 0.1, 0.2]], dtype=np.float32)

    first, second = np.asarray(loss(nothing, outputs))

    assert first == pytest.approx(second)
    assert first == pytest.approx(-0.5 * np.log(0.8), abs=1e-5)


def test_the_loss_of_music_is_the_cross_entropy_of_both_outputs() -> None:
    loss = two_part_loss(music_weight=0.5)
    truth = np.array([[1.0, 0.0, 0.0, 1.0]], dtype=np.float32)
    outputs = np.array([[0.5, 0.3, 0.2, 0.9]], dtype=np.float32)

    assert float(loss(truth, outputs)[0]) == pytest.approx(
        -np.log(0.5) - 0.5 * np.log(0.9), abs=1e-5
    )


def test_the_temperature_that_made_probabilities_too_sure_is_found() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(20000, 4))
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(4, p=row) for row in honest])
    too_sure = honest**2 / (honest**2).sum(axis=1, keepdims=True)

    assert fit_temperature(np.log(too_sure).astype(np.float32), truth) == pytest.approx(
        2.0, abs=0.1
    )


@pytest.mark.parametrize("build", [build_cnn, build_crnn])
def test_a_temperature_in_the_weights_acts_as_one_on_the_outputs(build: object) -> None:
    model = build(len(LABELS))
    windows = batches()[0][0]
    before = np.asarray(model(windows, training=False))

    apply_temperature(model, 2.0)

    after = np.asarray(model(windows, training=False))
    cooled = np.sqrt(before[:, :-1])
    np.testing.assert_allclose(after[:, :-1], cooled / cooled.sum(axis=1, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(after[:, -1], before[:, -1], atol=1e-6)


def test_a_dataset_without_negatives_ends_the_command_with_one_line(
    dataset: Path, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match=r"error: .* has no mel_train\.npz; splits found: valid"):
        main(["cnn", str(tmp_path / "run"), "--data", str(dataset), "--negatives", str(dataset)])


def test_a_dataset_that_is_none_ends_the_usual_protocol_with_one_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"error: .* has no mel_train\.npz; splits found: none"):
        random_split.main(["--data", str(tmp_path)])


@pytest.mark.usefixtures("uncompiled")
def test_the_usual_protocol_deals_windows_and_says_so(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random_split.main(["--data", str(dataset), "--splits", "valid", "--epochs", "1"])

    assert "of 2 windows, of tracks that were learned from" in capsys.readouterr().out
