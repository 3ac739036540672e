from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rtgenre.tracking.smoothing import TrackerParams
from tests.training.libraries import right_classifier, write_library, write_negatives
from tests.training.test_evaluate import ear
from training import tune

if TYPE_CHECKING:
    from pathlib import Path


def test_the_grid_keeps_defaults_for_what_it_does_not_name() -> None:
    tried = list(tune.settings())

    assert len(set(tried)) == len(tried)
    assert {params.music_below for params in tried} == {TrackerParams().music_below}
    assert {params.switch_margin for params in tried} == set(tune.GRID["switch_margin"])


def test_the_command_prints_settings_that_are_calm_and_quick_enough(
    dataset: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune, "load_classifier", lambda _name: ear())
    monkeypatch.setattr(tune, "GRID", {"time_constant_seconds": (0.0, 4.0)})

    tune.main(["--data", str(dataset), "--switches", "100", "--seconds", "inf"])

    output = capsys.readouterr().out
    assert "2 of 2 settings are calm and quick enough" in output
    assert "time_constant_seconds=0" in output


def test_spectrograms_that_are_to_be_faded_end_the_command_with_one_line(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune, "load_classifier", lambda _name: ear())
    with pytest.raises(SystemExit, match=r"error: .* spectrograms, which can only be spliced"):
        tune.main(["--data", str(dataset), "--joined", "faded"])


@pytest.mark.parametrize("joined", tune.JOINED)
def test_recordings_may_be_spliced_faded_or_have_talk_between_them(
    joined: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = write_library(tmp_path / "world", n_artists=1, seconds=13.0)
    monkeypatch.setattr(tune, "load_classifier", lambda _name: right_classifier())
    monkeypatch.setattr(tune, "GRID", {"time_constant_seconds": (4.0,)})
    command = ["--data", str(library), "--split", "all", "--seconds", "inf", "--joined", joined]
    if joined == "talk":
        with pytest.raises(SystemExit, match="error: talk needs --negatives, a folder that"):
            tune.main(command)
        noise = write_negatives(tmp_path / "noise")
        with pytest.raises(SystemExit, match="noise holds no speech of the split 'valid'"):
            tune.main([*command, "--negatives", str(noise)])
        command += ["--negatives", str(write_negatives(tmp_path / "negatives", "speech"))]
    tune.main([*command, "--switches", "100"])
    assert "1 of 1 settings are calm and quick enough" in capsys.readouterr().out
