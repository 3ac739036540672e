from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rtgenre.model.features import YAMNET_FEATURES
from tests.training.libraries import write_library
from training.data.dataset import DatasetError
from training.data.library import read_library
from training.frontends import variants
from training.frontends.hearing import windows_of
from training.frontends.variants import N_VARIANTS, make_variants

if TYPE_CHECKING:
    from pathlib import Path

    from training.data.library import Recording


@pytest.fixture
def recordings(tmp_path: Path) -> list[Recording]:
    return read_library(write_library(tmp_path / "world", n_artists=2, genres=("low", "high")))


def test_the_first_variant_is_what_the_service_hears_and_the_others_are_not(
    recordings: list[Recording], tmp_path: Path
) -> None:
    made = make_variants(recordings, YAMNET_FEATURES, tmp_path / "kept", seed=1)
    clean, coded, *disturbed = made.astype(np.float32)
    assert made.shape == (N_VARIANTS, 12, *YAMNET_FEATURES.shape)
    np.testing.assert_allclose(clean, windows_of(recordings, YAMNET_FEATURES)[0], atol=5e-3)
    for one in (coded, *disturbed):
        assert np.abs(one - clean).mean() > 0.01
    loudest = clean.mean(axis=1).argmax(axis=1)
    levels = coded.mean(axis=1)[np.arange(12), loudest] - clean.mean(axis=1).max(axis=1)
    assert np.abs(levels).max() < 0.3, "the tone comes through MP3 as it was"
    assert np.abs(disturbed[0] - disturbed[1]).mean() > 0.1


def test_blocks_that_were_made_are_read_and_chance_is_each_recordings_own(
    recordings: list[Recording], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variants, "_BLOCK", 3)
    first = make_variants(recordings, YAMNET_FEATURES, tmp_path / "kept", seed=1)
    alone = make_variants(recordings[3:], YAMNET_FEATURES, tmp_path / "alone", seed=1)
    np.testing.assert_array_equal(alone, first[:, 9:])
    monkeypatch.setattr(variants, "_variants", None)
    again = make_variants(recordings, YAMNET_FEATURES, tmp_path / "kept", seed=1)
    np.testing.assert_array_equal(again, first)


def test_what_cannot_be_decoded_is_named_and_left_out(
    recordings: list[Recording], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings[0].path.write_bytes(b"no sound")
    made = make_variants(recordings, YAMNET_FEATURES, tmp_path / "kept", seed=1)
    assert made.shape[1] == 9
    assert f"left out: {recordings[0].path} cannot be decoded" in capsys.readouterr().err
    with pytest.raises(DatasetError, match="none of 1 recordings can be decoded"):
        make_variants(recordings[:1], YAMNET_FEATURES, tmp_path / "none", seed=1)
