"""What is wrong with settings."""

from __future__ import annotations


class ConfigError(Exception):
    """A setting cannot be used; the message names the table, the key, the value and what may be."""
