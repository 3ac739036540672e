from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from tests.training.conftest import tone, write_wav
from training.data.dataset import DatasetError
from training.data.library import (
    OTHER,
    Recording,
    cut_windows,
    folds_of,
    held_out_names,
    read_library,
    read_sound,
    resample,
    teaching_names,
)

if TYPE_CHECKING:
    from pathlib import Path


def write_library(folder: Path, table: str, *tracks: str) -> Path:
    for track in tracks:
        write_wav(folder / "audio" / f"{track}.wav", tone(440.0, 0.2))
    (folder / "tracks.csv").write_text(table, encoding="utf-8")
    return folder


def test_everything_that_tracks_csv_says_is_known_of_a_recording(tmp_path: Path) -> None:
    table = (
        "track,genre,artist,split,sure,source,source_rate_hz\n"
        "low.2,low,,,1,set@7,44100\n"
        "low.1,low,Ann,valid,0,set@7,16000\n"
        "x.3,other,,,,,\n"
    )
    library = write_library(tmp_path / "world", table, "low.1", "low.2", "x.3")

    first, second, third = read_library(library)

    assert first == Recording(
        "low.1",
        library / "audio" / "low.1.wav",
        "low",
        "ann",
        split="valid",
        sure=False,
        dull=True,
        collection="world",
    )
    assert (second.artist, second.split, second.sure, second.dull) == ("set", None, True, False)
    assert (third.genre, third.artist) == (OTHER, "x.3")


def test_the_genre_is_in_the_name_where_the_table_has_none(tmp_path: Path) -> None:
    assert read_library(write_library(tmp_path, "track\nlow.1\n", "low.1"))[0].genre == "low"


def test_rows_without_audio_are_left_out(tmp_path: Path) -> None:
    library = write_library(tmp_path, "track\nlow.1\nlow.2\n", "low.1", "low.3")
    assert [one.name for one in read_library(library)] == ["low.1"]


def test_a_short_row_is_a_recording_of_which_less_is_known(tmp_path: Path) -> None:
    library = write_library(tmp_path, "track,genre,artist,source\nlow.1,low\n", "low.1")
    assert read_library(library)[0].artist == "low.1"


def test_a_rate_that_is_no_number_is_an_error_that_names_the_track(tmp_path: Path) -> None:
    library = write_library(tmp_path, "track,source_rate_hz\nlow.1,44.1 kHz\n", "low.1")
    with pytest.raises(DatasetError, match=r"of low\.1 is '44\.1 kHz'; a whole number"):
        read_library(library)


def test_a_track_that_is_there_twice_is_refused_rather_than_one_of_them_taken(
    tmp_path: Path,
) -> None:
    library = write_library(tmp_path, "track,artist\nlow.1,Ann\nlow.1,Bob\n", "low.1")
    with pytest.raises(DatasetError, match=r"low\.1 more than once \(rows of tracks\.csv: 2"):
        read_library(library)
    (library / "tracks.csv").write_text("track\nlow.1\n", encoding="utf-8")
    write_wav(library / "audio" / "low.1.flac", tone(880.0, 0.2))
    with pytest.raises(DatasetError, match=r"files: low\.1\.flac, low\.1\.wav"):
        read_library(library)


@pytest.mark.parametrize("table", ["track\nlow.9\n", "name\nlow.1\n"])
def test_a_table_that_fits_no_audio_is_an_error_with_its_name(tmp_path: Path, table: str) -> None:
    with pytest.raises(DatasetError, match=r"tracks\.csv"):
        read_library(write_library(tmp_path, table, "low.1"))


def test_a_table_without_a_folder_of_audio_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "tracks.csv").write_text("track\nlow.1\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="audio"):
        read_library(tmp_path)


def test_a_folder_of_genres_is_a_library_with_its_partition(music: Path) -> None:
    (music / "partition.csv").write_text("track,split\nlow.00001,valid\n", encoding="utf-8")
    found = {one.name: one for one in read_library(music)}
    assert len(found) == 9
    assert found["low.00001"].split == "valid"
    assert found["low.00000"].split is None
    assert found["low.00000"].artist == "low.00000"
    assert found["low.00000"].collection == "music"


def test_held_out_music_shares_no_artist_with_the_rest(tmp_path: Path) -> None:
    recordings = [
        Recording(f"{genre}.{number}", tmp_path, genre, f"{genre} {number // 3}")
        for genre in ("low", "high")
        for number in range(30)
    ]
    names = held_out_names(recordings)
    sides = defaultdict(set)
    for one in recordings:
        sides[one.artist].add(one.name in names)
    assert len(names) == pytest.approx(12, abs=3)
    assert all(len(found) == 1 for found in sides.values())


def of_artists(tmp_path: Path, collection: str, counts: dict[str, int]) -> list[Recording]:
    genres = ("low", "high") if collection == "small" else ("high", "low")
    return [
        Recording(
            f"{genre}.{collection}{artist}{n}", tmp_path, genre, artist, collection=collection
        )
        for artist, count in counts.items()
        for genre in genres[: 1 + (artist < "f")]
        for n in range(count)
    ]


def test_who_is_held_out_does_not_depend_on_the_order_of_libraries(tmp_path: Path) -> None:
    small = of_artists(tmp_path, "small", {"a": 2, "b": 2, "c": 1, "x": 4})
    large = of_artists(tmp_path, "large", {one: 1 + ord(one) % 3 for one in "abcdefghijkl"})
    assert held_out_names([*small, *large]) == held_out_names([*large, *small])
    folds = dict(zip([*small, *large], folds_of([*small, *large]), strict=True))
    assert folds == dict(zip([*large, *small], folds_of([*large, *small]), strict=True))


def test_other_music_by_the_artists_of_what_is_to_validate_does_not_teach(tmp_path: Path) -> None:
    recordings = [
        Recording(
            f"low.{number}", tmp_path, "low", f"{number // 2}", "valid" if number == 7 else None
        )
        for number in range(20)
    ]
    judging, teaching = held_out_names(recordings), teaching_names(recordings)
    artists = {one.artist for one in recordings if one.name in judging}
    assert teaching == {one.name for one in recordings if one.artist not in artists}
    assert "low.6" not in judging | teaching


def test_what_is_to_validate_is_held_out_whoever_plays(tmp_path: Path) -> None:
    recordings = [
        Recording(f"low.{number}", tmp_path, "low", f"{number}", "valid" if number == 7 else None)
        for number in range(20)
    ]
    assert "low.7" in held_out_names(recordings)


def test_sound_is_read_mono_at_the_rate_asked_for(tmp_path: Path) -> None:
    both = np.stack([tone(440.0, 1.0), np.zeros(22050, np.float32)], axis=1)
    sound = read_sound(write_wav(tmp_path / "a.wav", both), 16000)
    assert sound.shape == (16000,)
    assert np.abs(np.fft.rfft(sound)).argmax() == 440


def test_a_file_whose_name_is_no_utf_8_is_read(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(440.0, 1.0)).rename(tmp_path / os.fsdecode(b"\xe9"))
    assert len(read_sound(path, 16000)) == 16000


def test_a_damaged_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"nonsense")
    with pytest.raises(DatasetError, match=r"bad\.wav cannot be decoded"):
        read_sound(tmp_path / "bad.wav", 16000)


@pytest.mark.parametrize(
    ("samples", "what"),
    [(np.zeros(0), "holds no sound"), (np.full(99, np.nan), "samples that are not finite")],
)
def test_a_file_that_holds_nothing_to_hear_is_an_error_with_its_name(
    tmp_path: Path, samples: np.ndarray, what: str
) -> None:
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    with pytest.raises(DatasetError, match=rf"a\.wav {what}|a\.wav holds {what}"):
        read_sound(tmp_path / "a.wav", 16000)


def test_nothing_is_resampled_at_its_own_rate() -> None:
    sound = tone(440.0, 0.1)
    assert resample(sound, 22050, 22050) is sound


@pytest.mark.parametrize(("seconds", "n_windows"), [(1.0, 1), (4.0, 1), (8.0, 3), (9.9, 3)])
def test_windows_are_of_four_seconds_two_apart_and_at_least_one(
    seconds: float, n_windows: int
) -> None:
    sound = np.arange(round(seconds * 100), dtype=np.float32)
    windows = cut_windows(sound, 100)
    assert windows.shape == (n_windows, 400)
    np.testing.assert_array_equal(windows[:, 0], 200 * np.arange(n_windows))
