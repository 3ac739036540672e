import dataclasses

from rtgenre.tracking.replay import KEPT_SECONDS, JudgedWindow, LastMinutes, Shown, replay
from rtgenre.tracking.smoothing import GenreTracker, TrackerParams
from tests.tracking.test_smoothing import LABELS, prediction

NOW = 1_700_000_000.0
LOUD = [-20.0] * 16


def windows(*genres, begins=()):
    return [
        JudgedWindow(prediction(genre), 4.0 + 2 * n, LOUD, NOW + 2 * n, begins=n in begins)
        for n, genre in enumerate(genres)
    ]


def test_the_present_smoothing_shows_what_was_shown():
    heard = windows(*["jazz"] * 12, *["rock"] * 20, begins=(0, 12))
    params = TrackerParams()
    tracker, live = GenreTracker(LABELS, params), []
    for window in heard:
        if window.begins:
            tracker.reset()
        state = tracker.update(
            window.prediction, end_seconds=window.end_seconds, levels_dbfs=window.levels_dbfs
        )
        live.append(state.genre)
    shown = replay(heard, LABELS, params)
    assert [each.genre for each in shown] == ["jazz", "rock"] == sorted(set(live))
    assert shown[0].started_at == NOW
    assert shown[1].started_at == NOW + 2 * live.index("rock") == shown[0].ended_at
    assert shown[1].ended_at == NOW + 2 * (len(heard) - 1)


def test_other_smoothing_would_have_shown_something_else():
    heard = windows(*["jazz"] * 3, "rock", "rock", *["jazz"] * 3)
    nervous = TrackerParams(time_constant_seconds=0.0, switch_margin=0.0)
    stubborn = TrackerParams(time_constant_seconds=0.0, switch_hold_seconds=60.0)
    assert [each.genre for each in replay(heard, LABELS, nervous)] == ["jazz", "rock", "jazz"]
    assert replay(heard, LABELS, stubborn) == [Shown("jazz", NOW, NOW + 14)]
    assert replay([], LABELS, nervous) == []


def test_no_more_than_ten_minutes_are_kept():
    kept = LastMinutes()
    for window in windows(*["jazz"] * 400):
        kept.push(window)
    found = kept.windows()
    assert found[-1].end_seconds - found[0].end_seconds == KEPT_SECONDS == 600.0
    kept.clear()
    assert kept.windows() == []


def test_what_was_shown_before_a_long_outage_is_shown_no_longer():
    heard = windows(*["jazz"] * 5, *["rock"] * 2, begins=(0, 5))
    heard[5] = dataclasses.replace(heard[5], gone=True)
    stubborn = TrackerParams(switch_hold_seconds=60.0)
    assert [each.genre for each in replay(heard, LABELS, stubborn)] == ["jazz", "rock"]


def test_after_a_gap_what_was_heard_before_does_not_count():
    # After as much jazz one window of rock alone would not be enough.
    heard = windows(*["jazz"] * 12, "rock", begins=(0, 12))
    hesitant = TrackerParams(switch_margin=0.7)
    assert [each.genre for each in replay(heard, LABELS, hesitant)] == ["jazz", "rock"]
    without = windows(*["jazz"] * 12, "rock", begins=(0,))
    assert [each.genre for each in replay(without, LABELS, hesitant)] == ["jazz"]


def test_silence_and_what_is_of_no_genre_are_told_as_such():
    heard = windows("jazz", None, None, None, None, *["jazz"] * 4)
    quiet = [dataclasses.replace(each, levels_dbfs=[-90.0] * 16) for each in heard[-4:]]
    nervous = TrackerParams(time_constant_seconds=0.0, unknown_below=0.5)
    shown = replay(heard[:-4] + quiet, LABELS, nervous)
    assert [each.genre for each in shown] == ["jazz", "unknown", "silence"]
