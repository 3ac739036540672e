import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.sources.clock import CaptureClock
from rtgenre.types import CLOCK_STEP_SECONDS


class HandClock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_a_clock_that_is_adjusted_back_keeps_timestamps_in_order_until_it_agrees_again():
    wall, monotonic = HandClock(10_000.0), HandClock(0.0)
    clock = CaptureClock(wall, monotonic)
    wall.now -= 50
    stamps = []
    for _ in range(110):
        wall.now += 1
        monotonic.now += 1
        stamps.append(clock())
    assert stamps == sorted(set(stamps))
    assert stamps[-1] == wall.now


def test_a_clock_that_was_set_is_followed_at_once_with_one_warning(caplog):
    wall, monotonic = HandClock(1e9), HandClock(0.0)
    clock = CaptureClock(wall, monotonic)
    for step, words in ((86400.0, "ahead by 1 day"), (-86400.0, "back by 1 day")):
        caplog.clear()
        wall.now += step
        for _ in range(3):
            assert clock() == pytest.approx(wall.now)
            wall.now += 1
            monotonic.now += 1
        (message,) = caplog.messages
        assert words in message


def test_hours_between_two_stamps_are_no_step(caplog):
    wall, monotonic = HandClock(1e9), HandClock(0.0)
    clock = CaptureClock(wall, monotonic)
    wall.now += 10 * 3600
    monotonic.now += 10 * 3600
    assert clock() == wall.now
    assert not caplog.messages


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e4))))
def test_timestamps_are_never_further_from_the_system_clock_than_a_step(steps):
    wall, monotonic = HandClock(1e9), HandClock(0.0)
    clock = CaptureClock(wall, monotonic)
    for wall_step, monotonic_step in steps:
        wall.now += wall_step
        monotonic.now += monotonic_step
        assert 0 <= clock() - wall.now <= CLOCK_STEP_SECONDS
