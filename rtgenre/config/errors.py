"""What is wrong with settings."""

from __future__ import annotations

from rtgenre.errors import RtgenreError


class ConfigError(RtgenreError):
    """A setting cannot be used; the message names the table, the key, the value and what may be."""
