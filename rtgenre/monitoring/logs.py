"""Log messages on standard error: one line per event, as text or JSON, without secrets."""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import TYPE_CHECKING

from pydantic import BaseModel, SecretStr

from rtgenre.errors import one_line
from rtgenre.messages.payload import iso_utc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtgenre.config import Config

MASK = "********"

_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/\s@]+(?=@)")
_SHORTEST_SECRET_CHARACTERS = 4
"""Shorter ones would blank out harmless words; they are refused or warned about elsewhere."""


class _StandardErrorHandler(logging.Handler):
    """Writes to whatever ``sys.stderr`` is now, which the live readout replaces with its own."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            print(self.format(record), file=sys.stderr, flush=True)
        except (OSError, ValueError):
            self.handleError(record)


class TextFormatter(logging.Formatter):
    """For people: the local time, the level and the message, with secrets masked."""

    def __init__(self, secrets: frozenset[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        return mask(super().format(record), self._secrets)

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Write the record's line, to which only a traceback adds others."""
        record.message = one_line(record.message)
        return super().formatMessage(record)


class JsonFormatter(logging.Formatter):
    """For log collectors: one JSON object per event, always on one line, with secrets masked."""

    def __init__(self, secrets: frozenset[str]) -> None:
        super().__init__()
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        event = {
            "time": iso_utc(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask(record.getMessage(), self._secrets),
        }
        if record.exc_info:
            event["exception"] = mask(self.formatException(record.exc_info), self._secrets)
        # In ASCII: a terminal obeys what other characters command, in JSON too.
        return json.dumps(event)


def set_up_logging(config: Config) -> None:
    """Send the project's messages to standard error at the configured level and in its format."""
    secrets = frozenset(_secrets(config))
    handler = _StandardErrorHandler()
    handler.setFormatter(
        JsonFormatter(secrets) if config.log.format == "json" else TextFormatter(secrets)
    )
    # asyncio reports exceptions that nobody waited for.
    for name, level in (("rtgenre", config.log.level.upper()), ("asyncio", "WARNING")):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False


def mask(text: str, secrets: frozenset[str] = frozenset()) -> str:
    """Return ``text`` without any of ``secrets`` and without the user and password of URLs."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _CREDENTIALS_IN_URL.sub(MASK, text)


def _secrets(table: BaseModel) -> Iterator[str]:
    """Yield the value of every secret setting, at any depth."""
    for _, value in table:
        if isinstance(value, SecretStr):
            if len(value.get_secret_value()) >= _SHORTEST_SECRET_CHARACTERS:
                yield value.get_secret_value()
        elif isinstance(value, BaseModel):
            yield from _secrets(value)
