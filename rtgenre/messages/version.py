"""Which version of the JSON documents this is, for those who build them: they need no pydantic."""

from typing import Final

SCHEMA_VERSION: Final = 2
"""Grows when a field is removed or changes its meaning; new fields may come without it."""
