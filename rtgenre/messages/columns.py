"""The binary WebSocket message of one spectrogram column.

Little endian, 20 bytes and then one byte per mel band:

====== ======= ===============================================================
offset type    meaning
====== ======= ===============================================================
0      uint8   format, 1
1      uint8   source: its place in the hello message's ``sources``
2      uint16  number of mel bands
4      float64 end of the column in seconds, on the source's own clock
12     float64 Unix time at which that end was heard, in seconds
20     uint8[] one value per mel band, lowest first: 0 is silent, 255 is loud
====== ======= ===============================================================
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = 1
MAX_SOURCES = 256

_HEADER = struct.Struct("<BBHdd")


@dataclass(frozen=True, slots=True)
class SpectrogramColumn:
    """One column of a source's spectrogram."""

    source_index: int
    end_seconds: float
    captured_at: float
    values: NDArray[np.uint8]
    """``(n_mels,)``, lowest band first, 0 silent to 255 loud."""


def encode_column(column: SpectrogramColumn) -> bytes:
    """Write a column as a message.

    Raises:
        ValueError: the values are not ``(n_mels,)`` of uint8.
    """
    values = column.values
    if values.dtype != np.uint8 or values.ndim != 1:
        raise ValueError(f"values are {values.dtype} {values.shape}; they must be uint8 (n_mels,)")
    header = _HEADER.pack(
        FORMAT, column.source_index, len(values), column.end_seconds, column.captured_at
    )
    return header + values.tobytes()


def source_index_of(message: bytes) -> int:
    """Return the place among the ``sources`` of a column's message.

    Raises:
        ValueError: it is of another format, or its length is wrong.
    """
    if len(message) < _HEADER.size or message[0] != FORMAT:
        raise ValueError(f"not a spectrogram column of format {FORMAT}")
    _, source_index, n_mels, _, _ = _HEADER.unpack_from(message)
    if len(message) != _HEADER.size + n_mels:
        raise ValueError(f"{n_mels} mel bands are announced, {len(message)} bytes came")
    return int(source_index)


def with_source_index(message: bytes, source_index: int) -> bytes:
    """Return a column's message with another place among the ``sources``."""
    return message[:1] + bytes([source_index]) + message[2:]
