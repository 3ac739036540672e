"""A clock that jumps, and a machine that sleeps: timestamps stay ordered and close to the truth."""

import itertools
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.service.pipeline import Pipeline
from rtgenre.sources.clock import CaptureClock
from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.types import CLOCK_STEP_SECONDS, Block
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
def test_times_run_backwards_only_when_the_clock_was_set_back(offsets, gaps):
    found = documents(offsets, gaps)
    times = [seconds(document["time"]) for document in found]
    backwards = [b - a for a, b in itertools.pairwise(times) if b < a]
    assert all(step < -CLOCK_STEP_SECONDS + 0.01 + HOP_SECONDS for step in backwards)
    assert all(seconds(d["since"]) <= seconds(d["time"]) for d in found)
    sequence = [document["sequence"] for document in found]
    assert sequence == list(range(len(found)))
    ends = [document["window_end_seconds"] for document in found]
    assert ends == sorted(ends)


@given(st.lists(st.floats(-CLOCK_STEP_SECONDS / 2, CLOCK_STEP_SECONDS / 2), max_size=20))
def test_times_stay_in_order_while_the_clock_is_only_adjusted(offsets):
    times = [seconds(document["time"]) for document in documents(offsets)]
    assert times == sorted(times)


def test_a_clock_set_an_hour_ahead_is_followed_at_once():
    found = documents([0, 0, 0, HOUR, HOUR, HOUR])
    assert seconds(found[-1]["time"]) == BEGIN + 6 * HOP_SECONDS + HOUR


def test_a_clock_set_an_hour_back_is_followed_at_once_and_since_goes_with_it():
    found = documents([0] * 5 + [-HOUR] * 3)
    assert seconds(found[-1]["time"]) == BEGIN + 8 * HOP_SECONDS - HOUR
    assert shown_seconds(found[-1]) == shown_seconds(found[3]) + 3 * HOP_SECONDS


def test_a_clock_that_was_400_days_ahead_for_six_seconds_leaves_nothing_wrong():
    found = documents([0, 0, 0] + [400 * 24 * HOUR] * 3 + [0] * 3)
    times = [seconds(document["time"]) for document in found]
    assert times[-3:] == [BEGIN + HOP_SECONDS * hop for hop in (7, 8, 9)]
    shown = [shown_seconds(document) for document in found]
    assert shown == [HOP_SECONDS * hop for hop in range(len(found))]


def test_a_clock_a_minute_ahead_of_itself_is_waited_for():
    found = documents([0, 0, 0] + [-30] * 33)
    assert seconds(found[-1]["time"]) == BEGIN + 36 * HOP_SECONDS - 30
    steps = [seconds(b["time"]) - seconds(a["time"]) for a, b in itertools.pairwise(found)]
    assert min(steps) >= HOP_SECONDS / 2 - 0.002


def shown_seconds(document):
    return round(seconds(document["time"]) - seconds(document["since"]), 3)


def test_hours_of_sleep_are_a_gap_and_the_present_time_goes_on():
    asleep = [0, 0, 0] + [8 * HOUR] * 4
    found = documents(asleep, gaps={3})
    assert len(found) == 2 + 3
    assert seconds(found[2]["time"]) == BEGIN + 5 * HOP_SECONDS + 8 * HOUR


@pytest.mark.parametrize("lost_seconds", [15.0, 8 * HOUR])
def test_what_is_heard_after_a_long_outage_is_shown_since_then(lost_seconds):
    found = documents([0] * 5 + [lost_seconds] * 4, gaps={5})
    before, after = found[:4], found[4:]
    assert {d["genre"] for d in found} == {"jazz"}
    assert {d["since"] for d in before} == {before[0]["time"]}
    assert {d["since"] for d in after} == {after[0]["time"]}


def test_a_stumble_of_seconds_does_not_change_since_when_a_genre_is_shown():
    found = documents([0] * 5 + [5.0] * 4, gaps={5})
    assert {d["since"] for d in found} == {found[0]["time"]}
