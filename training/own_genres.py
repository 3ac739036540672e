"""How well music that is none of one's own genres is told, where only those were learnt.

    python -m training.own_genres --model crnn

learns pairs of genres in place of all others, as ``rtgenre learn`` does without ``--keep``, from
5, 20 and all songs, and judges songs by artists that were not learnt from: those of the pair, which
should not be called unfamiliar, and those of all other genres, which should. As in
``training.few_shot``, neither genre takes part in what says which values of an embedding count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import roc_auc_score

from rtgenre.errors import RtgenreError
from rtgenre.learning.cross_validation import Validation, cross_validate, learn_all
from rtgenre.learning.examples import OTHER, Examples
from rtgenre.learning.folds import N_FOLDS, folds_of_examples
from rtgenre.learning.lesson import Lesson, Song
from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.tracking.verdict import track_verdict
from rtgenre.types import Prediction, UnknownReason
from training.few_shot import GENRES, drawn, turned_to
from training.scoring.figures import examples_of, figures_parser, tell_figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rtgenre.model.head import Head

N_SONGS = (5, 20, 1000)


@dataclass(frozen=True, slots=True)
class OwnGenres:
    """What became of the songs that judge, after two genres were learnt alone."""

    genres: tuple[str, str]
    n_songs: int
    own_unfamiliar: float
    """Share of the songs of these genres that were called unfamiliar."""
    other_unfamiliar: float
    """Share of the songs of all others that were."""
    auroc: float
    """How well songs of these genres rank before others by how familiar they are."""


def own_genres(
    examples: Examples,
    labels: Sequence[str],
    genres: Sequence[str] = GENRES,
    n_songs: Sequence[int] = N_SONGS,
) -> Iterator[OwnGenres]:
    """Learn each pair of some genres in place of all that a model knows.

    Args:
        examples: of a model.
        labels: the model's genres.
        genres: which pairs are made of.
        n_songs: from how many songs of each genre.
    """
    fold_of = folds_of_examples(examples)
    for number, pair in enumerate(combinations(genres, 2)):
        own = [labels.index(genre) for genre in pair]
        judging, mine = fold_of == number % N_FOLDS, np.isin(examples.labels, own)
        known, as_it_is = ~judging & ~mine, examples.as_it_is
        turned = replace(examples, embeddings=turned_to(examples.embeddings, known & as_it_is))
        judges = songs_of(turned.select(judging & as_it_is), labels)
        for n in n_songs:
            pools = [turned.select(~judging & as_it_is & (turned.labels == one)) for one in own]
            songs = [song for pool in pools for song in songs_of(drawn(pool, n, number), labels)]
            head = _learnt(Lesson(tuple(songs), ()), _renumbered(turned.select(known)))
            yield _judged(pair, n, head, judges)


def songs_of(examples: Examples, labels: Sequence[str]) -> list[Song]:
    """Take examples for songs of a lesson; of other music the genre is empty."""
    songs = []
    for recording in np.unique(examples.recordings):
        mine = examples.select(examples.recordings == recording)
        label, nothing = int(mine.labels[0]), np.full(len(labels), 1.0 / len(labels), np.float32)
        songs.append(
            Song(
                name=str(recording),
                genre="" if label == OTHER else labels[label],
                artist=str(mine.groups[0]),
                predictions=tuple(Prediction(nothing, 1.0, 1.0, one) for one in mine.embeddings),
            )
        )
    return songs


def _renumbered(known: Examples) -> Examples:
    """Number the labels anew where some have no examples."""
    numbers = np.full(OTHER + 1, OTHER)
    others = np.unique(known.labels[known.labels != OTHER])
    numbers[others] = np.arange(len(others))
    return replace(known, labels=numbers[known.labels])


def _learnt(lesson: Lesson, known: Examples) -> Head:
    """Learn as the command does."""
    n_labels = int(known.labels[known.labels != OTHER].max()) + 1
    *_, validation = cross_validate(lesson, known, n_labels)
    if not isinstance(validation, Validation):
        raise TypeError("a cross-validation ends with its outcome")
    return learn_all(lesson, known, n_labels, validation)


def _judged(pair: tuple[str, str], n: int, head: Head, judges: Sequence[Song]) -> OwnGenres:
    verdicts = [
        track_verdict(head.apply(song.predictions), TrackerParams(), n_labels=2) for song in judges
    ]
    is_own = np.array([song.genre in pair for song in judges])
    unfamiliar = np.array([one.reason is UnknownReason.UNFAMILIAR for one in verdicts])
    familiar = [one.familiar for one in verdicts]
    return OwnGenres(
        pair,
        n,
        own_unfamiliar=float(unfamiliar[is_own].mean()),
        other_unfamiliar=float(unfamiliar[~is_own].mean()),
        auroc=float(roc_auc_score(is_own, familiar)),
    )


def table(found: Sequence[OwnGenres]) -> str:
    """Write the means over pairs as a table in Markdown, and the worst pair's own songs."""
    lines = [
        "| songs of each | own music called unfamiliar (worst pair) | other music | AUROC |",
        "|---|---|---|---|",
    ]
    for n in dict.fromkeys(one.n_songs for one in found):
        row = [one for one in found if one.n_songs == n]
        own = [one.own_unfamiliar for one in row]
        other = np.mean([one.other_unfamiliar for one in row])
        lines.append(
            f"| {'all' if n >= 1000 else n} | {np.mean(own):.1%} ({max(own):.1%}) "
            f"| {other:.0%} | {np.mean([one.auroc for one in row]):.2f} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = figures_parser("training.own_genres", __doc__).parse_args(arguments)
    try:
        examples, labels = examples_of(options.model, GENRES)
    except RtgenreError as error:
        raise SystemExit(f"error: {error}") from error
    tell_figures(
        own_genres(examples, labels),
        line=lambda one: f"{' and '.join(one.genres)}, {one.n_songs} songs: {one.auroc:.3f}",
        table=table,
        as_json=options.json,
    )


if __name__ == "__main__":
    main()
