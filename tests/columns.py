"""Reads the binary message of a spectrogram column, as clients do."""

import struct

import numpy as np

from rtgenre.messages.columns import FORMAT, SpectrogramColumn

_HEADER = struct.Struct("<BBHdd")


def decode_column(message: bytes) -> SpectrogramColumn:
    """Read a message that ends with its last mel band."""
    column_format, source_index, n_mels, end_seconds, captured_at = _HEADER.unpack_from(message)
    assert column_format == FORMAT
    values = np.frombuffer(message, dtype=np.uint8, offset=_HEADER.size)
    assert len(values) == n_mels
    return SpectrogramColumn(source_index, end_seconds, captured_at, values)
