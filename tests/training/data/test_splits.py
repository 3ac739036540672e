from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pytest

from training.data.dataset import FEATURES, DatasetError, Track
from training.data.splits import GTZAN_PARTITION, artist_folds, read_partition, split_by_artist

if TYPE_CHECKING:
    from pathlib import Path

EMPTY = np.zeros((1, FEATURES.n_mels), np.uint8)
SHARES = {"train": 0.6, "valid": 0.2, "test": 0.2}


def tracks_by(artists: dict[str, int], genre: str = "low") -> list[Track]:
    names = [artist for artist, count in artists.items() for _ in range(count)]
    return [
        Track(f"{genre}.{number:05d}", genre, artist or None, EMPTY)
        for number, artist in enumerate(names)
    ]


def test_no_artist_is_on_two_sides() -> None:
    tracks = tracks_by({"Ann": 7, "Bob": 5, "Cem": 4, "Dana": 3, "Eve": 3, "": 8})
    splits = split_by_artist(tracks, SHARES, seed=1)

    sides = defaultdict(set)
    for track in tracks:
        if track.artist:
            sides[track.artist].add(splits[track.name])

    assert all(len(splits) == 1 for splits in sides.values())


def test_an_artist_of_two_genres_is_not_on_two_sides_either() -> None:
    tracks = tracks_by({"Ann": 5, "Bob": 5}) + tracks_by({"Ann": 5, "Cem": 5}, genre="high")
    splits = split_by_artist(tracks, {"train": 0.5, "valid": 0.5}, seed=1)

    assert len({splits[track.name] for track in tracks if track.artist == "Ann"}) == 1


def test_every_track_is_dealt_and_shares_are_kept_where_artists_are_unknown() -> None:
    tracks = tracks_by({"": 50}) + tracks_by({"": 30}, genre="high")
    splits = split_by_artist(tracks, SHARES, seed=1)

    counts = Counter((track.genre, splits[track.name]) for track in tracks)

    assert counts["low", "train"] == 30
    assert counts["low", "valid"] == counts["low", "test"] == 10
    assert counts["high", "train"] == 18


def test_the_seed_decides_the_split() -> None:
    tracks = tracks_by({"": 40})

    first, again, other = (split_by_artist(tracks, SHARES, seed) for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_folds_keep_artists_together_and_are_of_about_one_size() -> None:
    tracks = tracks_by({"Ann": 4, "Bob": 4, "Cem": 4, "": 12})
    folds = artist_folds(tracks, 3, seed=1)

    assert Counter(folds) == {0: 8, 1: 8, 2: 8}
    assert (
        len({fold for fold, track in zip(folds, tracks, strict=True) if track.artist == "Ann"}) == 1
    )


def test_tracks_of_one_name_in_two_libraries_do_not_take_an_artist_to_two_folds() -> None:
    tracks = [*tracks_by({"Ann": 4, "Bob": 2, "": 2}), *tracks_by({"Cem": 3, "Dana": 3})]
    folds = artist_folds(tracks, 3, seed=1)
    sides = defaultdict(set)
    for fold, track in zip(folds, tracks, strict=True):
        sides[track.artist].add(fold)
    assert all(len(sides[artist]) == 1 for artist in ("Ann", "Bob", "Cem", "Dana"))


def test_too_few_artists_for_the_folds_are_an_error_not_an_empty_fold() -> None:
    with pytest.raises(DatasetError, match="of 8 tracks fill only 2 folds of 3"):
        artist_folds(tracks_by({"Ann": 4, "Bob": 4}), 3, seed=1)


def test_the_shipped_partition_is_the_fault_filtered_one() -> None:
    partition = read_partition(GTZAN_PARTITION)

    assert Counter(partition.values()) == {"train": 443, "valid": 197, "test": 290}
    assert len({name.split(".")[0] for name in partition}) == 10


def test_a_partition_without_its_columns_is_an_error_that_says_which(tmp_path: Path) -> None:
    path = tmp_path / "partition.csv"
    path.write_text("name,split\nlow.00000,train\n", encoding="utf-8")

    with pytest.raises(DatasetError, match="no column 'track'; it needs: track,split"):
        read_partition(path)


def test_a_missing_partition_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"partition .*nowhere\.csv cannot be read"):
        read_partition(tmp_path / "nowhere.csv")
