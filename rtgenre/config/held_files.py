"""Files that settings name and that are read once, at the start: secrets and certificates."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from rtgenre.config.table import values_of

if TYPE_CHECKING:
    from pathlib import Path

    from rtgenre.config.settings import Config

_ENDING = "_file"


def held_files(config: Config) -> dict[str, str]:
    """Return what is in each such file now, as SHA-256, by ``[table] key``.

    It is empty for what cannot be read, or only once, such as a pipe.
    """
    digests: dict[str, str] = {}
    for table in type(config).model_fields:
        values = values_of(getattr(config, table))
        for key, path in values.items():
            if key.endswith(_ENDING) and path is not None:
                digests[f"[{table}] {key}"] = _digest(path)
    return digests


def _digest(path: Path) -> str:
    # What is in a pipe is for whoever needs it.
    if not path.is_file():
        return ""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
