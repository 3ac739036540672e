import contextlib
import itertools
import os

import numpy as np
import pytest

from rtgenre.model.arrays import ArraysError, read_arrays, write_arrays

WANTED = {"values": ("float32", 2)}


def read(path):
    return read_arrays(path, WANTED, max_bytes=2**16)["values"]


def test_arrays_come_back_as_they_were(tmp_path):
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    write_arrays(tmp_path / "a.npz", {"values": values})
    np.testing.assert_array_equal(read(tmp_path / "a.npz"), values)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"others": np.zeros((1, 1), np.float32)}, "has no array 'values'"),
        ({"values": np.zeros((1, 1), np.float64)}, "values in .* is float64"),
        ({"values": np.zeros(3, np.float32)}, "float32 with 2 dimensions is needed"),
        ({"values": np.full((1, 1), np.nan, np.float32)}, "is not finite"),
        ({"values": np.zeros((200, 200), np.float32)}, "at most 65536 are read"),
    ],
)
def test_arrays_that_are_not_what_is_needed_are_refused(tmp_path, arrays, message):
    write_arrays(tmp_path / "a.npz", arrays)
    with pytest.raises(ArraysError, match=message):
        read(tmp_path / "a.npz")


def test_pickled_objects_are_never_loaded(tmp_path):
    np.savez(tmp_path / "a.npz", values=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ArraysError, match="cannot be read"):
        read(tmp_path / "a.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive at all"])
def test_damaged_files_are_refused(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ArraysError, match="cannot be read"):
        read(tmp_path / "a.npz")


def test_a_file_with_one_wrong_bit_is_refused_or_read(tmp_path):
    path = tmp_path / "a.npz"
    values = np.round(np.random.default_rng(3).standard_normal((8, 8)), 1).astype(np.float32)
    write_arrays(path, {"values": values})
    content = path.read_bytes()
    for at, bit in itertools.product(range(len(content)), (0x01, 0x20)):
        damaged = bytearray(content)
        damaged[at] ^= bit
        path.write_bytes(damaged)
        with contextlib.suppress(ArraysError):
            read(path)


def test_every_cut_of_a_file_is_refused_or_read_whole(tmp_path):
    path = tmp_path / "a.npz"
    write_arrays(path, {"values": np.ones((4, 4), np.float32)})
    content = path.read_bytes()
    for size in range(0, len(content), 7):
        path.write_bytes(content[:size])
        with pytest.raises(ArraysError):
            read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_rather_than_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.npz")
    with pytest.raises(ArraysError, match="is not a file"):
        read(tmp_path / "a.npz")
