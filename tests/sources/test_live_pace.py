import pytest

from rtgenre.sources.live_pace import LivePace


class Time:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self):
        self.now_seconds = 1000.0

    def __call__(self):
        return self.now_seconds

    async def sleep(self, seconds):
        self.now_seconds += seconds


async def _passed_at(pace, time, n_blocks, block_seconds=0.1):
    began_at = time.now_seconds
    passed = []
    for _ in range(n_blocks):
        await pace.wait(block_seconds)
        passed.append(time.now_seconds - began_at)
    return passed


async def test_what_is_sent_ahead_passes_as_it_is_heard_and_a_sender_may_be_a_little_faster():
    time = Time()
    pace = LivePace(monotonic=time, sleep=time.sleep)
    passed = await _passed_at(pace, time, 101)
    assert passed[0] == 0
    assert passed[-1] == pytest.approx(10.0 / 1.02, abs=0.01)


async def test_a_block_that_comes_late_passes_at_once_and_the_next_one_waits():
    time = Time()
    pace = LivePace(monotonic=time, sleep=time.sleep)
    await pace.wait(0.1)
    time.now_seconds += 5.0
    first, second = await _passed_at(pace, time, 2)
    assert first == 0
    assert second == pytest.approx(0.1, abs=0.01)


async def test_so_much_of_what_comes_late_passes_at_once_as_was_allowed():
    time = Time()
    pace = LivePace(late_seconds=1.0, monotonic=time, sleep=time.sleep)
    await pace.wait(0.1)
    time.now_seconds += 5.0
    passed = await _passed_at(pace, time, 20)
    assert passed[9] == 0
    assert passed[-1] == pytest.approx(1.0, abs=0.1)
