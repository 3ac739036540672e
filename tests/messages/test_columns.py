from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.messages.column_hub import MAX_WAITING_COLUMNS, ColumnHub
from rtgenre.messages.columns import (
    SpectrogramColumn,
    encode_column,
    source_index_of,
    with_source_index,
)
from tests.columns import decode_column


@given(st.integers(0, 255), st.floats(0, 1e9), st.floats(0, 1e10), st.lists(st.integers(0, 255)))
def test_a_column_comes_back_as_it_was(source: int, end: float, at: float, values: list[int]):
    message = encode_column(SpectrogramColumn(source, end, at, np.array(values, dtype=np.uint8)))
    assert len(message) == 20 + len(values)
    column = decode_column(message)
    assert (column.source_index, column.end_seconds, column.captured_at) == (source, end, at)
    assert column.values.tolist() == values


def test_the_layout_is_the_one_that_is_written_down():
    message = encode_column(SpectrogramColumn(2, 1.5, 3.0, np.array([7, 9], dtype=np.uint8)))
    assert message == bytes.fromhex("01 02 0200 000000000000f83f 0000000000000840 07 09")


@pytest.mark.parametrize("values", [np.zeros((1, 2), np.uint8), np.zeros(2, np.float32)])
def test_other_values_are_refused(values: np.ndarray):
    with pytest.raises(ValueError, match="must be uint8"):
        encode_column(SpectrogramColumn(0, 0.0, 0.0, values))


def test_a_column_that_is_passed_on_differs_in_its_source_alone():
    message, passed_on = (
        encode_column(SpectrogramColumn(source, 1.5, 3.0, np.array([7, 9], dtype=np.uint8)))
        for source in (2, 5)
    )
    assert source_index_of(message) == 2
    assert with_source_index(message, 5) == passed_on


NO_BANDS = encode_column(SpectrogramColumn(2, 1.5, 3.0, np.zeros(0, np.uint8)))


@pytest.mark.parametrize(
    "message", [b"", NO_BANDS[:-1], b"\x02" + NO_BANDS[1:], NO_BANDS + b"\x00"]
)
def test_what_is_no_whole_column_of_this_format_is_not_passed_on(message: bytes):
    assert source_index_of(NO_BANDS) == 2
    with pytest.raises(ValueError, match=r"format 1|mel bands"):
        source_index_of(message)


async def test_a_slow_viewer_loses_the_oldest_columns():
    hub = ColumnHub(["den", "hall"])
    column = np.zeros(4, dtype=np.uint8)
    hub.publish("hall", column, 0.0, 0.0)
    with hub.subscribe() as subscription:
        assert hub.is_watched("den")
        for index in range(MAX_WAITING_COLUMNS + 3):
            hub.publish("hall", column, float(index), 0.0)
        first = decode_column(await subscription.get())
        assert (first.source_index, first.end_seconds) == (1, 3.0)
        assert subscription.dropped == 3
        for _ in range(MAX_WAITING_COLUMNS - 1):
            await subscription.get()
        waiting = asyncio.create_task(subscription.get())
        await asyncio.sleep(0)
        hub.publish("den", column, 99.0, 0.0)
        assert decode_column(await waiting).source_index == 0
    assert not hub.is_watched("den")
