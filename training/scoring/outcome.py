"""What a model says of recordings, and how good that is: plain figures; pure.

Shares lie between 0 and 1; intervals are of 95 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.tracking.verdict import TrackVerdict, track_verdict
from rtgenre.types import Prediction, UnknownReason
from training.data.library import OTHER
from training.scoring import metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.data.dataset import FloatArray, IntArray
    from training.data.library import Recording

Figures = dict[str, Any]
CONFIDENT = 0.5
"""Other music is shown as a genre where the verdict is one with more confidence than this."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Predictions of the windows of some recordings."""

    labels: tuple[str, ...]
    recordings: Sequence[Recording]
    predictions: Sequence[Prediction]
    """One per window."""
    recording_index: IntArray
    """``(n_windows,)``, which of the recordings each window is of."""

    def of(self, chosen: Sequence[int]) -> Outcome:
        """Take the windows of some recordings."""
        rows = np.flatnonzero(np.isin(self.recording_index, chosen))
        new_index = {old: new for new, old in enumerate(chosen)}
        return Outcome(
            self.labels,
            [self.recordings[index] for index in chosen],
            [self.predictions[row] for row in rows.tolist()],
            np.array([new_index[old] for old in self.recording_index[rows]], dtype=np.int64),
        )


def judge(outcome: Outcome) -> Figures:
    """Judge every collection by itself: its music of the labels, and its other music."""
    collections = dict.fromkeys(one.collection for one in outcome.recordings)
    return {name: judge_collection(_of_collection(outcome, name)) for name in collections}


def judge_collection(outcome: Outcome) -> Figures:
    """Judge windows, recordings, genres, and what becomes of other music."""
    heard = set(outcome.recording_index.tolist())
    known = [
        index
        for index, one in enumerate(outcome.recordings)
        if one.genre in outcome.labels and index in heard
    ]
    other = [
        index
        for index, one in enumerate(outcome.recordings)
        if one.genre == OTHER and index in heard
    ]
    figures: Figures = {}
    if known:
        figures |= _judge_known(outcome.of(known))
    if other:
        figures["other_music"] = _judge_other(outcome.of(other))
    return figures


def verdicts(outcome: Outcome) -> list[TrackVerdict]:
    """Say what each recording is, as ``rtgenre classify`` does."""
    params = TrackerParams()
    of_recording: list[list[Prediction]] = [[] for _ in outcome.recordings]
    for index, prediction in zip(outcome.recording_index, outcome.predictions, strict=True):
        of_recording[index].append(prediction)
    return [
        track_verdict(predictions, params, n_labels=len(outcome.labels))
        for predictions in of_recording
    ]


def truth_of(outcome: Outcome) -> IntArray:
    """Give the index of each recording's genre."""
    return np.array([outcome.labels.index(one.genre) for one in outcome.recordings])


def _of_collection(outcome: Outcome, name: str) -> Outcome:
    return outcome.of(
        [index for index, one in enumerate(outcome.recordings) if one.collection == name]
    )


def _judge_known(outcome: Outcome) -> Figures:
    truth = truth_of(outcome)
    found = verdicts(outcome)
    ranked = np.argsort([-one.probabilities for one in found], axis=1)
    right = ranked[:, 0] == truth
    confusion = metrics.confusion_matrix(truth, ranked[:, 0], len(outcome.labels))
    genres = metrics.genre_scores(confusion)
    recalls = [one.recall for one in genres if one.n]
    sharp = np.array([not one.dull for one in outcome.recordings])
    n_right = int(right.sum())
    return {
        "n_recordings": len(truth),
        "accuracy": n_right / len(truth),
        "accuracy_95": metrics.wilson_interval(n_right, len(truth)),
        "mean_recall": float(np.mean(recalls)),
        "first_two": float((ranked[:, :2] == truth[:, None]).any(axis=1).mean()),
        "accuracy_of_full_rate": float(right[sharp].mean()) if sharp.any() else None,
        "taken_for_unfamiliar": float(
            np.mean([one.reason == UnknownReason.UNFAMILIAR for one in found])
        ),
        **_judge_windows(outcome, truth),
        "per_genre": {
            label: {
                "n": one.n,
                "recall": one.recall,
                "recall_95": metrics.wilson_interval(round(one.recall * one.n), max(one.n, 1)),
                "precision": one.precision,
            }
            for label, one in zip(outcome.labels, genres, strict=True)
            if one.n
        },
        "confusion": confusion.tolist(),
    }


def _judge_windows(outcome: Outcome, truth: IntArray) -> Figures:
    probabilities = window_probabilities(outcome)
    of_window = truth[outcome.recording_index]
    correct = probabilities.argmax(axis=1) == of_window
    bins = metrics.reliability_bins(probabilities, of_window)
    music = np.array([one.music for one in outcome.predictions])
    return {
        "n_windows": len(correct),
        "window_accuracy": float(correct.mean()),
        "window_accuracy_95": metrics.bootstrap_interval(correct, outcome.recording_index),
        "ece": metrics.expected_calibration_error(bins),
        "music_rejected": float((music < TrackerParams().music_below).mean()),
    }


def window_probabilities(outcome: Outcome) -> FloatArray:
    """Give the genres' probabilities of all windows: ``(n_windows, n_labels)``."""
    return np.stack([one.probabilities for one in outcome.predictions])


def _judge_other(outcome: Outcome) -> Figures:
    found = verdicts(outcome)
    shown = [one.reason is None and one.confidence > CONFIDENT for one in found]
    return {
        "n_recordings": len(found),
        "shown_as_a_genre": float(np.mean(shown)),
        "taken_for_unfamiliar": float(
            np.mean([one.reason == UnknownReason.UNFAMILIAR for one in found])
        ),
    }
