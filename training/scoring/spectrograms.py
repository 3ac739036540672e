"""What an evaluation measures of a model: each function judges one thing and returns plain figures.

Shares lie between 0 and 1; intervals are of 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rtgenre.model.features import log_mel_spectrogram
from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.tracking.verdict import track_verdict
from rtgenre.types import Prediction
from training.data.conditions import CONDITIONS
from training.data.dataset import (
    FEATURES,
    FloatArray,
    IntArray,
    Track,
    genre_indices,
    stack_windows,
)
from training.scoring import live, metrics

Predict = Callable[[FloatArray], list[Prediction]]
Figures = dict[str, Any]

LIVE_SEED = 1
CONDITION_SECONDS = 12.0
"""How much of each recording is played under every condition."""
WINDOW_HOP_SAMPLES = round(2.0 * FEATURES.sample_rate_hz)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Predictions of the windows of some tracks, and what was true."""

    labels: tuple[str, ...]
    probabilities: FloatArray
    """``(n_windows, n_labels)``."""
    music: FloatArray
    """``(n_windows,)``, probability that the window holds music."""
    truth: IntArray
    """``(n_windows,)``, index of the genre."""
    track_index: IntArray
    """``(n_windows,)``."""

    @property
    def correct(self) -> metrics.BoolArray:
        """Which windows' likeliest genre is the true one."""
        return np.asarray(self.probabilities.argmax(axis=1) == self.truth)


def predict_tracks(predict: Predict, labels: tuple[str, ...], tracks: Sequence[Track]) -> Outcome:
    """Cut tracks into windows and predict them all."""
    windows = stack_windows(tracks)
    predictions = predict(windows.features)
    return Outcome(
        labels=labels,
        probabilities=np.stack([prediction.probabilities for prediction in predictions]),
        music=np.array([prediction.music for prediction in predictions], dtype=np.float32),
        truth=genre_indices(tracks, labels)[windows.track_index],
        track_index=windows.track_index,
    )


def judge_windows(outcome: Outcome) -> Figures:
    """Accuracy of single windows, their calibration, and how much music is rejected."""
    bins = metrics.reliability_bins(outcome.probabilities, outcome.truth)
    rejected = outcome.music < TrackerParams().music_below
    return {
        "n_windows": len(outcome.truth),
        "window_accuracy": float(outcome.correct.mean()),
        "window_accuracy_95": metrics.bootstrap_interval(outcome.correct, outcome.track_index),
        "ece": metrics.expected_calibration_error(bins),
        "music_rejected_share": float(rejected.mean()),
    }


def judge_tracks(outcome: Outcome) -> Figures:
    """Accuracy of whole tracks, as ``rtgenre classify`` judges them, and of each genre."""
    truth, predicted = track_verdicts(outcome)
    n_right = int((truth == predicted).sum())
    window_scores = metrics.genre_scores(window_confusion(outcome))
    track_scores = metrics.genre_scores(
        metrics.confusion_matrix(truth, predicted, len(outcome.labels))
    )
    return {
        "n_tracks": len(truth),
        "track_accuracy": n_right / len(truth),
        "track_accuracy_95": metrics.wilson_interval(n_right, len(truth)),
        "per_genre": {
            label: {
                **_named(asdict(of_windows), "n", "n_windows"),
                "track": _named(asdict(of_tracks), "n", "n_tracks"),
            }
            for label, of_windows, of_tracks in zip(
                outcome.labels, window_scores, track_scores, strict=True
            )
        },
    }


def track_verdicts(outcome: Outcome) -> tuple[IntArray, IntArray]:
    """Give the true and the recognised genre of each track that has a window.

    A track that was recognised as none of the genres has the index after the last one.
    """
    n_labels = len(outcome.labels)
    tracks, first = np.unique(outcome.track_index, return_index=True)
    predicted = []
    for track in tracks:
        windows = np.flatnonzero(outcome.track_index == track)
        predictions = [
            Prediction(outcome.probabilities[index], float(outcome.music[index]))
            for index in windows
        ]
        verdict = track_verdict(predictions, TrackerParams(), n_labels=n_labels)
        predicted.append(n_labels if verdict.genre_index is None else verdict.genre_index)
    return outcome.truth[first], np.array(predicted, dtype=np.int64)


def window_confusion(outcome: Outcome) -> IntArray:
    """Count which genre's windows were taken for which."""
    predicted = outcome.probabilities.argmax(axis=1)
    return metrics.confusion_matrix(outcome.truth, predicted, len(outcome.labels))


def judge_live(predict: Predict, labels: Sequence[str], tracks: Sequence[Track]) -> Figures:
    """What a viewer sees while the tracks play one after another, each once, in random order."""
    params = TrackerParams()
    session = live.play(tracks, predict, LIVE_SEED)
    scores = live.score(session, live.show(session, labels, params))
    median = scores.median_seconds_to_change
    return {
        **asdict(scores),
        "median_seconds_to_change": median if math.isfinite(median) else None,
        "tracker": asdict(params),
    }


def judge_negatives(predict: Predict, tracks: Sequence[Track]) -> Figures:
    """How much of what is not music is taken for music, by kind: share of windows."""
    windows = stack_windows(tracks)
    music = np.array([prediction.music for prediction in predict(windows.features)])
    taken = music >= TrackerParams().music_below
    kinds = np.array([track.genre for track in tracks])[windows.track_index]
    return {
        "n_windows": len(taken),
        "shown_share": float(taken.mean()),
        "by_kind": {str(kind): float(taken[kinds == kind].mean()) for kind in np.unique(kinds)},
    }


def judge_conditions(
    predict: Predict, labels: Sequence[str], recordings: Iterable[tuple[str, FloatArray]]
) -> Figures:
    """Accuracy of windows of recordings under each condition, and what that costs in points.

    Args:
        predict: the model.
        labels: of its outputs.
        recordings: a genre and a waveform each; see ``training.data.conditions``.
    """
    windows: dict[str, list[FloatArray]] = {name: [] for name in CONDITIONS}
    truth: list[int] = []
    for index, (genre, waveform) in enumerate(recordings):
        beginning = waveform[: round(CONDITION_SECONDS * FEATURES.sample_rate_hz)]
        for name, condition in CONDITIONS.items():
            changed = condition(beginning, np.random.default_rng(index))
            windows[name] += _live_windows(changed)
        truth += [labels.index(genre)] * (len(windows["clean"]) - len(truth))
    accuracies = {}
    music_shares = {}
    for name, features in windows.items():
        predictions = predict(np.stack(features))
        genres = np.array([prediction.probabilities.argmax() for prediction in predictions])
        music = np.array([prediction.music for prediction in predictions])
        accuracies[name] = float((genres == np.array(truth)).mean())
        music_shares[name] = float((music < TrackerParams().music_below).mean())
    return {
        "n_windows": len(truth),
        "accuracy": accuracies,
        "points_lost": {
            name: 100.0 * (accuracies["clean"] - accuracy) for name, accuracy in accuracies.items()
        },
        "music_rejected_share": music_shares,
    }


def _live_windows(waveform: FloatArray) -> list[FloatArray]:
    """Cut a waveform as the service does, and compute each window's features on its own."""
    starts = range(0, len(waveform) - FEATURES.window_samples + 1, WINDOW_HOP_SAMPLES)
    return [
        log_mel_spectrogram(waveform[start : start + FEATURES.window_samples], FEATURES)
        for start in starts
    ]


def _named(figures: Figures, old: str, new: str) -> Figures:
    return {new if name == old else name: value for name, value in figures.items()}
