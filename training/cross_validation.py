"""Judge a recipe on every track there is, by networks that never heard its artist."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtgenre.types import Prediction
from training.dataset import labels_of
from training.fitting import genre_logits, judge
from training.frames import fast_network
from training.judging import judge_live
from training.splits import artist_folds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import keras

    from training.dataset import FloatArray, Track
    from training.fitting import Examples


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network comes about."""

    fit_heads: Callable[[Examples, str], keras.Model]
    """Examples, negatives among them, and the name of the fold, to heads."""
    finish: Callable[[keras.Model, float], keras.Model]
    """Heads and a temperature to the network that would ship, from spectrograms on."""


def cross_validate(
    recipe: Recipe, examples: Examples, tracks: Sequence[Track], n_folds: int, seed: int
) -> dict[str, Any]:
    """Fit on all folds but one at a time, and judge on that one; no two folds share an artist.

    Args:
        recipe: makes a network of examples.
        examples: windows of the tracks, and of what is not music.
        tracks: in the order of the examples' ``track_index``.
        n_folds: networks to train.
        seed: of the division into folds.

    Returns:
        what ``training.fitting.judge`` says of all windows, and under ``live, mean of the folds``
        what ``training.judging.judge_live`` does.
    """
    folds = np.array(artist_folds(tracks, n_folds, seed))
    music = examples.of_tracks(np.arange(len(tracks)))
    logits = np.zeros((len(music.genres), examples.n_labels), np.float32)
    fitted = []
    for fold in range(n_folds):
        print(f"cross-validation, fold {fold + 1} of {n_folds}", file=sys.stderr)
        left_out = np.flatnonzero(folds == fold)
        rest = examples.of_tracks(np.flatnonzero(folds != fold), negatives=True)
        heads = recipe.fit_heads(rest, f"fold{fold}")
        rows = np.isin(music.track_index, left_out)
        logits[rows] = genre_logits(heads, examples.of_tracks(left_out))
        fitted.append(heads)
    judged: dict[str, Any] = judge(logits, music)
    networks = [recipe.finish(heads, judged["temperature"]) for heads in fitted]
    judged["live, mean of the folds"] = _judge_live(networks, tracks, folds)
    return judged


def _judge_live(
    networks: Sequence[keras.Model], tracks: Sequence[Track], folds: np.ndarray
) -> dict[str, float]:
    """Play to each network its own tracks through the service's tracker, and average."""
    labels = labels_of(tracks)
    scores = []
    for fold, network in enumerate(networks):
        run = fast_network(network)

        def predict(windows: FloatArray, run: Any = run) -> list[Prediction]:
            return [Prediction(row[:-1], float(row[-1])) for row in run(windows)]

        played = [track for track, of_fold in zip(tracks, folds, strict=True) if of_fold == fold]
        scores.append(judge_live(predict, labels, played))
    names = [name for name, value in scores[0].items() if isinstance(value, float)]
    return {name: round(float(np.mean([one[name] for one in scores])), 4) for name in names}
