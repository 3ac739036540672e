from dataclasses import replace

import numpy as np
import pytest

from rtgenre.learning.fitting import lay_ground
from rtgenre.learning.lesson import Lesson
from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.tracking.verdict import track_verdict
from tests.learning.songs import LABELS, examples, song


@pytest.fixture(scope="module")
def ground():
    return lay_ground(examples(), len(LABELS))


def named(head, labels, one):
    verdict = track_verdict(head.apply(one.predictions), TrackerParams(), n_labels=len(labels))
    return None if verdict.genre_index is None else labels[verdict.genre_index]


def test_a_genre_is_learnt_from_five_songs_and_the_others_stay_what_they_were(ground):
    lesson = Lesson(tuple(song("techno", seed) for seed in range(5)), LABELS)
    head = lesson.fit(ground)
    assert [named(head, lesson.labels, song("techno", 50 + seed)) for seed in range(20)] == [
        "techno"
    ] * 20
    for genre in LABELS:
        found = [named(head, lesson.labels, song(genre, 50 + seed)) for seed in range(10)]
        assert found == [genre] * 10


def test_music_that_the_network_did_not_know_is_familiar_once_its_genre_is_learnt(ground):
    lesson = Lesson(tuple(song("techno", seed) for seed in range(5)), LABELS)
    (before,), (after,) = (
        song("techno", 60).predictions[:1],
        lesson.fit(ground).apply(song("techno", 60).predictions[:1]),
    )
    assert before.familiar == pytest.approx(0.4)
    assert after.familiar > 0.9


def test_songs_in_a_known_genre_s_folder_move_that_genre(ground):
    odd = [song("jazz", seed, sounds_like="dixieland") for seed in range(8)]
    lesson = Lesson(tuple(odd), LABELS)
    head = lesson.fit(ground)
    assert lesson.labels == LABELS
    found = [
        named(head, LABELS, song("jazz", 70 + seed, sounds_like="dixieland")) for seed in range(10)
    ]
    assert found.count("jazz") >= 9
    assert named(head, LABELS, song("rock", 70)) == "rock"


def mistaken(seed):
    """Make jazz that the network takes for rock, though its embedding is that of jazz."""
    jazz, rock = song("jazz", seed), song("rock", seed)
    return replace(
        jazz,
        predictions=[
            replace(one, probabilities=other.probabilities, familiar=other.familiar)
            for one, other in zip(jazz.predictions, rock.predictions, strict=True)
        ],
    )


def test_what_the_network_gets_wrong_is_outweighed_though_the_embedding_was_right(ground):
    others = Lesson(tuple(song("jazz", seed) for seed in range(20)), LABELS)
    assert named(others.fit(ground), LABELS, mistaken(90)) == "rock"
    lesson = Lesson(tuple(mistaken(seed) for seed in range(20)), LABELS)
    head = lesson.fit(ground)
    assert [named(head, LABELS, mistaken(90 + seed)) for seed in range(10)].count("jazz") >= 9


def test_without_keep_only_the_new_genres_come_out(ground):
    lesson = Lesson(tuple(song(g, s) for g in ("techno", "folk") for s in range(4)), ())
    head = lesson.fit(ground)
    assert lesson.labels == ("folk", "techno")
    (found,) = head.apply(song("techno", 80).predictions[:1])
    assert found.probabilities.shape == (2,)
    assert found.probabilities.sum() == pytest.approx(1.0)
    assert named(head, lesson.labels, song("techno", 81)) == "techno"
    assert named(head, lesson.labels, song("folk", 81)) == "folk"


def test_a_song_counts_the_same_however_many_windows_it_has(ground):
    short = [song("techno", seed) for seed in range(3)]
    lesson = Lesson(tuple(short), LABELS)
    head = lesson.fit(ground)
    longer = tuple(
        song_.__class__(song_.name, song_.genre, song_.artist, song_.predictions * 3)
        for song_ in short
    )
    again = Lesson(longer, LABELS).fit(ground)
    np.testing.assert_allclose(head.kernel, again.kernel, atol=2e-2)
