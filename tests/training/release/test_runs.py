from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from training.data.dataset import DatasetError
from training.release.runs import OPTIONS_FILE_NAME, claim_folder

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = {"epochs": 8, "batch": {"size": 256}, "snr_db": (3.0, 20.0)}


def test_a_run_that_was_stopped_goes_on_with_the_same_options(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    claim_folder(folder, OPTIONS, "heads*.keras")
    (folder / "heads0.keras").touch()
    claim_folder(folder, OPTIONS, "heads*.keras")


def test_what_other_options_made_is_not_taken_over_and_stays(tmp_path: Path) -> None:
    claim_folder(tmp_path, OPTIONS, "checkpoint", "heads*.keras")
    (tmp_path / "heads0.keras").touch()
    expected = r"holds heads0\.keras of another run \(epochs is 8, not 9\); name another folder"
    for _ in range(2):
        with pytest.raises(DatasetError, match=expected):
            claim_folder(tmp_path, OPTIONS | {"epochs": 9}, "checkpoint", "heads*.keras")
    claim_folder(tmp_path, OPTIONS, "heads*.keras")


def test_options_may_change_before_anything_is_made(tmp_path: Path) -> None:
    claim_folder(tmp_path, OPTIONS, "heads*.keras")
    claim_folder(tmp_path, OPTIONS | {"epochs": 9}, "heads*.keras")
    (tmp_path / "heads0.keras").touch()
    with pytest.raises(DatasetError, match="epochs is 9, not 8"):
        claim_folder(tmp_path, OPTIONS, "heads*.keras")


def test_what_was_half_written_is_no_other_run(tmp_path: Path) -> None:
    claim_folder(tmp_path, OPTIONS, "heads*.keras")
    (tmp_path / "heads0.part.keras").touch()
    claim_folder(tmp_path, OPTIONS | {"epochs": 9}, "heads*.keras")


@pytest.mark.parametrize("text", ["", "[1]", "nonsense", "\xff"])
def test_options_that_cannot_be_read_are_not_taken_for_the_same(tmp_path: Path, text: str) -> None:
    (tmp_path / "heads0.keras").touch()
    (tmp_path / OPTIONS_FILE_NAME).write_bytes(text.encode("latin-1"))
    with pytest.raises(DatasetError, match=r"options\.json cannot be read"):
        claim_folder(tmp_path, OPTIONS, "heads*.keras")


def test_a_folder_of_before_options_were_noted_says_so_and_has_them_from_now_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "heads0.keras").touch()
    claim_folder(tmp_path, OPTIONS, "heads*.keras")
    assert "goes on with heads0.keras, whose options nobody noted" in capsys.readouterr().err
    with pytest.raises(DatasetError, match="epochs is 8, not 9"):
        claim_folder(tmp_path, OPTIONS | {"epochs": 9}, "heads*.keras")
