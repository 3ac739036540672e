from hypothesis import given
from hypothesis import strategies as st

from rtgenre.sources.backoff import Backoff


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
