"""Plain numbers on disk: ``.npz`` files whose arrays are checked before they take any memory."""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from tokenize import TokenError
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]


# What zipfile and numpy raise where a file is damaged; RuntimeError where it says it is encrypted.
_DAMAGED = (
    OSError,
    ValueError,
    EOFError,
    RuntimeError,
    TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


class ArraysError(ValueError):
    """A file does not hold the arrays that are needed; the message says what was found."""


def read_arrays(
    path: Path,
    wanted: Mapping[str, tuple[str, int]],
    *,
    max_bytes: int,
    may_lack: Collection[str] = (),
) -> Arrays:
    """Read the arrays that are wanted, and no others.

    Args:
        path: an ``.npz`` file.
        wanted: type, such as ``float32``, and number of dimensions of each array, by name.
        max_bytes: what all arrays together may take in memory.
        may_lack: arrays that older files do not have; they are left out.

    Raises:
        ArraysError: it is no such file, an array is missing, of another type or shape, not
            finite, or too large.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ArraysError(f"{path} is not a file")
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > max_bytes:
            raise ArraysError(f"{path} holds {size} bytes; at most {max_bytes} are read")
        with np.load(path, allow_pickle=False) as kept:
            return {
                name: _checked(path, kept, name, *kind)
                for name, kind in wanted.items()
                if name in kept or name not in may_lack
            }
    except _DAMAGED as error:
        if isinstance(error, ArraysError):
            raise
        raise ArraysError(f"{path} cannot be read: {error}") from error


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write arrays so that the file is there whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _checked(path: Path, kept: Any, name: str, dtype: str, n_dimensions: int) -> NDArray[Any]:
    if name not in kept:
        raise ArraysError(f"{path} has no array {name!r}")
    array: NDArray[Any] = kept[name]
    if array.dtype != dtype or array.ndim != n_dimensions:
        raise ArraysError(
            f"{name} in {path} is {array.dtype} {list(array.shape)}; {dtype} with {n_dimensions} "
            "dimensions is needed"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ArraysError(f"{name} in {path} is not finite")
    return array
