"""One correction: the same song is known again, and songs like it are helped, others not."""

import numpy as np
import pytest

from rtgenre.learning.examples import OTHER, Examples
from rtgenre.learning.taught.memory import SongMemory
from rtgenre.learning.taught.stretch import TaughtStretch
from rtgenre.types import Prediction
from tests.helper_threads import helpers_are_idle

LABELS = ("jazz", "rock", "techno")
SIZE = 256
UNSURE_ROCK = np.array([0.35, 0.6, 0.05], np.float32)


# Nearly at right angles. Jazz lies around the first one, rock around the second, other music around
# the third.
DIRECTIONS = np.random.default_rng(5).normal(size=(10, SIZE)).astype(np.float32)


def sound(index, other=None, cosine=1.0):
    """Return an embedding in a direction, or at an angle to it that leans to another."""
    if other is None:
        return DIRECTIONS[index]
    return cosine * DIRECTIONS[index] + np.sqrt(1 - cosine**2) * DIRECTIONS[other]


def taught(genre, embedding, *, ended_at=4.0):
    return TaughtStretch("den", 0.0, ended_at, genre, embedding[None], np.zeros((1, 0), np.float32))


def remembered(*stretches):
    kinds = np.array([0, 1, 2] * 100)
    embeddings = DIRECTIONS[kinds] + np.random.default_rng(6).normal(size=(300, SIZE))
    embeddings -= embeddings.mean(axis=0)
    labels = np.array([0, 1, OTHER])[kinds]
    index = np.arange(300)
    examples = Examples(embeddings.astype(np.float32), labels, index, index)
    return SongMemory.of(examples, stretches, LABELS)


@pytest.fixture
def memory():
    return remembered(taught("jazz", sound(7)))


def heard(embedding, *, familiar=0.9, probabilities=UNSURE_ROCK):
    return Prediction(probabilities, music=0.9, familiar=familiar, embedding=embedding)


def test_the_same_song_is_what_it_was_said_to_be_whatever_the_network_says(memory):
    found = memory.apply(heard(sound(7, 8, 0.8), probabilities=np.array([0, 1, 0], np.float32)))
    assert found.probabilities[0] == pytest.approx(1.0)
    assert found.familiar == pytest.approx(1.0)


@pytest.mark.parametrize("first", ["jazz", "rock"])
def test_what_was_said_last_of_a_song_counts_not_half_of_each(first):
    last = {"jazz": "rock", "rock": "jazz"}[first]
    exactly, shifted = sound(7), sound(7, 8, 0.85)
    memory = remembered(taught(last, shifted, ended_at=90.0), taught(first, exactly, ended_at=60.0))
    found = memory.apply(heard(exactly))
    assert found.probabilities[LABELS.index(last)] == pytest.approx(1.0)


def test_another_song_that_was_taught_since_takes_nothing_from_this_one():
    memory = remembered(
        taught("jazz", sound(7), ended_at=60.0), taught("rock", sound(7, 8, 0.7), ended_at=90.0)
    )
    found = memory.apply(heard(sound(7)))
    assert found.probabilities[LABELS.index("jazz")] == pytest.approx(1.0)


def test_a_song_like_it_is_more_likely_of_its_genre(memory):
    like, more_like = (memory.apply(heard(sound(7, 8, cosine))) for cosine in (0.3, 0.42))
    assert 0.35 < like.probabilities[0] < more_like.probabilities[0]
    assert more_like.probabilities.argmax() == 0
    assert like.probabilities.sum() == pytest.approx(1.0)
    # It is of a genre, and so no unknown music.
    assert like.familiar > 0.9


def test_a_song_that_is_as_much_like_known_music_of_another_genre_stays_what_it_was(memory):
    before = heard(sound(7, 1, 0.3))
    assert memory.apply(before) is before


def test_a_song_that_is_unlike_it_stays_what_it_was_to_the_last_digit(memory):
    before = heard(sound(9))
    assert memory.apply(before) is before


def test_music_of_no_genre_that_is_like_it_becomes_familiar(memory):
    found = memory.apply(heard(sound(7, 8, 0.42), familiar=0.1))
    assert found.familiar > 0.3
    assert 0.0 <= found.familiar <= 1.0


@pytest.mark.parametrize("familiar", [0.0, 1.0])
def test_certainty_of_the_network_gives_no_nonsense(memory, familiar):
    found = memory.apply(heard(sound(7, 8, 0.42), familiar=familiar))
    assert found.familiar == familiar
    assert np.isfinite(found.probabilities).all()


def test_an_example_of_one_genre_alone_rivals_nothing():
    index = np.arange(3)
    examples = Examples(np.eye(3, SIZE, dtype=np.float32), np.zeros(3, np.int64), index, index)
    memory = SongMemory.of(examples, [taught("jazz", sound(7))], LABELS)
    assert memory.apply(heard(sound(7))).probabilities[0] > 0.9


def test_a_memory_wakes_no_helper_threads_in_a_program_of_somebody_elses():
    setup = """
import numpy as np
from rtgenre.learning.taught.memory import SongMemory
from rtgenre.types import Prediction
near, far = np.eye(2, 128, dtype=np.float32)
labels = np.zeros(6000, dtype=np.int64)
known = np.tile(far, (6000, 1))
memory = SongMemory(near * 0, near * 0 + 1, near[None], labels[:1], known, labels)
heard = Prediction(np.ones(2, np.float32) / 2, 0.9, 0.9, near)
"""
    assert helpers_are_idle(setup, "memory.apply(heard)")
