from __future__ import annotations

import csv
import os
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from rtgenre.model.features import log_mel_spectrogram
from tests.training.conftest import GENRE_HZ, tone, write_wav
from training.data.audio import Fault, find_audio, read_audio
from training.data.dataset import (
    FEATURES,
    DatasetError,
    Track,
    load_tracks,
    save_tracks,
    splits_of,
    to_decibels,
)
from training.prepare import main, prepare

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("librosa")


def run(
    source: Path, folder: Path, *, partition: Path | None = None, artists: Path | None = None
) -> list[Fault]:
    return prepare(source, folder, partition=partition, artists=artists, seed=1)


def all_tracks(folder: Path) -> list[Track]:
    return [track for split in splits_of(folder) for track in load_tracks(folder, split)]


def names_in(folder: Path) -> set[str]:
    return {track.name for track in all_tracks(folder)}


def write_partition(path: Path, splits: dict[str, str]) -> Path:
    rows = "".join(f"{track},{split}\n" for track, split in splits.items())
    path.write_text("track,split\n" + rows, encoding="utf-8")
    return path


def test_a_folder_of_genres_becomes_a_dataset_without_losing_a_track(
    music: Path, tmp_path: Path
) -> None:
    faults = run(music, tmp_path / "out")

    assert faults == []
    assert len(names_in(tmp_path / "out")) == 9
    assert "train" in splits_of(tmp_path / "out")


def test_spectrograms_are_made_by_the_code_that_runs_live(music: Path, tmp_path: Path) -> None:
    run(music, tmp_path / "out")
    waveform = read_audio(music / "low" / "low.00001.wav")

    tracks = [
        track
        for split in splits_of(tmp_path / "out")
        for track in load_tracks(tmp_path / "out", split)
    ]
    (stored,) = [track.columns for track in tracks if track.name == "low.00001"]

    live = log_mel_spectrogram(waveform, FEATURES)
    np.testing.assert_allclose(to_decibels(stored), live, atol=0.16)


def test_corrupt_silent_short_and_duplicate_files_are_listed_and_left_out(
    music: Path, tmp_path: Path
) -> None:
    (music / "low" / "broken.wav").write_bytes(b"RIFF nonsense")
    (music / "low" / "empty.mp3").write_bytes(b"")
    write_wav(music / "low" / "quiet.wav", np.zeros(22050 * 8, dtype=np.float32))
    write_wav(music / "low" / "short.wav", tone(440.0, 2.0))
    shutil.copyfile(music / "high" / "high.00000.wav", music / "middle" / "copy.wav")

    faults = {fault.path.name: fault.reason for fault in run(music, tmp_path / "out")}

    assert faults["broken.wav"].startswith("cannot be decoded")
    assert faults["empty.mp3"].startswith("cannot be decoded")
    assert faults["quiet.wav"].startswith("is silent")
    assert faults["short.wav"] == "has 2.0 s of audio; at least 4 s is needed"
    assert faults["copy.wav"] == "a duplicate of high.00000.wav"
    assert len(names_in(tmp_path / "out")) == 9
    with (tmp_path / "out" / "faults.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 5


@pytest.mark.parametrize(("root", "suffix"), [("genres_original", "wav"), ("genres", "au")])
def test_gtzan_is_read_as_its_mirrors_lay_it_out(tmp_path: Path, root: str, suffix: str) -> None:
    path = tmp_path / root / "blues" / f"blues.00029.{suffix}"
    path.parent.mkdir(parents=True)
    soundfile.write(path, tone(300.0, 5.0), FEATURES.sample_rate_hz)
    (tmp_path / "features_30_sec.csv").write_text("not music", encoding="utf-8")

    (found,) = find_audio(tmp_path)

    assert (found.name, found.genre) == ("blues.00029", "blues")


def test_gtzans_partition_is_used_without_being_asked_for(tmp_path: Path) -> None:
    for number, hz in ((0, 300.0), (29, 500.0), (12, 700.0)):
        path = tmp_path / "genres_original" / "blues" / f"blues.{number:05d}.wav"
        write_wav(path, tone(hz, 5.0))

    run(tmp_path, tmp_path / "out")

    assert [track.name for track in load_tracks(tmp_path / "out", "valid")] == ["blues.00000"]
    assert [track.name for track in load_tracks(tmp_path / "out", "train")] == ["blues.00029"]


def test_a_partition_decides_and_tracks_that_it_does_not_list_are_named(
    music: Path, tmp_path: Path
) -> None:
    partition = write_partition(
        tmp_path / "p.csv", {"low.00000": "train", "low.00001": "mine", "gone.00000": "train"}
    )

    faults = run(music, tmp_path / "out", partition=partition)

    assert splits_of(tmp_path / "out") == ["mine", "train"]
    assert names_in(tmp_path / "out") == {"low.00000", "low.00001"}
    assert len(faults) == 7
    assert {fault.reason for fault in faults} == {"is not in the partition"}


def test_artists_keep_to_one_side(music: Path, tmp_path: Path) -> None:
    artists = tmp_path / "artists.csv"
    rows = [f"{genre}.{number:05d},Ann" for genre in ("high", "low") for number in range(3)]
    artists.write_text("track,artist\n" + "\n".join(rows), encoding="utf-8")

    run(music, tmp_path / "out", artists=artists)

    sides = {
        split
        for split in splits_of(tmp_path / "out")
        for track in load_tracks(tmp_path / "out", split)
        if track.artist == "Ann"
    }
    assert len(sides) == 1


def test_artists_that_are_of_no_track_are_an_error_not_a_split_by_tracks(
    music: Path, tmp_path: Path
) -> None:
    artists = tmp_path / "artists.csv"
    artists.write_text("track;artist\nlow.00000;Ann\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"artists\.csv names the artist of no track; it needs"):
        run(music, tmp_path / "out", artists=artists)


def test_splits_of_an_earlier_dataset_are_not_left_beside_the_new_ones(
    music: Path, tmp_path: Path
) -> None:
    tracks = [f"{genre}.{number:05d}" for genre in GENRE_HZ for number in range(3)]
    before = write_partition(tmp_path / "a.csv", dict.fromkeys(tracks[:5], "test"))
    run(music, tmp_path / "out", partition=before)
    save_tracks(tmp_path / "out", "negatives_train", [])
    after = write_partition(tmp_path / "b.csv", dict.fromkeys(tracks, "train"))
    with pytest.raises(DatasetError, match=r"holds mel_test\.npz of another dataset"):
        run(music, tmp_path / "out", partition=after)
    assert len(load_tracks(tmp_path / "out", "test")) == 5

    (tmp_path / "out" / "mel_test.npz").unlink()
    run(music, tmp_path / "out", partition=after)
    assert len(load_tracks(tmp_path / "out", "train")) == 9


def test_a_file_of_no_utf_8_is_listed_and_ends_nothing(music: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.wav")
    (music / "low" / "low.00000.wav").rename(music / "low" / name)

    (fault,) = run(music, tmp_path / "out")

    assert fault.path.name == name
    assert r"caf\udce9.wav" in (tmp_path / "out" / "faults.csv").read_text(encoding="utf-8")
    (found,) = [one for one in find_audio(music) if one.path.name == name]
    assert found.name == "low.caf\ufffd"


def test_a_folder_that_cannot_be_written_ends_the_command_with_one_line(
    music: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match=r"error: .*Not a directory"):
        main([str(music), str(tmp_path / "file" / "out")])


def test_a_dataset_is_checked_and_copied(dataset: Path, tmp_path: Path) -> None:
    run(dataset, tmp_path / "copy")

    before, after = load_tracks(dataset, "valid"), load_tracks(tmp_path / "copy", "valid")
    assert [track.name for track in before] == [track.name for track in after]
    np.testing.assert_array_equal(before[0].columns, after[0].columns)


def test_a_folder_without_music_is_an_error_that_shows_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no music was found .* genres_original/blues"):
        run(tmp_path, tmp_path / "out")


def test_nothing_usable_is_an_error_rather_than_an_empty_dataset(tmp_path: Path) -> None:
    (tmp_path / "low").mkdir()
    (tmp_path / "low" / "broken.wav").write_bytes(b"nonsense")

    with pytest.raises(DatasetError, match="of 1 files none is left"):
        run(tmp_path, tmp_path / "out")


def test_the_command_says_what_it_made_and_what_it_left_out(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (music / "low" / "broken.wav").write_bytes(b"nonsense")

    main([str(music), str(tmp_path / "out")])

    output = capsys.readouterr()
    assert "train:" in output.out
    assert "left out" in output.err
    assert "broken.wav" in output.err
