import numpy as np
import pytest

from rtgenre.sources.base import AudioSource
from rtgenre.sources.live_blocks import LiveBlocks
from rtgenre.sources.live_pace import LivePace

from .conftest import Heard

RATE_HZ = 1000


class _Source(AudioSource):
    def __init__(self):
        super().__init__("test", live=True)
        self.wanted_seconds = lambda: 0.1

    async def run(self, deliver):
        raise NotImplementedError


async def _at_once(_seconds):
    pass


@pytest.fixture
def source():
    return _Source()


@pytest.fixture
def blocks(source):
    pace = LivePace(monotonic=lambda: 0.0, sleep=_at_once)
    return LiveBlocks(source, RATE_HZ, 2, clock=lambda: 7.0, pace=pace)


def _sound(n_samples):
    return np.arange(2 * n_samples, dtype=np.float32).reshape(-1, 2)


async def test_pieces_of_any_size_become_blocks_of_the_size_that_is_wanted(blocks):
    heard, sound = Heard(), _sound(250)
    for piece in np.split(sound, [1, 60, 230]):
        await blocks.push(piece, heard)
    assert [len(one.samples) for one in heard.blocks] == [100, 100]
    await blocks.finish(heard)
    await blocks.finish(heard)
    assert [len(one.samples) for one in heard.blocks] == [100, 100, 50]
    np.testing.assert_array_equal(heard.samples(), sound)
    assert blocks.delivered_seconds == pytest.approx(0.25)
    assert {(one.sample_rate_hz, one.captured_at) for one in heard.blocks} == {(RATE_HZ, 7.0)}


async def test_more_is_delivered_at_once_as_soon_as_more_is_wanted(blocks, source):
    heard = Heard()
    await blocks.push(_sound(99), heard)
    source.wanted_seconds = lambda: 0.02
    await blocks.push(_sound(1), heard)
    assert [len(one.samples) for one in heard.blocks] == [20] * 5


async def test_sound_ends_a_problem_and_counts_as_opened_again_only_if_some_was_lost(
    blocks, source
):
    heard = Heard()
    source.problem = "nothing was written yet"
    await blocks.push(_sound(100), heard)
    assert (source.problem, source.reopens, heard.blocks[-1].gap) == (None, 0, False)
    source.problem, blocks.gap = "the stream ended", True
    await blocks.push(_sound(200), heard)
    assert (source.problem, source.reopens) == (None, 1)
    assert [one.gap for one in heard.blocks[1:]] == [True, False]


async def test_what_was_not_delivered_before_a_loss_is_not_put_before_what_comes_after_it(blocks):
    heard = Heard()
    await blocks.push(_sound(50), heard)
    blocks.drop_rest()
    await blocks.push(_sound(100) + 500, heard)
    np.testing.assert_array_equal(heard.samples(), _sound(100) + 500)
