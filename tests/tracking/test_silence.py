from itertools import pairwise

import numpy as np
import pytest

from rtgenre.audio.windows import SEGMENT_SECONDS
from rtgenre.tracking.silence import SilenceFollower, holds_sound

WINDOW_SEGMENTS, HOP_SEGMENTS = 16, 8
SOUND, QUIET = -30.0, -90.0


def seconds(n_seconds, level_dbfs):
    return [level_dbfs] * round(n_seconds / SEGMENT_SECONDS)


def follow(levels_dbfs, after_seconds=3.0, follower=None):
    """Return (end, judged, silent) of every window of 4 s, every 2 s."""
    follower = follower or SilenceFollower()
    outcomes = []
    for end in range(WINDOW_SEGMENTS, len(levels_dbfs) + 1, HOP_SEGMENTS):
        judged = follower.update(
            levels_dbfs[end - WINDOW_SEGMENTS : end],
            end_seconds=end * SEGMENT_SECONDS,
            below_dbfs=-60.0,
            after_seconds=after_seconds,
        )
        outcomes.append((end * SEGMENT_SECONDS, judged, follower.silent))
    return outcomes


def test_music_is_judged_in_every_window():
    assert follow(seconds(10, SOUND)) == [(e, True, False) for e in (4.0, 6.0, 8.0, 10.0)]


def test_music_that_begins_is_judged_as_soon_as_most_of_the_window_is_music():
    for lead_seconds in np.arange(0, 8, SEGMENT_SECONDS):
        outcomes = follow(seconds(lead_seconds, QUIET) + seconds(10, SOUND))
        first = next(end for end, judged, _ in outcomes if judged)
        assert first - lead_seconds >= 2.5
        assert first - lead_seconds <= 4.5
        assert all(silent for end, _, silent in outcomes if end < first)


@pytest.mark.parametrize("after_seconds", [0.0, 1.0, 3.0, 6.0])
def test_silence_begins_when_quiet_has_lasted(after_seconds):
    outcomes = follow(seconds(8, SOUND) + seconds(12, QUIET), after_seconds)
    began = next(end for end, _, silent in outcomes if silent)
    assert after_seconds <= began - 8 <= after_seconds + 2
    assert not any(judged for end, judged, _ in outcomes if end > 8.5)


@pytest.mark.parametrize("pause_seconds", [0.25, 0.75, 1.5, 2.75])
def test_a_pause_between_songs_is_no_silence(pause_seconds):
    for shift_seconds in np.arange(0, 2, SEGMENT_SECONDS):
        levels = seconds(8 + shift_seconds, SOUND) + seconds(pause_seconds, QUIET)
        outcomes = follow(levels + seconds(10, SOUND))
        assert not any(silent for _, _, silent in outcomes)


def test_music_with_rests_is_judged_all_the_time():
    levels = (seconds(0.5, SOUND) + seconds(0.5, QUIET)) * 10
    assert all(judged for _, judged, _ in follow(levels))


def test_music_that_is_nearly_silent_does_not_flicker_at_the_limit():
    verse, chorus = seconds(8, -61.0), seconds(8, -57.1)
    outcomes = follow(chorus + (verse + chorus) * 3)
    silent = [silent for _, _, silent in outcomes]
    assert (silent[0], silent[-1]) == (False, True)
    assert sum(one != other for one, other in pairwise(silent)) == 1


def test_what_is_clearly_above_the_limit_ends_silence():
    outcomes = follow(seconds(8, QUIET) + seconds(8, -56.5))
    assert outcomes[-1] == (16.0, True, False)


def test_the_limit_is_as_it_is_set_where_nothing_was_heard_before():
    assert follow(seconds(10, -59.5)) == [(e, True, False) for e in (4.0, 6.0, 8.0, 10.0)]


@pytest.mark.parametrize(("rest_seconds", "judged"), [(0.75, True), (1.0, False)])
def test_short_rests_belong_to_the_music_and_long_ones_do_not(rest_seconds, judged):
    levels = (seconds(0.5, SOUND) + seconds(rest_seconds, QUIET)) * 2 + seconds(0.5, SOUND)
    assert holds_sound(levels, below_dbfs=-60.0) == judged


def test_quiet_before_and_after_the_music_is_no_rest():
    parts = ((0.75, QUIET), (1.0, SOUND), (1.0, QUIET), (0.75, SOUND), (0.5, QUIET))
    assert not holds_sound([level for part in parts for level in seconds(*part)], below_dbfs=-60.0)


@pytest.mark.parametrize(("end_seconds", "judged"), [(0.5, True), (0.75, False)])
def test_a_window_after_whose_music_it_has_been_quiet_is_not_judged(end_seconds, judged):
    levels = seconds(4 - end_seconds, SOUND) + seconds(end_seconds, QUIET)
    assert holds_sound(levels, below_dbfs=-60.0) == judged


def test_the_end_of_silence_is_put_off_once_however_often_windows_come():
    follower = SilenceFollower()
    silent = []
    for quiet_seconds in (4.0, 1.5, 1.0):
        levels = seconds(quiet_seconds, QUIET) + seconds(4 - quiet_seconds, SOUND)
        end_seconds = 8 - quiet_seconds
        judged = follower.update(
            levels, end_seconds=end_seconds, below_dbfs=-60.0, after_seconds=3.0
        )
        if judged:
            follower.put_off_end()
        silent.append(follower.silent)
    assert silent == [True, True, False]


def test_a_knock_does_not_end_silence():
    levels = seconds(8, QUIET) + seconds(0.5, SOUND) + seconds(8, QUIET)
    assert all(silent for _, _, silent in follow(levels))


def test_a_clock_that_ticks_after_music_does_not_keep_its_genre_for_ever():
    tick = seconds(0.25, SOUND) + seconds(1.75, QUIET)
    outcomes = follow(seconds(8, SOUND) + tick * 10)
    silent = [silent for _, _, silent in outcomes]
    assert silent[-1]
    assert all(after >= before for before, after in pairwise(silent))
