"""Log messages on standard error, one line per event."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtgenre.config import Config


class _StandardErrorHandler(logging.Handler):
    """Writes to whatever ``sys.stderr`` is now, which the live readout replaces with its own."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            print(self.format(record), file=sys.stderr, flush=True)  # noqa: T201 - a log line
        except (OSError, ValueError):
            self.handleError(record)


def set_up_logging(config: Config) -> None:
    """Send the project's messages to standard error at the configured level."""
    handler = _StandardErrorHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("rtgenre")
    logger.handlers = [handler]
    logger.setLevel(config.log.level.upper())
    logger.propagate = False
