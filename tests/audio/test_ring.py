import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.audio.ring import RingBuffer


@given(
    capacity=st.integers(1, 50),
    sizes=st.lists(st.integers(0, 120), max_size=20),
)
def test_holds_exactly_the_newest_samples_however_they_are_written(capacity, sizes):
    ring = RingBuffer(capacity)
    signal = np.arange(sum(sizes), dtype=np.float32)
    written = 0
    for size in sizes:
        ring.write(signal[written : written + size])
        written += size
        assert ring.end_sample == written
        kept = ring.read(ring.start_sample, ring.end_sample)
        np.testing.assert_array_equal(kept, signal[max(0, written - capacity) : written])


def test_memory_is_allocated_once():
    ring = RingBuffer(1000)
    memory = ring._samples
    for _ in range(100):
        ring.write(np.ones(333, dtype=np.float32))
    assert ring._samples is memory


def test_overwritten_and_future_samples_are_refused_with_what_is_there():
    ring = RingBuffer(10)
    ring.write(np.zeros(25, dtype=np.float32))
    for start, end in [(14, 20), (20, 26), (22, 20)]:
        with pytest.raises(IndexError, match=r"holds \[15, 25\)"):
            ring.read(start, end)


def test_what_was_read_does_not_change_with_later_writes():
    ring = RingBuffer(4)
    ring.write(np.arange(4, dtype=np.float32))
    before = ring.read(0, 4)
    ring.write(np.full(4, 9, dtype=np.float32))
    np.testing.assert_array_equal(before, [0, 1, 2, 3])


def test_no_capacity_is_refused():
    with pytest.raises(ValueError, match="0 samples"):
        RingBuffer(0)
