"""How well music that is none of one's own genres is said to be told."""

from __future__ import annotations

import numpy as np

from rtgenre.learning.examples import OTHER, Examples
from training import own_genres

LABELS = ("left", "right", "up", "down")
N_ARTISTS = 15
N_WINDOWS = 4


def _examples(apart: float) -> Examples:
    """Make songs of four genres and of other music, each genre ``apart`` in a direction of its."""
    rng = np.random.default_rng(1)
    genre, artist = np.divmod(np.repeat(np.arange(5 * N_ARTISTS), N_WINDOWS), N_ARTISTS)
    values = rng.normal(size=(len(genre), 16)).astype(np.float32)
    values[np.arange(len(genre)), genre] += apart
    recordings = genre * N_ARTISTS + artist
    return Examples(values, np.where(genre == 4, OTHER, genre), recordings, recordings)


def _found(apart: float) -> own_genres.OwnGenres:
    (found,) = own_genres.own_genres(_examples(apart), LABELS, ["left", "right"], n_songs=[12])
    return found


def test_other_music_that_is_plain_to_hear_is_told_and_own_music_is_not() -> None:
    found = _found(apart=8.0)

    assert found.auroc > 0.95
    assert found.other_unfamiliar > 0.7
    assert found.own_unfamiliar < 0.2


def test_music_that_sounds_all_alike_is_not_said_to_be_told_apart() -> None:
    found = _found(apart=0.0)

    assert found.auroc < 0.8
    assert found.other_unfamiliar < 0.5


def test_the_table_has_a_line_for_each_number_of_songs_with_the_worst_pair() -> None:
    ones = [
        own_genres.OwnGenres(("a", "b"), 5, 0.0, 0.4, 0.9),
        own_genres.OwnGenres(("a", "c"), 5, 0.1, 0.6, 0.8),
        own_genres.OwnGenres(("a", "b"), 1000, 0.0, 1.0, 1.0),
    ]

    lines = own_genres.table(ones).splitlines()

    assert lines[2] == "| 5 | 5.0% (10.0%) | 50% | 0.85 |"
    assert lines[3] == "| all | 0.0% (0.0%) | 100% | 1.00 |"
