import numpy as np
import pytest

from rtgenre.tracking.recent import MAX_SECONDS, HeardWindow, RecentWindows
from rtgenre.types import Prediction, Track


def window(started_at, direction=(1.0, 0.0)):
    said = Prediction(np.array([0.5, 0.5], np.float32), 1.0, 1.0, np.array(direction, np.float32))
    return HeardWindow(said, started_at, started_at + 4.0)


def pushed(windows, track=None):
    recent = RecentWindows()
    for one in windows:
        recent.push(one, track)
    return recent


def starts(recent):
    return [one.started_at for one in recent.now()]


def test_no_more_than_the_last_minute_is_meant():
    recent = pushed(window(2.0 * n) for n in range(60))
    found = recent.now()
    assert found[-1].ended_at - found[0].started_at <= MAX_SECONDS
    assert len(found) == 29


@pytest.mark.parametrize("set_to", [1400.0, 5030.0])
def test_after_the_clock_was_set_back_only_what_was_heard_since_is_meant(set_to):
    recent = pushed(window(5000.0 + 2.0 * n) for n in range(20))
    for n in range(3):
        recent.push(window(set_to + 2.0 * n), None)
    assert starts(recent) == [set_to, set_to + 2.0, set_to + 4.0]


def test_another_title_is_other_music():
    recent = pushed([window(0.0), window(2.0)], track=Track("one"))
    assert starts(recent) == [0.0, 2.0]
    recent.push(window(4.0), Track("two"))
    assert starts(recent) == [4.0]


def test_music_that_sounds_otherwise_for_long_is_other_music():
    before = [window(2.0 * n, (-1.0, 0.1)) for n in range(10)]
    recent = pushed(before + [window(20.0 + 2.0 * n) for n in range(3)])
    assert starts(recent) == [20.0, 22.0, 24.0]


def test_what_came_before_other_music_is_not_meant_though_it_sounds_like_what_plays():
    other = [window(20.0 + 2.0 * n, (-1.0, 0.1)) for n in range(10)]
    recent = pushed([*(window(2.0 * n) for n in range(10)), *other, window(40.0)])
    assert starts(recent) == [40.0]


def test_how_strong_an_embedding_is_does_not_tell_music_apart():
    weak = [window(2.0 * n, (0.1, 0.0)) for n in range(10)]
    assert starts(pushed([*weak, window(20.0)]))[0] == 0.0
    strong_but_unlike = [window(2.0 * n, (2.0, 10.0)) for n in range(10)]
    assert starts(pushed([*strong_but_unlike, window(20.0)])) == [20.0]


def test_windows_across_a_change_do_not_lead_beyond_it():
    before = [window(1.0 * n, (0.0, 1.0)) for n in range(20)]
    across = [window(20.0 + n, (0.25 * (n + 1), 0.75 - 0.25 * n)) for n in range(3)]
    recent = pushed([*before, *across, window(23.0), window(24.0)])
    assert starts(recent)[0] >= 20.0


def test_a_short_break_belongs_to_the_music():
    windows = [window(2.0 * n) for n in range(10)]
    windows[5] = window(10.0, (-1.0, 0.1))
    assert starts(pushed(windows)) == [2.0 * n for n in range(10)]


def test_after_silence_nothing_is_meant():
    recent = pushed([window(0.0)])
    recent.clear()
    assert recent.now() == []
