"""How good what was learnt is on songs by artists that it was not learnt from; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.learning.examples import OTHER
from rtgenre.learning.familiarity import standard_energies, told_apart
from rtgenre.learning.fitting import lay_ground, what_examples_say
from rtgenre.learning.folds import N_FOLDS, deal_into_folds, folds_of_examples
from rtgenre.model.head import embeddings_of
from rtgenre.tracking.evidence import log_probabilities
from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.tracking.verdict import track_verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rtgenre.learning.examples import Examples, IntArray
    from rtgenre.learning.fitting import Ground
    from rtgenre.learning.lesson import Lesson
    from rtgenre.model.head import Head
    from rtgenre.tracking.verdict import TrackVerdict
    from rtgenre.types import FloatArray


@dataclass(frozen=True, slots=True)
class Validation:
    """What became of every song when songs by its artist were not learnt."""

    verdicts: tuple[TrackVerdict, ...]
    """Of each song of the lesson."""
    points_lost: float | None
    """Percentage points of accuracy that the known genres lose, on the model's own examples; None
    where they do not stay."""
    energies: tuple[FloatArray, ...]
    """Where they do not stay, of each song ``standard_energies`` of its windows; else empty."""
    n_artists: int
    """How many artists the songs are by, each song counted for itself where its genre has one."""


def cross_validate(lesson: Lesson, examples: Examples, n_labels: int) -> Iterator[int | Validation]:
    """Learn all songs but a fifth at a time, and judge those.

    Args:
        lesson: what is learnt.
        examples: of the model that it is learnt on.
        n_labels: how many genres that model has.

    Yields:
        How many of ``N_FOLDS`` are done, after each; then the outcome.
    """
    groups = _groups(lesson)
    folds = deal_into_folds(lesson.song_labels, groups)
    example_folds = folds_of_examples(examples)
    heads = []
    lost = judged = 0
    for fold in range(N_FOLDS):
        learnt = _learnt(lesson, folds, fold)
        mine = example_folds == fold
        ground = lay_ground(examples.select(~mine), n_labels)
        heads.append(lesson.fit(ground, learnt))
        if lesson.known:
            judging = mine & (examples.labels != OTHER) & examples.as_it_is
            judges = examples.select(judging)
            counts = _count_lost(ground, heads[-1], judges)
            lost, judged = lost + counts[0], judged + counts[1]
        yield fold + 1
    of_folds = list(zip(lesson.songs, folds.tolist(), strict=True))
    energies: tuple[FloatArray, ...] = ()
    n_artists = len(np.unique(groups))
    if not lesson.known:
        music = _music(examples)
        energies = tuple(
            standard_energies(heads[fold], embeddings_of(song.predictions), music)
            for song, fold in of_folds
        )
        heads = list(_told_apart(heads, folds, energies, n_artists, music))
    labels = lesson.labels
    yield Validation(
        verdicts=tuple(
            track_verdict(
                heads[fold].apply(song.predictions), TrackerParams(), n_labels=len(labels)
            )
            for song, fold in of_folds
        ),
        points_lost=100.0 * lost / judged if judged else None,
        energies=energies,
        n_artists=n_artists,
    )


def learn_all(lesson: Lesson, examples: Examples, n_labels: int, validation: Validation) -> Head:
    """Learn all songs; where known genres do not stay, say by the validation what is unfamiliar.

    Args:
        lesson: what is learnt.
        examples: of the model that it is learnt on.
        n_labels: how many genres that model has.
        validation: of the same lesson on the same examples.
    """
    head = lesson.fit(lay_ground(examples, n_labels))
    if lesson.known:
        return head
    return told_apart(head, validation.energies, validation.n_artists, _music(examples))


def genres_of_one_artist(lesson: Lesson) -> list[str]:
    """Name the genres whose songs are all by one artist: nothing says how others would fare."""
    return [
        genre
        for genre in dict.fromkeys(song.genre for song in lesson.songs)
        if len({song.artist for song in lesson.songs if song.genre == genre}) < 2
    ]


def _music(examples: Examples) -> FloatArray:
    """Give embeddings of music of all kinds, as it is."""
    return examples.embeddings[examples.as_it_is]


def _told_apart(
    heads: Sequence[Head],
    folds: IntArray,
    energies: Sequence[FloatArray],
    n_artists: int,
    music: FloatArray,
) -> Iterator[Head]:
    """Let each head say what is unfamiliar by the songs of the folds that it does not judge."""
    for fold, head in enumerate(heads):
        others = [energies[song] for song in np.flatnonzero(folds != fold).tolist()]
        yield told_apart(head, others, n_artists, music) if others else head


def _groups(lesson: Lesson) -> IntArray:
    """Number artists; songs of a genre that is all by one artist stand for themselves."""
    alone = set(genres_of_one_artist(lesson))
    names = [
        f"song {number}" if song.genre in alone else f"artist {song.artist}"
        for number, song in enumerate(lesson.songs)
    ]
    return np.asarray(np.unique(names, return_inverse=True)[1], np.int64)


def _learnt(lesson: Lesson, folds: IntArray, fold: int) -> IntArray:
    """Choose the songs of the other folds, and for a genre without any there its own."""
    learnt = folds != fold
    labels = lesson.song_labels
    for label in np.unique(labels):
        if not (learnt & (labels == label)).any():
            learnt |= labels == label
    return np.flatnonzero(learnt)


def _count_lost(ground: Ground, head: Head, judges: Examples) -> tuple[int, int]:
    """Count recordings that were right and no longer are, less those the other way; and all."""
    said = what_examples_say(ground, judges)
    _, first, recording = np.unique(judges.recordings, return_index=True, return_inverse=True)
    truth = judges.labels[first]
    right = [
        _likeliest(shares, recording, ground.n_labels) == truth
        for shares in (said, head.log_shares(judges.embeddings, said))
    ]
    return int(right[0].sum() - right[1].sum()), len(truth)


def _likeliest(shares: FloatArray, recording: IntArray, n_known: int) -> IntArray:
    """Say what recordings are, by the mean log-probability of their windows."""
    genres = np.exp(np.delete(shares, n_known, axis=1))
    windows = log_probabilities(genres / genres.sum(axis=1, keepdims=True))
    sums = np.zeros((int(recording.max()) + 1, windows.shape[1]))
    np.add.at(sums, recording, windows)
    return np.asarray(sums.argmax(axis=1), np.int64)
