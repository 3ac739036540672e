"""Files that settings name and that are read once, at the start: secrets and certificates."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from rtgenre.config.table import values_of
from rtgenre.threads import SerialThread

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    from rtgenre.config.settings import Config

_ENDING = "_file"

logger = logging.getLogger(__name__)


class HeldFiles:
    """Such files of a service, as they were at its start."""

    def __init__(self, config: Config) -> None:
        """Read them."""
        self._config = config
        self._at_start = held_files(config)
        self._thread = SerialThread("held files")

    def tell_changed(self) -> Future[None]:
        """Say in the log which of them hold something else by now, without waiting for the disk.

        Returns:
            A future that is done once that is said.
        """
        return self._thread.submit(self._tell)

    def _tell(self) -> None:
        now = held_files(self._config)
        # What was read stays in use.
        changed = [name for name, digest in now.items() if digest != self._at_start[name]]
        if changed:
            told = ", ".join(f"{name} (what it holds)" for name in changed)
            logger.warning("changes that need a restart: %s", told)


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
