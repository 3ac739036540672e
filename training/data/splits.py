"""Which tracks are for learning and which for judging; no artist is on both sides; pure."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from training.data.dataset import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Labelled(Protocol):
    """A track or a recording."""

    @property
    def name(self) -> str:
        """What it is called in lists."""

    @property
    def genre(self) -> str:
        """What it is labelled as."""

    @property
    def artist(self) -> str | None:
        """Who plays; None where nobody knows."""


GTZAN_PARTITION = Path(__file__).with_name("gtzan_partition.csv")
"""GTZAN's fault-filtered, artist-disjoint split by Kereliuk, Sturm and Larsen (2015), in track
names; with which the shipped models were made."""


def read_partition(path: Path) -> dict[str, str]:
    """Read which split each track belongs to, from a CSV with the columns ``track,split``.

    Raises:
        DatasetError: the file cannot be read, or has other columns.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return {row["track"]: row["split"] for row in rows}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"the partition {path} cannot be read: {error}") from error
    except KeyError as error:
        raise DatasetError(
            f"the partition {path} has no column {error}; it needs: track,split"
        ) from error


def split_by_artist(
    tracks: Sequence[Labelled], shares: Mapping[str, float], seed: int
) -> dict[str, str]:
    """Deal every genre's artists to splits, largest first, each to the split that lacks most.

    A track whose artist nobody knows counts as an artist of its own. An artist of several genres
    goes to one split with all of them.

    Args:
        tracks: what to split.
        shares: split to share of the tracks.
        seed: of the order among artists with equally many tracks.

    Returns:
        Track name to split.
    """
    of_artist = _deal(tracks, shares, seed)
    return {track.name: of_artist[_artist(track)] for track in tracks}


def artist_folds(tracks: Sequence[Labelled], n_folds: int, seed: int) -> list[int]:
    """Deal tracks to folds for cross-validation, every artist to one fold.

    Returns:
        The fold of each track, in ``[0, n_folds)``.

    Raises:
        DatasetError: there are too few artists, and a fold stays empty.
    """
    shares = {str(fold): 1.0 / n_folds for fold in range(n_folds)}
    of_artist = _deal(tracks, shares, seed)
    # By artist, not by name: two libraries may have tracks of one name.
    folds = [int(of_artist[_artist(track)]) for track in tracks]
    n_filled = len(set(folds))
    if n_filled < n_folds:
        raise DatasetError(
            f"the artists of {len(tracks)} tracks fill only {n_filled} folds of {n_folds}; "
            "cross-validation needs more music"
        )
    return folds


def _artist(track: Labelled) -> str:
    return track.artist or f"track {track.name}"


def _deal(tracks: Sequence[Labelled], shares: Mapping[str, float], seed: int) -> dict[str, str]:
    by_artist: dict[str, list[Labelled]] = defaultdict(list)
    for track in tracks:
        by_artist[_artist(track)].append(track)
    n_of_genre: dict[str, int] = defaultdict(int)
    for track in tracks:
        n_of_genre[track.genre] += 1
    dealt: dict[tuple[str, str], int] = defaultdict(int)
    of_artist = {}
    artists = np.random.default_rng(seed).permutation(sorted(by_artist))
    for artist in sorted(artists, key=lambda name: -len(by_artist[name])):
        genre = by_artist[artist][0].genre
        lacks = {
            split: share * n_of_genre[genre] - dealt[split, genre]
            for split, share in shares.items()
        }
        of_artist[artist] = split = max(lacks, key=lambda name: lacks[name])
        for track in by_artist[artist]:
            dealt[split, track.genre] += 1
    return of_artist
