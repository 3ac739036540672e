from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rtgenre.model.feature_params import YAMNET_FEATURES
from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.types import Prediction
from tests.training.conftest import GENRE_HZ, make_track
from training.data.dataset import WINDOW_HOP_COLUMNS
from training.scoring.live import (
    SECONDS_PER_COLUMN,
    Session,
    batched,
    play,
    play_sounds,
    score,
    show,
)

LABELS = ("high", "low", "middle")
HOP_SECONDS = WINDOW_HOP_COLUMNS * SECONDS_PER_COLUMN


def certain(genre: str, music: float = 1.0) -> Prediction:
    probabilities = np.array([float(genre == label) for label in LABELS], dtype=np.float32)
    return Prediction(probabilities, music)


def hear_low(windows: np.ndarray) -> list[Prediction]:
    return [certain("low")] * len(windows)


def session(*genres: str, windows_each: int = 10) -> Session:
    """Tracks of so many windows, each recognised for certain."""
    ends = HOP_SECONDS * (1 + np.arange(len(genres) * windows_each))
    return Session(
        genres=genres,
        start_seconds=tuple(HOP_SECONDS * windows_each * np.arange(len(genres))),
        end_seconds=float(ends[-1]) + HOP_SECONDS,
        window_ends_seconds=tuple(ends),
        predictions=tuple(certain(genre) for genre in genres for _ in range(windows_each)),
    )


def test_a_display_that_is_always_right_scores_one() -> None:
    played = session("low", "high")
    playing = ["low"] * 9 + ["high"] * 11

    scores = score(played, playing)

    assert scores.right_share == 1.0
    assert scores.wrong_switches_per_minute == 0.0
    assert scores.median_seconds_to_change == pytest.approx(0.0)
    assert scores.missed_share == 0.0


def test_the_wait_for_a_change_is_counted_from_the_tracks_start() -> None:
    played = session("low", "high")
    shown = ["low"] * 11 + ["high"] * 9

    scores = score(played, shown)

    assert scores.median_seconds_to_change == pytest.approx(2 * HOP_SECONDS)
    assert scores.right_share == pytest.approx(0.9)
    assert scores.settled_right_share == 1.0


def test_a_genre_that_is_never_shown_is_missed_and_waited_for_without_end() -> None:
    scores = score(session("low", "high"), ["low"] * 20)

    assert scores.missed_share == 1.0
    assert scores.median_seconds_to_change == np.inf


def test_only_changes_to_a_genre_that_is_not_playing_are_wrong_switches() -> None:
    played = session("low", "low", windows_each=5)
    shown = [None, "low", "high", "low", None, "middle", "middle", None, "low", "low"]

    scores = score(played, shown)

    assert scores.wrong_switches_per_minute == pytest.approx(2 / (played.end_seconds / 60))
    assert scores.unknown_share == pytest.approx(0.3)


def test_a_genre_is_lost_where_none_is_shown_any_more_though_music_plays() -> None:
    played = session("low", None, "low", windows_each=4)
    shown = [None, "low", None, None, "low", None, None, None, None, "high", None, "low"]

    scores = score(played, shown)

    assert scores.dropouts_per_minute == pytest.approx(2 / (played.end_seconds / 60))


def test_two_tracks_of_one_genre_are_no_change() -> None:
    assert score(session("low", "low"), ["low"] * 20).missed_share == 0.0


def test_the_services_tracker_decides_what_is_shown() -> None:
    shown = show(session("low", "high"), LABELS, TrackerParams())

    assert shown[0] == "low"
    assert shown[-1] == "high"
    assert shown[9] == "low"


def test_what_is_not_music_is_shown_as_no_genre() -> None:
    played = session("low")
    talk = Session(
        played.genres,
        played.start_seconds,
        played.end_seconds,
        played.window_ends_seconds,
        tuple(certain("low", music=0.0) for _ in played.predictions),
    )

    assert set(show(talk, LABELS, TrackerParams())) == {None}


def test_tracks_are_played_once_each_in_an_order_that_the_seed_fixes() -> None:
    tracks = [make_track(genre, number) for genre in GENRE_HZ for number in range(2)]

    first, again = (play(tracks, hear_low, seed=3) for _ in range(2))

    assert sorted(first.genres) == sorted(track.genre for track in tracks)
    assert first.genres == again.genres
    assert len(first.predictions) == len(first.window_ends_seconds)
    assert first.end_seconds == pytest.approx(
        sum(len(one.columns) for one in tracks) / 24.12, rel=1e-3
    )


def test_recordings_are_joined_and_heard_every_two_seconds() -> None:
    rate_hz = YAMNET_FEATURES.sample_rate_hz
    sounds = [(genre, np.full(9 * rate_hz, 0.1, np.float32)) for genre in ("low", "high")]

    played = play_sounds(sounds, hear_low, YAMNET_FEATURES, seed=1)

    assert sorted(played.genres) == ["high", "low"]
    assert played.start_seconds == (0.0, 9.0)
    assert played.end_seconds == 18.0
    assert played.window_ends_seconds == (4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0)
    assert len(played.predictions) == 8
    assert play_sounds(sounds, hear_low, YAMNET_FEATURES, seed=1).genres == played.genres


def test_blocks_hold_everything_in_order() -> None:
    assert list(batched(range(5), 2)) == [[0, 1], [2, 3], [4]]


def test_talk_between_tracks_is_no_genre_and_no_time_of_music() -> None:
    played = replace(session("low", "low", "high"), genres=("low", None, "high"))
    shown = ["low"] * 9 + ["low"] * 6 + [None] * 4 + ["high"] * 11
    scores = score(played, shown)
    assert scores.right_share == 1.0
    assert scores.settled_right_share == 1.0
    assert scores.unknown_share == 0.0
    assert scores.wrong_switches_per_minute == 0.0
    assert scores.median_seconds_to_change == pytest.approx(0.0)


def test_a_track_after_talk_is_a_change_only_where_its_genre_is_another() -> None:
    played = replace(session("low", "low", "low"), genres=("low", None, "low"))
    assert score(played, ["low"] * 30).median_seconds_to_change == 0.0
    changed = replace(session("low", "low", "high"), genres=("low", None, "high"))
    assert score(changed, ["low"] * 30).missed_share == 1.0
