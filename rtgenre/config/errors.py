"""What is wrong with settings."""

from __future__ import annotations

from rtgenre.errors import WrongSettings


class ConfigError(WrongSettings):
    """A setting cannot be used; the message names the table, the key, the value and what may be."""
