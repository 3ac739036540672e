from __future__ import annotations

from typing import TYPE_CHECKING

from rtgenre.tracking.smoothing import TrackerParams
from tests.training.test_evaluate import ear
from training import tune

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


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
