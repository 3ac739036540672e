"""Numbers of half precision as bytes, as the file and its exports keep them; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rtgenre.types import FloatArray

_BYTES_EACH = 2


def values_to_bytes(values: FloatArray) -> bytes:
    """Write ``(n, n_columns)``."""
    return values.astype("<f2").tobytes()


def values_from_bytes(content: bytes, n_columns: int, *, at_most: int) -> FloatArray:
    """Read ``(n, n_columns)``.

    Args:
        content: what ``values_to_bytes`` gave.
        n_columns: at least 1.
        at_most: rows.

    Raises:
        ValueError: it is not that, not finite, or more rows than are possible.
    """
    if len(content) > at_most * n_columns * _BYTES_EACH:
        raise ValueError(f"it holds more than {at_most} windows")
    values = np.frombuffer(content, "<f2").astype(np.float32).reshape(-1, n_columns)
    if not len(values) or not np.isfinite(values).all():
        raise ValueError("it holds no values, or some that are not numbers")
    return values
