"""From labelled windows to a head; pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.learning.distances import fit_distance
from rtgenre.learning.examples import OTHER, IntArray
from rtgenre.learning.regression import fit_coefficients
from rtgenre.model.head import Head, head_values, log_sum

if TYPE_CHECKING:
    from rtgenre.learning.examples import Examples
    from rtgenre.model.distance import GenreDistance
    from rtgenre.types import FloatArray

# Chosen by artists that were not learnt from: see training/README.md.
N_USED = 64
"""Values of an embedding that count: the last ones are noise to a genre of few songs."""
BASE_RIDGE = 100.0
RIDGE = 100.0
WITHIN_SONG_SHARE = 0.5
EVENNESS = 0.1
SPREAD_OF_GENRES = 0.1
MEAN_WEIGHT = 0.2
WINDOWS_OF_A_SONG = 4
MOST_LIFT, LIFT_PER_SONG = 2.9, 0.55
DISTURBED_WEIGHT = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """Windows of songs that are learnt."""

    examples: Examples
    """``labels`` counts the head's genres: kept ones first, then new ones."""
    said: FloatArray | None
    """``(n, n_kept + 1)``: what the network says of them, see ``model.head.log_verdicts``; None
    where nobody noted it."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What own genres are learnt on: the examples of a model, and what follows from them."""

    examples: Examples
    n_labels: int
    scale: FloatArray
    """``(n_used,)``, see ``model.head.head_values``."""
    distance: GenreDistance
    values: FloatArray
    """``(n, n_values)``, of the examples."""
    columns: IntArray
    """``(n,)``: genres, and other music behind them."""
    weights: FloatArray
    """``(n,)``: genres count by the root of their size."""
    coefficients: FloatArray
    """``(n_values + 1, n_labels + 1)``: of genres and other music, biases last."""
    centre: FloatArray
    """``(n_values,)``: mean of the genres' means."""
    between_songs: FloatArray
    """``(n_values, n_values)``: covariance of songs of one genre."""
    within_song: FloatArray
    """The same of windows of one song."""


def lay_ground(examples: Examples, n_labels: int) -> Ground:
    """Learn from a model's examples what it knows, as far as embeddings tell.

    Args:
        examples: at least one window of every genre.
        n_labels: how many genres there are.
    """
    scale = 1.0 / np.maximum(examples.embeddings.std(axis=0)[:N_USED], 1e-6)
    as_it_is = examples.as_it_is
    distance = fit_distance(examples.select(as_it_is), n_labels)
    values = head_values(examples.embeddings, scale.astype(np.float32), distance)
    columns = np.where(examples.labels == OTHER, n_labels, examples.labels)
    weights = _balanced(columns, n_labels + 1) * np.where(as_it_is, 1.0, DISTURBED_WEIGHT)
    weights = np.asarray(weights / weights.mean(), np.float32)
    nothing = np.zeros((values.shape[1] + 1, n_labels + 1), np.float32)
    found = fit_coefficients(values, columns, weights, nothing, ridge=BASE_RIDGE)
    between_songs, within_song, means = _spreads(
        values[as_it_is], columns[as_it_is], examples.recordings[as_it_is]
    )
    return Ground(
        examples=examples,
        n_labels=n_labels,
        scale=scale.astype(np.float32),
        distance=distance,
        values=values,
        columns=columns,
        weights=weights,
        coefficients=found - found.mean(axis=1, keepdims=True),
        centre=means.mean(axis=0),
        between_songs=between_songs,
        within_song=within_song,
    )


def fit_head(ground: Ground, taught: Taught, n_new: int) -> Head:
    """Learn songs on top of the genres that a model knows.

    Args:
        ground: what the model knows.
        taught: at least one window of each new genre.
        n_new: how many genres are new.
    """
    values = head_values(taught.examples.embeddings, ground.scale, ground.distance)
    columns = _columns(taught.examples.labels, ground.n_labels)
    n_base = ground.n_labels + 1
    means = _new_columns(ground, values, taught.examples, first_label=ground.n_labels, n_new=n_new)
    prior = np.concatenate([ground.coefficients, means], axis=1)
    weights = _weights(ground, columns, taught.examples.recordings)
    found = fit_coefficients(
        np.concatenate([ground.values, values]),
        np.concatenate([ground.columns, columns]),
        np.concatenate([ground.weights, weights]),
        prior,
        ridge=RIDGE,
        offsets=_offsets(ground, values, taught.said, n_new),
    )
    found[-1, n_base:] += _lifts(columns, taught.examples.recordings, n_base, n_new)
    corrections = np.concatenate(
        [found[:, :n_base] - ground.coefficients, found[:, n_base:]], axis=1
    )
    return Head(
        scale=ground.scale,
        kernel=corrections[:-1],
        bias=corrections[-1],
        base_kernel=ground.coefficients[:-1],
        base_bias=ground.coefficients[-1],
        **asdict(ground.distance),
    )


def fit_head_alone(ground: Ground, taught: Taught, n_new: int) -> Head:
    """Learn songs in place of the genres that a model knows: only the new ones come out."""
    values = head_values(taught.examples.embeddings, ground.scale, ground.distance)
    columns = taught.examples.labels
    prior = _new_columns(ground, values, taught.examples, first_label=0, n_new=n_new)
    weights = _per_song(columns, taught.examples.recordings, n_new)
    found = fit_coefficients(values, columns, weights, prior, ridge=RIDGE)
    return Head(
        scale=ground.scale,
        kernel=found[:-1],
        bias=found[-1],
        base_kernel=np.zeros((values.shape[1], 0), np.float32),
        base_bias=np.zeros(0, np.float32),
        **asdict(ground.distance),
    )


def what_examples_say(ground: Ground, examples: Examples) -> FloatArray:
    """Give in place of the network's verdicts what embeddings tell of them.

    Returns:
        ``(n, n_labels + 1)``, as ``model.head.log_verdicts``.
    """
    values = head_values(examples.embeddings, ground.scale, ground.distance)
    logits = values @ ground.coefficients[:-1] + ground.coefficients[-1]
    return np.asarray(logits - log_sum(logits), np.float32)


def _columns(labels: IntArray, n_kept: int) -> IntArray:
    """Make room for other music between the kept genres and the new ones."""
    return np.where(labels >= n_kept, labels + 1, labels)


def _balanced(columns: IntArray, n_columns: int) -> FloatArray:
    counts = np.maximum(np.bincount(columns, minlength=n_columns), 1)
    weights = 1.0 / np.sqrt(counts[columns])
    return np.asarray(weights / weights.mean(), np.float32)


def _spreads(
    values: FloatArray, columns: IntArray, recordings: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give how songs differ within a genre, windows within a song, and the genres' means."""
    kinds, kind = np.unique(columns, return_inverse=True)
    means = _means(values, kind, len(kinds))
    apart = values - means[kind]
    songs, song = np.unique(recordings, return_inverse=True)
    of_songs = _means(apart, song, len(songs))
    within = apart - of_songs[song]
    freedom = max(1, len(within) - len(songs))
    between = np.asarray(of_songs.T @ of_songs / len(songs), np.float32)
    return between, np.asarray(within.T @ within / freedom, np.float32), means


def _means(values: FloatArray, index: IntArray, n: int) -> FloatArray:
    sums = np.zeros((n, values.shape[1]), np.float32)
    np.add.at(sums, index, values)
    return np.asarray(sums / np.bincount(index, minlength=n)[:, None], np.float32)


def _new_columns(
    ground: Ground, values: FloatArray, taught: Examples, *, first_label: int, n_new: int
) -> FloatArray:
    """Guess the coefficients of new genres from the means of their songs alone.

    It is Fisher's discriminant, with the covariance of songs of the genres that the model knows,
    and a mean that few songs move only a little from the middle of all music.
    """
    spread = ground.between_songs + WITHIN_SONG_SHARE * ground.within_song
    even = np.trace(spread) / len(spread) * np.eye(len(spread))
    spread = (1.0 - EVENNESS) * spread + EVENNESS * even
    precision = np.linalg.inv(spread)
    guessed = np.zeros((values.shape[1] + 1, n_new), np.float32)
    for new in range(n_new):
        rows = taught.labels == first_label + new
        songs, song = np.unique(taught.recordings[rows], return_inverse=True)
        mean = _means(values[rows], song, len(songs)).mean(axis=0) - ground.centre
        noise = (ground.between_songs + ground.within_song / 6.0) / len(songs)
        prior = SPREAD_OF_GENRES * spread
        mean = ground.centre + prior @ np.linalg.solve(prior + noise, mean)
        guessed[:-1, new] = precision @ (mean - ground.centre)
        guessed[-1, new] = -0.5 * (
            mean @ precision @ mean - ground.centre @ precision @ ground.centre
        )
    return np.asarray(MEAN_WEIGHT * guessed, np.float32)


def _weights(ground: Ground, columns: IntArray, recordings: IntArray) -> FloatArray:
    """Let all windows of a song together count as those of an example, whatever their number."""
    known = ground.n_labels + 1
    n_songs = np.array(
        [len(np.unique(recordings[columns == column])) for column in range(columns.max() + 1)]
    )
    per_window = _of_own_song(recordings)
    typical = len(ground.columns) / known
    weights = np.empty(len(columns), np.float32)
    for column, n in enumerate(n_songs):
        rows = columns == column
        if column < known:
            mine = ground.weights[ground.columns == column]
            one = WINDOWS_OF_A_SONG * (mine.mean() if len(mine) else 1.0)
        else:
            one = np.sqrt(WINDOWS_OF_A_SONG * typical / max(n, 1))
        weights[rows] = one * per_window[rows]
    return weights


def _per_song(columns: IntArray, recordings: IntArray, n_columns: int) -> FloatArray:
    """Let genres count by the root of their songs, and songs alike."""
    n_songs = np.array(
        [len(np.unique(recordings[columns == column])) for column in range(n_columns)]
    )
    per_song = WINDOWS_OF_A_SONG * np.sqrt(n_songs.mean() / np.maximum(n_songs, 1))
    return np.asarray(per_song[columns] * _of_own_song(recordings), np.float32)


def _of_own_song(recordings: IntArray) -> FloatArray:
    """Give the share that each window has of its song."""
    _, song, counts = np.unique(recordings, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / counts[song], np.float32)


def _offsets(
    ground: Ground, values: FloatArray, said: FloatArray | None, n_new: int
) -> FloatArray | None:
    """Say how far the network's verdicts of taught windows are from what embeddings tell."""
    if said is None:
        return None
    logits = values @ ground.coefficients[:-1] + ground.coefficients[-1]
    offsets = np.zeros((len(ground.values) + len(values), said.shape[1] + n_new), np.float32)
    offsets[len(ground.values) :, : said.shape[1]] = said - (logits - log_sum(logits))
    return offsets


def _lifts(columns: IntArray, recordings: IntArray, first: int, n_new: int) -> FloatArray:
    """Give what new genres are lifted by: with few songs, evidence alone shows them too rarely."""
    n_songs = [len(np.unique(recordings[columns == first + new])) for new in range(n_new)]
    lifts = MOST_LIFT - LIFT_PER_SONG * np.log(np.maximum(n_songs, 1))
    return np.asarray(np.maximum(lifts, 0.0), np.float32)
