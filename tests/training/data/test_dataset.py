from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rtgenre.model.features import log_mel_spectrogram
from tests.training.conftest import make_track, tone
from training.data.audio import spectrogram
from training.data.dataset import (
    FEATURES,
    DatasetError,
    Track,
    cut_window,
    from_decibels,
    genre_indices,
    load_tracks,
    rereference,
    save_tracks,
    stack_windows,
    to_decibels,
    window_starts,
    windows_of,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_tracks_come_back_as_they_were_saved(tmp_path: Path) -> None:
    saved = [make_track("low", 1), make_track("high", 0)]
    save_tracks(tmp_path, "train", saved)

    loaded = load_tracks(tmp_path, "train")

    assert [track.name for track in loaded] == ["high.00000", "low.00001"]
    assert [track.genre for track in loaded] == ["high", "low"]
    np.testing.assert_array_equal(loaded[1].columns, saved[0].columns)


def test_a_dataset_without_tracks_csv_knows_genres_but_no_artists(dataset: Path) -> None:
    tracks = load_tracks(dataset, "valid")

    assert {track.genre for track in tracks} == {"high", "low", "middle"}
    assert {track.artist for track in tracks} == {None}


def test_artists_are_read_where_tracks_csv_names_them(dataset: Path) -> None:
    (dataset / "tracks.csv").write_text(
        "track,genre,split,artist\nlow.00000,low,valid,Ann\nlow.00001,low,valid,\n",
        encoding="utf-8",
    )

    artists = {track.name: track.artist for track in load_tracks(dataset, "valid")}

    assert artists["low.00000"] == "Ann"
    assert artists["low.00001"] is None
    assert artists["high.00000"] is None


def test_a_missing_split_is_an_error_that_names_those_found(dataset: Path) -> None:
    with pytest.raises(DatasetError, match=r"no mel_test\.npz; splits found: valid"):
        load_tracks(dataset, "test")


@pytest.mark.parametrize("columns", [np.zeros((10, 96), np.uint8), np.zeros((10, 128), np.float32)])
def test_arrays_of_another_shape_or_type_are_refused(tmp_path: Path, columns: np.ndarray) -> None:
    np.savez(tmp_path / "mel_train.npz", **{"low.00000": columns})

    with pytest.raises(DatasetError, match=r"low\.00000 is .* \(n_columns, 128\) is needed"):
        load_tracks(tmp_path, "train")


def test_a_damaged_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "mel_train.npz").write_bytes(b"not a zip file")

    with pytest.raises(DatasetError, match=r"mel_train\.npz cannot be read"):
        load_tracks(tmp_path, "train")


def test_bytes_mean_the_decibels_that_the_layout_says() -> None:
    levels = np.array([[0, 128, 255]], dtype=np.uint8)

    np.testing.assert_allclose(to_decibels(levels), [[-80.0, 128 * 80 / 255 - 80, 0.0]], atol=1e-5)
    np.testing.assert_array_equal(from_decibels(to_decibels(levels)), levels)


def test_every_window_is_relative_to_its_own_loudest_bin() -> None:
    columns = np.full((200, FEATURES.n_mels), 100, dtype=np.uint8)
    columns[150:] = 255

    quiet = cut_window(columns, 0)

    assert quiet.shape == (FEATURES.n_frames, FEATURES.n_mels)
    assert quiet.max() == 0.0
    np.testing.assert_array_equal(quiet, 0.0)


def test_rereferencing_keeps_the_dynamic_range() -> None:
    decibels = np.array([[-10.0, -50.0, -95.0]], dtype=np.float32)

    np.testing.assert_allclose(rereference(decibels), [[0.0, -40.0, -80.0]])


def test_windows_start_every_two_seconds_and_lie_wholly_within_the_track() -> None:
    assert window_starts(721) == list(range(0, 625, 48))
    assert window_starts(FEATURES.n_frames) == [0]
    assert window_starts(FEATURES.n_frames - 1) == []


def test_a_window_from_a_dataset_equals_what_the_live_front_end_computes() -> None:
    waveform = tone(900.0, 8.0)
    start = 48 * FEATURES.hop_length
    live = log_mel_spectrogram(waveform[start : start + FEATURES.window_samples], FEATURES)

    stored = windows_of(spectrogram(waveform))[1]

    # One of 256 levels is 0.31 dB; rounding twice moves a value by less than that.
    loud = live > -60.0
    np.testing.assert_allclose(stored[loud], live[loud], atol=0.32)


def test_stacked_windows_know_their_tracks() -> None:
    tracks = [make_track("low", 0, seconds=8.0), make_track("high", 0, seconds=4.5)]

    windows = stack_windows(tracks)

    assert windows.features.dtype == np.float32
    assert windows.track_index.tolist() == [0, 0, 0, 1]


def test_tracks_too_short_for_any_window_are_an_error() -> None:
    short = Track("low.00000", "low", None, np.zeros((50, FEATURES.n_mels), np.uint8))

    with pytest.raises(DatasetError, match="none of 1 tracks has the 95 columns"):
        stack_windows([short])


def test_a_genre_that_the_model_does_not_know_is_an_error() -> None:
    with pytest.raises(DatasetError, match="tracks of low were found; allowed: high, middle"):
        genre_indices([make_track("low", 0)], ["high", "middle"])
