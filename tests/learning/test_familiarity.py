"""Music that is none of one's own genres is told as such, and own music is not."""

from dataclasses import replace

import numpy as np
import pytest

from rtgenre.learning.cross_validation import cross_validate
from rtgenre.learning.familiarity import told_apart
from rtgenre.learning.fitting import lay_ground
from rtgenre.learning.lesson import Lesson
from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.tracking.verdict import track_verdict
from rtgenre.types import UnknownReason
from tests.learning.songs import LABELS, examples, song


def learnt(n_songs):
    """Learn two genres in place of the known ones, as the command does."""
    songs = [song(genre, seed) for genre in ("techno", "folk") for seed in range(n_songs)]
    lesson, known = Lesson(tuple(songs), ()), examples()
    *_, validation = cross_validate(lesson, known, len(LABELS))
    head = lesson.fit(lay_ground(known, len(LABELS)))
    return told_apart(head, validation.energies, validation.n_artists, known.embeddings), validation


def share_unfamiliar(head, songs):
    verdicts = [
        track_verdict(head.apply(one.predictions), TrackerParams(), n_labels=2) for one in songs
    ]
    return np.mean([one.reason is UnknownReason.UNFAMILIAR for one in verdicts])


@pytest.mark.parametrize("n_songs", [5, 30])
def test_other_music_is_unfamiliar_and_hardly_any_song_of_the_own_genres(n_songs):
    head, validation = learnt(n_songs)
    own = [song(genre, 500 + seed) for genre in ("techno", "folk") for seed in range(50)]
    other = [song(genre, 500 + seed) for genre in ("polka", "gospel", "rock") for seed in range(30)]
    assert share_unfamiliar(head, own) <= 0.05
    assert share_unfamiliar(head, other) >= 0.7
    judged = [one.reason is UnknownReason.UNFAMILIAR for one in validation.verdicts]
    assert np.mean(judged) <= 0.1


def test_few_artists_make_the_limit_more_careful():
    head, validation = learnt(10)
    known = examples().embeddings
    limits = [
        told_apart(head, validation.energies, n_artists, known).familiar_energies[0]
        for n_artists in (4, 20, 1000)
    ]
    assert limits == sorted(limits)
    assert limits[0] < limits[-1]


def test_a_loud_and_a_shy_head_have_the_same_limit():
    head, validation = learnt(10)
    known = examples().embeddings
    shy = replace(head, bias=head.bias + 3.0)
    one, other = (
        told_apart(each, validation.energies, validation.n_artists, known) for each in (head, shy)
    )
    np.testing.assert_allclose(other.familiar_energies, one.familiar_energies + 3.0, atol=1e-3)


def test_songs_that_fit_alike_leave_room_between_the_limit_and_the_usual():
    head, _ = learnt(5)
    alike = [np.full(6, 2.0)] * 5
    limit, usual = told_apart(head, alike, 5, examples().embeddings).familiar_energies
    assert limit < usual


def test_the_median_of_the_own_music_is_the_usual():
    head, _ = learnt(5)
    known = examples().embeddings
    energies = head.energies(known)
    songs = [np.linspace(-4.0, 4.0, 101)]
    _, usual = told_apart(head, songs, 5, known).familiar_energies
    assert usual == pytest.approx(energies.mean(), abs=1e-3)
