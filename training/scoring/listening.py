"""Lets a model hear recordings as the live service and ``rtgenre classify`` would."""

from __future__ import annotations

import math
import sys
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.model.features import log_mel_spectrogram
from rtgenre.tracking.smoothing import TrackerParams
from training.data.acoustics import SAMPLE_RATE_HZ
from training.data.conditions import CONDITIONS, Condition
from training.data.library import cut_windows, read_or_leave_out, resample
from training.data.talk import Talk, read_voices, talked_over
from training.scoring import live
from training.scoring.outcome import Figures, Outcome, judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rtgenre.model.classifier import Classifier
    from rtgenre.types import Prediction
    from training.data.dataset import FloatArray
    from training.data.library import Recording
    from training.scoring.playlist import Piece

LIVE_SEED = 1
LIVE_SHORTEST_SECONDS = 12.0
LIVE_MOST_RECORDINGS = 300
CONDITION_RECORDINGS = 150
CONDITION_SECONDS = 12.0
"""How much of each recording is played under every condition."""
MOST_VOICES = 60
TALK_DB = (10, 5, 0)
"""How far below the music people talk over it."""


def hear(classifier: Classifier, recordings: Sequence[Recording]) -> Outcome:
    """Predict every window of recordings; those that cannot be decoded have none."""
    predictions: list[Prediction] = []
    index: list[int] = []
    for number, (_, sound) in enumerate(_sounds(classifier, recordings)):
        if sound is not None:
            found = _predict(classifier, sound)
            predictions += found
            index += [number] * len(found)
    return Outcome(classifier.info.labels, recordings, predictions, np.array(index, dtype=np.int64))


def evaluate_recordings(
    classifier: Classifier,
    recordings: Sequence[Recording],
    negatives: Sequence[Recording] = (),
    *,
    conditions: bool = False,
) -> tuple[Figures, Outcome]:
    """Judge a model on recordings: by collection, live, on what is not music, under conditions."""
    outcome = hear(classifier, recordings)
    figures: Figures = {
        "model": {"name": classifier.info.name, "version": classifier.info.version},
        "labels": list(classifier.info.labels),
        "collections": judge(outcome),
        "live": {
            name: judge_live(classifier, [one for one in recordings if one.collection == name])
            for name in dict.fromkeys(one.collection for one in recordings)
        },
    }
    if negatives:
        figures["negatives"] = judge_negatives(classifier, negatives)
    if conditions:
        speech = [one for one in negatives if one.genre == "speech"]
        figures["conditions"] = judge_conditions(classifier, recordings, speech)
    return figures, outcome


def judge_live(classifier: Classifier, recordings: Sequence[Recording]) -> Figures:
    """What a viewer sees while recordings play one after another, in random order.

    Empty where no recording is long enough.
    """
    sounds = live_sounds(classifier, recordings)
    if not sounds:
        return {}
    params = TrackerParams()
    session = live.play_sounds(sounds, classifier.predict, classifier.info.features, LIVE_SEED)
    scores = live.score(session, live.show(session, classifier.info.labels, params))
    median = scores.median_seconds_to_change
    return {
        **asdict(scores),
        "n_recordings": len(sounds),
        "median_seconds_to_change": median if math.isfinite(median) else None,
        "tracker": asdict(params),
    }


def live_sounds(classifier: Classifier, recordings: Sequence[Recording]) -> list[Piece]:
    """Read what is played live: music of the genres that is long enough, each with its genre."""
    rate_hz = classifier.info.features.sample_rate_hz
    rng = np.random.default_rng(LIVE_SEED)
    known = [one for one in recordings if one.genre in classifier.info.labels]
    sounds: list[Piece] = []
    for number in rng.permutation(len(known)):
        sound = read_or_leave_out(known[number].path, rate_hz)
        if sound is not None and len(sound) >= LIVE_SHORTEST_SECONDS * rate_hz:
            sounds.append((known[number].genre, sound))
        if len(sounds) == LIVE_MOST_RECORDINGS:
            break
    return sounds


def judge_negatives(classifier: Classifier, recordings: Sequence[Recording]) -> Figures:
    """How much of what is not music is taken for music, by kind: share of windows."""
    taken, kinds = [], []
    for one, sound in _sounds(classifier, recordings):
        if sound is not None:
            found = _predict(classifier, sound)
            taken += [prediction.music >= TrackerParams().music_below for prediction in found]
            kinds += [one.genre] * len(found)
    shown, kind_of = np.array(taken), np.array(kinds)
    return {
        "n_windows": len(shown),
        "shown_share": float(shown.mean()),
        "by_kind": {str(kind): float(shown[kind_of == kind].mean()) for kind in np.unique(kind_of)},
    }


def judge_conditions(
    classifier: Classifier, recordings: Sequence[Recording], speech: Sequence[Recording] = ()
) -> Figures:
    """Accuracy of windows under each of ``data.conditions``, and what that costs in points.

    Args:
        classifier: the model.
        recordings: what is played.
        speech: who talks over it, which is a condition more.
    """
    conditions = CONDITIONS | _talk_conditions(speech)
    labels = classifier.info.labels
    rate_hz = classifier.info.features.sample_rate_hz
    known = [one for one in recordings if one.genre in labels and not one.dull]
    step = max(1, len(known) // CONDITION_RECORDINGS)
    right: dict[str, list[bool]] = {name: [] for name in conditions}
    rejected: dict[str, list[bool]] = {name: [] for name in conditions}
    for number, one in enumerate(known[::step]):
        sound = read_or_leave_out(one.path, SAMPLE_RATE_HZ)
        if sound is None:
            continue
        beginning = sound[: round(CONDITION_SECONDS * SAMPLE_RATE_HZ)]
        for name, condition in conditions.items():
            changed = condition(beginning, np.random.default_rng(number))
            found = _predict(classifier, resample(changed, SAMPLE_RATE_HZ, rate_hz))
            right[name] += [labels[each.probabilities.argmax()] == one.genre for each in found]
            rejected[name] += [each.music < TrackerParams().music_below for each in found]
    accuracy = {name: float(np.mean(values)) for name, values in right.items()}
    return {
        "n_windows": len(right["clean"]),
        "accuracy": accuracy,
        "points_lost": {
            name: 100.0 * (accuracy["clean"] - value) for name, value in accuracy.items()
        },
        "music_rejected_share": {name: float(np.mean(values)) for name, values in rejected.items()},
    }


def _talk_conditions(speech: Sequence[Recording]) -> dict[str, Condition]:
    voices = read_voices(speech[:MOST_VOICES], SAMPLE_RATE_HZ)
    if not voices:
        return {}

    def talk_below_music(
        waveform: FloatArray, rng: np.random.Generator, snr_db: float
    ) -> FloatArray:
        options = Talk(snr_db=(snr_db, snr_db))
        return talked_over(waveform, voices, SAMPLE_RATE_HZ, rng, options)

    return {f"talk_{snr_db}db": partial(talk_below_music, snr_db=snr_db) for snr_db in TALK_DB}


def _predict(classifier: Classifier, sound: FloatArray) -> list[Prediction]:
    params = classifier.info.features
    windows = cut_windows(sound, params.sample_rate_hz)
    return classifier.predict(np.stack([log_mel_spectrogram(one, params) for one in windows]))


def _sounds(
    classifier: Classifier, recordings: Sequence[Recording]
) -> Iterator[tuple[Recording, FloatArray | None]]:
    for number, one in enumerate(recordings, start=1):
        print(f"\rheard {number}/{len(recordings)} recordings", end="", file=sys.stderr)
        yield one, read_or_leave_out(one.path, classifier.info.features.sample_rate_hz)
    print(file=sys.stderr)
