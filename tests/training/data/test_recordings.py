from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from training.data import recordings
from training.data.recordings import fetch_packages


def test_half_of_a_package_is_not_taken_for_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = subprocess.CalledProcessError(2, "dpkg-deb", stderr=b"No space left on device")
    stops: list[BaseException] = [KeyboardInterrupt(), full]

    def run(*command: str, cwd: Path | None = None) -> bytes:
        if cwd:
            (cwd / f"{command[-1]}.deb").touch()
            return b""
        unpacked = Path(command[-1])
        unpacked.mkdir()
        (unpacked / "first.ogg").touch()
        if stops:
            raise stops.pop()
        (unpacked / "second.ogg").touch()
        return b""

    monkeypatch.setattr(recordings, "_run", run)
    with pytest.raises(recordings.DatasetError, match="No space left"):
        fetch_packages(tmp_path, ["voices"])
    with pytest.raises(KeyboardInterrupt):
        fetch_packages(tmp_path, ["voices"])
    fetch_packages(tmp_path, ["voices"])
    found = {path.name for path in (tmp_path / "voices").iterdir()}
    assert found == {"first.ogg", "second.ogg"}
    assert [path.name for path in tmp_path.iterdir()] == ["voices"]
