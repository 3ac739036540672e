import threading

import numpy as np

from rtgenre.sources.block_queue import BlockQueue
from rtgenre.types import Block


def _block(number: int, *, gap: bool = False) -> Block:
    return Block(np.full((1, 1), number, np.float32), 8000, float(number), gap=gap)


def _drain(queue: BlockQueue) -> list[Block]:
    return list(iter(queue.take, None))


def test_what_waits_comes_out_as_one_block_in_the_order_it_went_in():
    queue = BlockQueue(4)
    assert [queue.push(_block(number)) for number in range(4)] == [n / 8000 for n in (1, 2, 3, 4)]
    (block,) = _drain(queue)
    assert block.samples[:, 0].tolist() == [0, 1, 2, 3]
    assert block.captured_at == 3
    assert not block.gap
    assert queue.dropped_blocks == 0


def test_audio_from_before_and_after_a_gap_is_not_joined():
    queue = BlockQueue(8)
    for number in range(6):
        queue.push(_block(number, gap=number in {0, 2, 5}))
    blocks = _drain(queue)
    assert [block.samples[:, 0].tolist() for block in blocks] == [[0, 1], [2, 3, 4], [5]]
    assert [block.captured_at for block in blocks] == [1, 4, 5]
    assert all(block.gap for block in blocks)
    assert queue.push(_block(6)) == 1 / 8000


def test_a_full_queue_drops_the_oldest_counts_it_and_marks_the_gap():
    queue = BlockQueue(2)
    for number in range(5):
        queue.push(_block(number))
    (kept,) = _drain(queue)
    assert kept.samples[:, 0].tolist() == [3, 4]
    assert kept.gap
    assert queue.dropped_blocks == 3


def test_no_block_is_lost_uncounted_between_two_threads():
    queue = BlockQueue(8)
    producer = threading.Thread(target=lambda: [queue.push(_block(n)) for n in range(5000)])
    producer.start()
    taken = []
    while producer.is_alive():
        taken += _drain(queue)
    producer.join()
    taken += _drain(queue)
    assert sum(len(block.samples) for block in taken) + queue.dropped_blocks == 5000
    expected = 0.0
    for block in taken:
        first = float(block.samples[0, 0])
        assert block.gap == (first != expected)
        assert np.all(np.diff(block.samples[:, 0]) == 1)
        expected = block.captured_at + 1
