from hypothesis import given
from hypothesis import strategies as st

from rtgenre.sources.backoff import STEADY_SECONDS, Backoff


def test_delays_double_up_to_the_longest_and_begin_again_after_success():
    backoff = Backoff(0.5, 5.0, uniform=lambda _low, high: high)
    assert [backoff.next_seconds() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.reset()
    assert backoff.next_seconds() == 0.5


@given(st.integers(1, 30))
def test_chance_never_makes_a_delay_vanish_or_grow_past_the_longest(n_tries):
    backoff = Backoff(0.5, 5.0)
    for _ in range(n_tries):
        assert 0.375 <= backoff.next_seconds() <= 5.0


def test_what_worked_for_long_is_soon_tried_again_and_what_failed_soon_is_not():
    backoff = Backoff(1.0, 60.0, uniform=lambda _, longest: longest)
    assert [backoff.next_seconds(), backoff.next_seconds()] == [1.0, 2.0]
    backoff.lasted(STEADY_SECONDS)
    assert backoff.next_seconds() == 4.0
    backoff.lasted(STEADY_SECONDS + 1.0)
    assert backoff.next_seconds() == 1.0
