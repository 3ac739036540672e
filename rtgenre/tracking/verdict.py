"""What a whole track is: one definition for ``classify`` and for judging models; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.tracking.evidence import log_probabilities, normalised
from rtgenre.types import FloatArray, UnknownReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.tracking.smoothing import TrackerParams
    from rtgenre.types import Prediction


@dataclass(frozen=True, slots=True)
class TrackVerdict:
    """What the windows of a track say together."""

    probabilities: FloatArray
    """``(n_labels,)``, summing to one; all the same where no window holds music."""
    familiar: float
    """Probability that its music is of one of the genres; 1 where no window holds music."""
    reason: UnknownReason | None
    """Why the track has no genre; None if it has."""

    @property
    def confidence(self) -> float:
        """How likely it is that the track is of its likeliest genre."""
        return float(self.probabilities.max()) * self.familiar

    @property
    def genre_index(self) -> int | None:
        """Which of the labels the track is; None if it has no genre."""
        return int(self.probabilities.argmax()) if self.reason is None else None


def track_verdict(
    predictions: Sequence[Prediction], params: TrackerParams, *, n_labels: int
) -> TrackVerdict:
    """Judge a track by the mean log-probability of its windows that hold music.

    Args:
        predictions: of its windows, without those that are silent in part: see
            ``rtgenre.tracking.silence.holds_sound``.
        params: say which windows hold music, and when there is no genre.
        n_labels: how many genres there are.
    """
    music = [each for each in predictions if each.music >= params.music_below]
    if not music:
        all_the_same = np.full(n_labels, 1 / n_labels, dtype=np.float32)
        return TrackVerdict(all_the_same, 1.0, UnknownReason.NOT_MUSIC)
    windows = np.stack([each.probabilities for each in music])
    probabilities = normalised(log_probabilities(windows).mean(axis=0))
    familiar = float(np.mean([each.familiar for each in music]))
    reason = None
    if familiar < params.familiar_below:
        reason = UnknownReason.UNFAMILIAR
    elif probabilities.max() * familiar < params.unknown_below:
        reason = UnknownReason.UNSURE
    return TrackVerdict(probabilities, familiar, reason)


def say_the_same(one: Prediction, other: Prediction, params: TrackerParams) -> bool:
    """Whether two windows hold no music, or music of the same genre, which is familiar or is not.

    Args:
        one: what the model says of one window.
        other: what it says of the other.
        params: hold the limits of music and of familiar music.
    """

    def told(prediction: Prediction) -> tuple[int, bool] | None:
        if prediction.music < params.music_below:
            return None
        return int(prediction.probabilities.argmax()), prediction.familiar >= params.familiar_below

    return told(one) == told(other)
