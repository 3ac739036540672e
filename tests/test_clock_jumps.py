"""A clock that jumps, and a machine that sleeps: timestamps stay ordered and close to the truth."""

import itertools
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from rtgenre.pipeline import Pipeline
from rtgenre.smoothing import TrackerParams
from rtgenre.sources.clock import CaptureClock
from rtgenre.types import Block
from tests.networks import INFO, tone_classifier
from tests.signals import tone

HOUR = 3600.0
RATE_HZ = 22050
BEGIN = 1_700_000_000.0
HOP_SECONDS = 2.0


def documents(offsets, gaps=frozenset()):
    """Return what is published when the clock is wrong by ``offsets`` from hop to hop."""
    pipeline = Pipeline(
        node="den",
        source="test",
        channel="mix",
        hop_seconds=HOP_SECONDS,
        info=INFO,
        tracker_params=TrackerParams(),
    )
    prediction = tone_classifier().predict(_features())[0]
    samples = tone(200, HOP_SECONDS)[:, None]
    elapsed, error = 0.0, 0.0
    clock = CaptureClock(wall=lambda: BEGIN + elapsed + error, monotonic=lambda: elapsed)
    found = []
    for hop, offset in enumerate(offsets):
        elapsed, error = HOP_SECONDS * (hop + 1), offset
        block = Block(samples, RATE_HZ, clock(), gap=hop in gaps)
        found += [
            pipeline.conclude(window, prediction, latency_seconds=0.01)
            for window in pipeline.push(block)
        ]
    return found


def _features():
    import numpy as np

    return np.zeros((1, INFO.features.n_frames, INFO.features.n_mels), dtype=np.float32)


def seconds(stamp):
    return datetime.fromisoformat(stamp).timestamp()


@given(
    st.lists(st.floats(-2 * HOUR, 2 * HOUR), min_size=3, max_size=20),
    st.sets(st.integers(0, 19), max_size=3),
)
def test_times_never_run_backwards_whatever_the_clock_does(offsets, gaps):
    found = documents(offsets, gaps)
    times = [seconds(document["time"]) for document in found]
    assert times == sorted(times)
    assert all(seconds(d["since"]) <= seconds(d["time"]) for d in found)
    sequence = [document["sequence"] for document in found]
    assert sequence == list(range(len(found)))
    ends = [document["window_end_seconds"] for document in found]
    assert ends == sorted(ends)


def test_a_clock_set_an_hour_ahead_is_followed_at_once():
    found = documents([0, 0, 0, HOUR, HOUR, HOUR])
    assert seconds(found[-1]["time"]) == BEGIN + 6 * HOP_SECONDS + HOUR


def test_a_clock_set_an_hour_back_is_waited_for_and_then_followed():
    # At half speed an hour is caught up after two: 3600 hops of 2 s.
    found = documents([0, 0, 0] + [-HOUR] * 3700)
    assert seconds(found[-1]["time"]) == BEGIN + 3703 * HOP_SECONDS - HOUR
    steps = [seconds(b["time"]) - seconds(a["time"]) for a, b in itertools.pairwise(found)]
    assert min(steps) >= HOP_SECONDS / 2 - 0.002


def test_hours_of_sleep_are_a_gap_and_the_present_time_goes_on():
    asleep = [0, 0, 0] + [8 * HOUR] * 4
    found = documents(asleep, gaps={3})
    assert len(found) == 2 + 3
    assert seconds(found[2]["time"]) == BEGIN + 5 * HOP_SECONDS + 8 * HOUR
