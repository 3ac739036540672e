"""How well a genre is learnt from a few songs, and what that costs the others.

    python -m training.few_shot --model crnn

leaves one genre at a time out of a model's examples and learns it again from 3, 5, 10, 20 and all
songs of artists that do not judge (five folds of artists). What knows the genre that is left out
cannot take part: the network's verdicts are replaced by what embeddings tell, and the embedding's
principal components, whose order says which values count, are found anew in what is left. So the
figures are those of ``rtgenre.learning`` for a genre that a model has never heard.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.errors import RtgenreError
from rtgenre.learning.examples import OTHER, Examples
from rtgenre.learning.fitting import Ground, Taught, fit_head, lay_ground, what_examples_say
from rtgenre.learning.folds import N_FOLDS, folds_of_examples
from rtgenre.tracking.evidence import log_probabilities
from training.scoring.figures import examples_of, figures_parser, tell_figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from rtgenre.learning.examples import IntArray
    from rtgenre.types import FloatArray

GENRES = ("reggae", "country", "hiphop", "metal")
N_SONGS = (3, 5, 10, 20, 1000)
N_DRAWS = 3
_TITLE = "Recall (precision) of a genre that was left out and learnt again from so many songs:"


@dataclass(frozen=True, slots=True)
class FewShot:
    """What became of the songs that judge, after a genre was learnt."""

    genre: str
    n_songs: int
    recall: float
    """Share of its songs that are called by its name."""
    precision: float
    """Share of the songs called by its name that are of it."""
    points_lost: float
    """Percentage points of accuracy among the other genres."""


def few_shot(
    examples: Examples,
    labels: Sequence[str],
    genres: Sequence[str] = GENRES,
    n_songs: Sequence[int] = N_SONGS,
    n_draws: int = N_DRAWS,
    *,
    disturbed: bool = False,
) -> Iterator[FewShot]:
    """Learn genres again from few songs.

    Args:
        examples: of a model.
        labels: the model's genres.
        genres: which are left out, one at a time.
        n_songs: from how many songs each is learnt.
        n_draws: how often songs are drawn; where there are no more, once.
        disturbed: songs are learnt and judged through rooms, loudspeakers and noise.
    """
    for genre in genres:
        left_out = labels.index(genre)
        counts = np.zeros((len(n_songs), 5))
        for fold, (ground, pool, judges) in enumerate(
            _folds(examples, len(labels), left_out, disturbed=disturbed)
        ):
            before = _verdicts(ground, None, judges)
            for row, n in enumerate(n_songs):
                for draw in range(n_draws if n < 1000 else 1):
                    taught = drawn(pool, n, seed=100 * fold + draw)
                    counts[row] += _count(ground, taught, judges, before)
        for row, n in enumerate(n_songs):
            hits, of_genre, named, lost, others = counts[row]
            yield FewShot(genre, n, hits / of_genre, hits / max(named, 1), 100.0 * lost / others)


def _folds(
    examples: Examples, n_labels: int, left_out: int, *, disturbed: bool
) -> Iterator[tuple[Ground, Examples, Examples]]:
    """Yield what is known without a genre, its songs to draw from, and the songs that judge."""
    others = np.delete(np.arange(n_labels), left_out)
    numbers = np.full(OTHER + 1, OTHER)
    numbers[others], numbers[left_out] = np.arange(n_labels - 1), n_labels - 1
    numbered = replace(examples, labels=numbers[examples.labels])
    fold_of = folds_of_examples(examples)
    mine = numbered.labels == n_labels - 1
    for fold in range(N_FOLDS):
        judging = fold_of == fold
        known = ~judging & ~mine
        as_it_is = examples.as_it_is
        heard = ~as_it_is if disturbed else as_it_is
        turned = replace(numbered, embeddings=turned_to(numbered.embeddings, known & as_it_is))
        yield (
            lay_ground(turned.select(known), n_labels - 1),
            turned.select(~judging & mine & heard),
            turned.select(judging & (numbered.labels != OTHER) & heard),
        )


def turned_to(embeddings: FloatArray, known: NDArray[np.bool_]) -> FloatArray:
    """Turn embeddings to the principal components of the windows that are known.

    Their spread was evened out half-way, see ``training.networks.embedding``: that is undone first.
    """
    values = embeddings * embeddings[known].std(axis=0)
    centred = values[known] - values[known].mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    return np.asarray(values @ directions[:, ::-1], np.float32)


def drawn(pool: Examples, n: int, seed: int) -> Examples:
    """Draw songs, of as many artists as possible."""
    songs, first = np.unique(pool.recordings, return_index=True)
    order = np.random.default_rng(seed).permutation(len(songs))
    groups = pool.groups[first][order]
    nth_of_artist = np.array([np.sum(groups[:at] == one) for at, one in enumerate(groups)])
    chosen = order[np.argsort(nth_of_artist, kind="stable")][:n]
    return pool.select(np.isin(pool.recordings, songs[chosen]))


def _count(ground: Ground, taught: Examples, judges: Examples, before: IntArray) -> IntArray:
    """Count hits, songs of the genre, songs called by its name, others lost, others."""
    said = what_examples_say(ground, taught)
    after = _verdicts(ground, Taught(taught, said), judges)
    truth = _truth(judges)
    mine = truth == ground.n_labels
    lost = np.sum((before == truth)[~mine]) - np.sum((after == truth)[~mine])
    named = after == ground.n_labels
    return np.array([np.sum(named & mine), mine.sum(), named.sum(), lost, np.sum(~mine)])


def _truth(judges: Examples) -> IntArray:
    _, first = np.unique(judges.recordings, return_index=True)
    return judges.labels[first]


def _verdicts(ground: Ground, taught: Taught | None, judges: Examples) -> IntArray:
    """Say what each song is, by the mean log-probability of its windows."""
    said = what_examples_say(ground, judges)
    shares: FloatArray = said
    if taught is not None:
        head = fit_head(ground, taught, n_new=1)
        shares = head.log_shares(judges.embeddings, said)
    genres = np.exp(np.delete(shares, ground.n_labels, axis=1))
    windows = log_probabilities(genres / genres.sum(axis=1, keepdims=True))
    songs, song = np.unique(judges.recordings, return_inverse=True)
    sums = np.zeros((len(songs), windows.shape[1]))
    np.add.at(sums, song, windows)
    return np.asarray(sums.argmax(axis=1), np.int64)


def table(found: Sequence[FewShot]) -> str:
    """Write figures as a table in Markdown: recall, precision and points lost of each genre."""
    genres = list(dict.fromkeys(one.genre for one in found))
    lines = [
        f"| songs | {' | '.join(genres)} | mean recall | points lost |",
        f"|---|{'---|' * (len(genres) + 2)}",
    ]
    for n in dict.fromkeys(one.n_songs for one in found):
        row = [one for one in found if one.n_songs == n]
        cells = [f"{one.recall:.2f} ({one.precision:.2f})" for one in row]
        recall = np.mean([one.recall for one in row])
        lost = np.mean([one.points_lost for one in row])
        name = "all" if n >= 1000 else str(n)
        lines.append(f"| {name} | {' | '.join(cells)} | {recall:.2f} | {lost:.2f} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = figures_parser("training.few_shot", __doc__)
    parser.add_argument("--genres", nargs="+", default=GENRES, help="which are left out")
    parser.add_argument(
        "--disturbed", action="store_true", help="songs are heard through rooms and noise"
    )
    options = parser.parse_args(arguments)
    try:
        examples, labels = examples_of(options.model, options.genres)
    except RtgenreError as error:
        raise SystemExit(f"error: {error}") from error
    tell_figures(
        few_shot(examples, labels, options.genres, disturbed=options.disturbed),
        line=lambda one: f"{one.genre}, {one.n_songs} songs: {one.recall:.3f}",
        table=lambda found: f"{_TITLE}\n\n{table(found)}",
        as_json=options.json,
    )


if __name__ == "__main__":
    main()
