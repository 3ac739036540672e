"""What a viewer would see: tracks played one after another through the service's own tracker; pure.

The tracks' spectrograms are joined and cut into windows as the live service does, so that the
windows around a change of music hold some of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from rtgenre.model.features import log_mel_spectrogram
from rtgenre.tracking.smoothing import GenreTracker, TrackerParams
from training.data import library
from training.data.dataset import FEATURES, WINDOW_HOP_COLUMNS, Track, cut_window, window_starts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rtgenre.model.feature_params import FeatureParams
    from rtgenre.types import Prediction
    from training.scoring.playlist import Piece

T = TypeVar("T")
_BLOCK = 64
_LOUD_DBFS = -20.0
"""The level that the tracker is told: spectrograms do not hold one, and all of this is music."""
HOP_SECONDS = WINDOW_HOP_COLUMNS / FEATURES.frames_per_second

SETTLED_SECONDS = 8.0
SECONDS_PER_COLUMN = 1.0 / FEATURES.frames_per_second


@dataclass(frozen=True, slots=True)
class Session:
    """Tracks in the order in which they were played, and the predictions of all windows."""

    genres: tuple[str | None, ...]
    """One per track; None of talk between them."""
    start_seconds: tuple[float, ...]
    """When each track begins; the first at 0."""
    end_seconds: float
    """When the last one ends."""
    window_ends_seconds: tuple[float, ...]
    predictions: tuple[Prediction, ...]
    """One per window."""


@dataclass(frozen=True, slots=True)
class LiveScores:
    """How a session would have looked."""

    right_share: float
    """Share of the time, from the first window on, in which the right genre was shown."""
    settled_right_share: float
    """The same without the first 8 seconds of each track, which a change may take to show."""
    unknown_share: float
    """Share of the time in which no genre was shown."""
    wrong_switches_per_minute: float
    """How often the display changed to a genre that was not playing."""
    dropouts_per_minute: float
    """How often the display went from a genre to none while music played."""
    median_seconds_to_change: float
    """From the start of a track of another genre to the display of its genre; over all such
    tracks, infinite for those whose genre was never shown."""
    missed_share: float
    """Share of those tracks whose genre was never shown."""
    minutes: float
    """Of music played."""


def play(
    tracks: Sequence[Track],
    predict: Callable[[np.ndarray], list[Prediction]],
    seed: int,
) -> Session:
    """Play tracks one after another, in a random order, and predict every window.

    Args:
        tracks: what to play, each once.
        predict: turns ``(n_windows, n_frames, n_mels)`` dB into one prediction per window.
        seed: of the order.
    """
    order = np.random.default_rng(seed).permutation(len(tracks))
    played = [tracks[index] for index in order]
    columns = np.concatenate([track.columns for track in played])
    starts = window_starts(len(columns))
    windows = np.stack([cut_window(columns, start) for start in starts])
    lengths = [len(track.columns) for track in played]
    first_columns = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return Session(
        genres=tuple(track.genre for track in played),
        start_seconds=tuple(first_columns * SECONDS_PER_COLUMN),
        end_seconds=len(columns) * SECONDS_PER_COLUMN,
        window_ends_seconds=tuple(
            (start + FEATURES.n_frames) * SECONDS_PER_COLUMN for start in starts
        ),
        predictions=tuple(predict(windows)),
    )


def play_sounds(
    sounds: Sequence[Piece],
    predict: Callable[[np.ndarray], list[Prediction]],
    params: FeatureParams,
    seed: int,
    joined: Callable[[list[Piece]], list[Piece]] = list,
) -> Session:
    """Play recordings one after another, in a random order, and predict every window.

    Args:
        sounds: a genre and a waveform each, at the features' rate.
        predict: turns ``(n_windows, n_frames, n_mels)`` into one prediction per window.
        params: what the model hears.
        seed: of the order.
        joined: changes how they follow one another; they are spliced without it.
    """
    order = np.random.default_rng(seed).permutation(len(sounds))
    played = joined([sounds[index] for index in order])
    waveform = np.concatenate([one for _, one in played])
    cut = library.cut_windows(waveform, params.sample_rate_hz)
    windows = (log_mel_spectrogram(one, params) for one in cut)
    predictions: list[Prediction] = []
    for block in batched(windows, _BLOCK):
        predictions += predict(np.stack(block))
    seconds = np.cumsum([0, *(len(one) for _, one in played)]) / params.sample_rate_hz
    return Session(
        genres=tuple(genre for genre, _ in played),
        start_seconds=tuple(seconds[:-1]),
        end_seconds=float(seconds[-1]),
        window_ends_seconds=tuple(
            params.window_seconds + index * library.HOP_SECONDS for index in range(len(cut))
        ),
        predictions=tuple(predictions),
    )


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut into lists of ``size``; the last one may be shorter."""
    iterator = iter(items)
    while block := list(islice(iterator, size)):
        yield block


def show(session: Session, labels: Sequence[str], params: TrackerParams) -> list[str | None]:
    """Say what is shown after each window; None where no genre is."""
    tracker = GenreTracker(labels, params)
    return [
        tracker.update(prediction, end_seconds=end, levels_dbfs=[_LOUD_DBFS]).genre
        for prediction, end in zip(session.predictions, session.window_ends_seconds, strict=True)
    ]


def score(session: Session, shown: Sequence[str | None]) -> LiveScores:
    """Judge what was shown after each window against what was playing; talk has no genre."""
    ends = np.array(session.window_ends_seconds)
    playing_track = np.searchsorted(session.start_seconds, ends, side="right") - 1
    playing = [session.genres[index] for index in playing_track]
    until_next = np.diff(np.append(ends, ends[-1] + HOP_SECONDS))
    is_music = np.array([genre is not None for genre in playing])
    right = is_music & [one == other for one, other in zip(shown, playing, strict=True)]
    unknown = np.array([one is None for one in shown])
    wrong_switches = sum(
        now is not None and now not in (before, genre)
        for before, now, genre in zip([None, *shown[:-1]], shown, playing, strict=True)
    )
    dropouts = sum(
        now is None and before is not None and genre is not None
        for before, now, genre in zip(shown[:-1], shown[1:], playing[1:], strict=True)
    )
    settled = ends - np.array(session.start_seconds)[playing_track] > SETTLED_SECONDS
    settled &= is_music
    waits = _waits(session, playing_track, right)
    return LiveScores(
        right_share=float(np.average(right, weights=until_next * is_music)),
        settled_right_share=float(np.mean(right[settled])) if settled.any() else 0.0,
        unknown_share=float(np.average(unknown, weights=until_next * is_music)),
        wrong_switches_per_minute=wrong_switches / (session.end_seconds / 60.0),
        dropouts_per_minute=dropouts / (session.end_seconds / 60.0),
        median_seconds_to_change=float(np.median(waits)) if waits else 0.0,
        missed_share=float(np.mean(np.isinf(waits))) if waits else 0.0,
        minutes=session.end_seconds / 60.0,
    )


def _waits(session: Session, playing_track: np.ndarray, right: np.ndarray) -> list[float]:
    """How long each change to another genre took to show; infinite if it never did."""
    ends = np.array(session.window_ends_seconds)
    waits = []
    before = session.genres[0]
    for index, genre in enumerate(session.genres):
        if genre is None or genre == before:
            continue
        shown_at = ends[(playing_track == index) & right]
        wait = shown_at[0] - session.start_seconds[index] if len(shown_at) else np.inf
        waits.append(float(wait))
        before = genre
    return waits
