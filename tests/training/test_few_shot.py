"""What a genre of few songs is said to reach."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.learning import fitting
from rtgenre.learning.examples import OTHER, Examples
from training import few_shot

if TYPE_CHECKING:
    import pytest

LABELS = ("left", "right", "up")
N_ARTISTS = 10
N_WINDOWS = 4


def _examples(apart: float) -> Examples:
    """Make songs of three genres and of other music, each genre ``apart`` in a direction of its."""
    rng = np.random.default_rng(1)
    genre, artist = np.divmod(np.repeat(np.arange(4 * N_ARTISTS), N_WINDOWS), N_ARTISTS)
    values = rng.normal(size=(len(genre), 16)).astype(np.float32)
    values[np.arange(len(genre)), genre] += apart
    recordings = genre * N_ARTISTS + artist
    return Examples(values, np.where(genre == 3, OTHER, genre), recordings, recordings)


def test_a_genre_that_is_plain_to_hear_is_learnt_and_costs_the_others_nothing() -> None:
    (found,) = few_shot.few_shot(_examples(apart=6.0), LABELS, ["up"], n_songs=[5], n_draws=1)

    assert (found.genre, found.n_songs) == ("up", 5)
    assert found.recall > 0.9
    assert found.precision > 0.9
    assert found.points_lost < 5.0


def test_a_genre_that_sounds_like_the_others_is_not_said_to_be_told_apart() -> None:
    (found,) = few_shot.few_shot(_examples(apart=0.0), LABELS, ["up"], n_songs=[5], n_draws=1)

    assert found.precision < 0.5
    assert found.points_lost > 5.0


def test_nothing_of_the_genre_that_is_left_out_says_which_values_count() -> None:
    examples = _examples(apart=6.0)
    louder = examples.embeddings.copy()
    mine = examples.labels == LABELS.index("up")
    # Whatever the genre is like, what is known must be turned alike.
    louder[mine] += 100.0 * np.eye(16, dtype=np.float32)[7]
    known = ~mine

    turned = few_shot.turned_to(examples.embeddings, known)[known]
    again = few_shot.turned_to(louder, known)[known]

    np.testing.assert_allclose(np.abs(turned), np.abs(again), rtol=1e-3, atol=1e-3)


def _in_a_room(examples: Examples) -> Examples:
    """Put the same windows behind them as a room shows them: all moved alike."""
    moved = examples.embeddings + 6.0 * np.eye(16, dtype=np.float32)[9]
    twice = (np.tile(one, 2) for one in (examples.labels, examples.groups, examples.recordings))
    disturbed = np.repeat([False, True], len(examples))
    return Examples(np.concatenate([examples.embeddings, moved]), *twice, disturbed)


def test_examples_heard_in_rooms_keep_a_genre_that_is_learnt_there_from_taking_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    examples = _in_a_room(_examples(apart=6.0))

    def learnt_in_a_room() -> few_shot.FewShot:
        (found,) = few_shot.few_shot(examples, LABELS, ["up"], [5], 1, disturbed=True)
        return found

    with_them = learnt_in_a_room()
    monkeypatch.setattr(fitting, "DISTURBED_WEIGHT", 0.0)
    without = learnt_in_a_room()

    assert with_them.recall > 0.9
    assert without.points_lost > 50.0
    assert with_them.points_lost < without.points_lost / 2


def test_the_table_names_songs_recall_and_what_is_lost() -> None:
    one = few_shot.FewShot("up", 5, recall=0.5, precision=0.75, points_lost=0.25)

    text = few_shot.table([one, replace(one, n_songs=1000)])

    assert "| 5 | 0.50 (0.75) | 0.50 | 0.25 |" in text
    assert "| all | 0.50 (0.75) | 0.50 | 0.25 |" in text
