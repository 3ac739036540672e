import threading

import numpy as np

from rtgenre.sources.block_queue import BlockQueue
from rtgenre.types import Block


def _block(number: int, *, gap: bool = False) -> Block:
    return Block(np.full((1, 1), number, np.float32), 8000, float(number), gap=gap)


def _drain(queue: BlockQueue) -> list[Block]:
    return list(iter(queue.pop, None))


def test_blocks_come_out_in_the_order_they_went_in():
    queue = BlockQueue(4)
    for number in range(4):
        queue.push(_block(number))
    assert [block.captured_at for block in _drain(queue)] == [0, 1, 2, 3]
    assert queue.dropped_blocks == 0


def test_a_full_queue_drops_the_oldest_counts_it_and_marks_the_gap():
    queue = BlockQueue(2)
    for number in range(5):
        queue.push(_block(number))
    kept = _drain(queue)
    assert [block.captured_at for block in kept] == [3, 4]
    assert [block.gap for block in kept] == [True, False]
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
    assert len(taken) + queue.dropped_blocks == 5000
    expected = -1.0
    for block in taken:
        assert block.gap == (block.captured_at != expected + 1)
        expected = block.captured_at
