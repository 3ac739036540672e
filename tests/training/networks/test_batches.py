from __future__ import annotations

import numpy as np

from training.networks.batches import ShuffledBatches


def batches(n: int, *, size: int = 4, drop_last: bool = False) -> ShuffledBatches:
    numbers = np.arange(n, dtype=np.float16)
    return ShuffledBatches(numbers[:, None], 10 * numbers, size, seed=1, drop_last=drop_last)


def test_every_row_is_seen_once_an_epoch_beside_its_own_target() -> None:
    made = batches(10)
    pairs = [made[index] for index in range(len(made))]
    inputs = np.concatenate([one[:, 0] for one, _ in pairs])
    targets = np.concatenate([one for _, one in pairs])
    assert sorted(inputs) == list(range(10))
    np.testing.assert_array_equal(targets, 10 * inputs)
    assert inputs.dtype == targets.dtype == np.float32


def test_each_epoch_has_an_order_of_its_own() -> None:
    made = batches(100)
    before = made.order
    made.on_epoch_end()
    assert not np.array_equal(made.order, before)


def test_a_last_batch_that_is_not_full_is_left_out_where_asked_unless_it_is_the_only_one() -> None:
    assert len(batches(10)) == 3
    assert len(batches(10, drop_last=True)) == 2
    assert len(batches(3, drop_last=True)) == 1
