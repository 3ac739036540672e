import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.sources.clock import CaptureClock


class HandClock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_a_clock_set_back_an_hour_keeps_timestamps_in_order_until_it_agrees_again():
    wall, monotonic = HandClock(10_000.0), HandClock(0.0)
    clock = CaptureClock(wall, monotonic)
    wall.now -= 3600
    stamps = []
    for _ in range(7300):
        wall.now += 1
        monotonic.now += 1
        stamps.append(clock())
    assert stamps == sorted(set(stamps))
    assert stamps[-1] == wall.now


def test_a_clock_set_forward_is_followed_at_once():
    wall, monotonic = HandClock(100.0), HandClock(0.0)
    clock = CaptureClock(wall, monotonic)
    wall.now += 86400
    assert clock() == pytest.approx(86500)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e4))))
def test_timestamps_stay_in_order_whatever_the_system_clock_does(steps):
    wall, monotonic = HandClock(1e9), HandClock(0.0)
    clock = CaptureClock(wall, monotonic)
    last = clock()
    for wall_step, monotonic_step in steps:
        wall.now += wall_step
        monotonic.now += monotonic_step
        assert clock() >= last
        last = clock()
