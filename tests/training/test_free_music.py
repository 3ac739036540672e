from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from tests.training.conftest import tone
from training import free_music
from training.data.library import OTHER, read_library, read_sound

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def packages(tmp_path: Path) -> list[Path]:
    """Two, of which one has music of 70 s, a fanfare, and what is no sound."""
    folder = tmp_path / "packages"
    for name, seconds in (("game/usr/music/song.ogg", 70), ("game/usr/music/won.ogg", 5)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, tone(500.0, seconds), 22050)
    (folder / "game/usr/music/broken.ogg").write_bytes(b"no sound")
    (folder / "other").mkdir()
    soundfile.write(folder / "other" / "long.flac", tone(2000.0, 50.0), 22050)
    return [folder / "other", folder / "game"]


def test_music_becomes_excerpts_spread_over_it_and_a_library_that_distil_reads(
    packages: list[Path], tmp_path: Path
) -> None:
    assert free_music.collect(packages, tmp_path / "free", seed=1) == 3
    found = read_library(tmp_path / "free")
    assert [one.name for one in found] == ["other.game.00", "other.game.01", "other.other.00"]
    assert {one.genre for one in found} == {OTHER}
    assert [one.artist for one in found] == ["game", "game", "other"]
    for one in found:
        sound = read_sound(one.path, 22050)
        assert len(sound) == 28 * 22050
        assert np.abs(sound).max() > 0.05


def test_of_a_package_with_much_music_only_so_many_excerpts_are_taken(
    packages: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(free_music, "_MOST_OF_A_PACKAGE", 1)
    assert free_music.collect(packages, tmp_path / "free", seed=1) == 2


def test_what_was_written_before_a_stop_is_not_written_again(
    packages: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free_music.collect(packages, tmp_path / "free", seed=1)
    monkeypatch.setattr(free_music, "_write", None)
    assert free_music.collect(packages, tmp_path / "free", seed=1) == 3


def test_voices_that_negatives_fetched_into_the_same_folder_are_not_taken_for_music(
    packages: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(free_music, "MUSIC_PACKAGES", ("game",))
    free_music.main([str(tmp_path / "free"), "--packages", str(packages[0].parent)])
    assert {one.artist for one in read_library(tmp_path / "free")} == {"game"}


def test_where_packages_cannot_be_had_the_command_ends_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(free_music, "MUSIC_PACKAGES", ("no-such-package-of-debian",))
    with pytest.raises(SystemExit, match="the Debian package no-such-package-of-debian cannot be"):
        free_music.main([str(tmp_path / "free"), "--packages", str(tmp_path / "packages")])


def test_excerpts_of_another_seed_are_not_taken_over(
    packages: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(free_music, "MUSIC_PACKAGES", ("game",))
    command = [str(tmp_path / "free"), "--packages", str(packages[0].parent)]
    free_music.main(command)
    with pytest.raises(SystemExit, match=r"of another run \(seed is 1, not 2\)"):
        free_music.main([*command, "--seed", "2"])
