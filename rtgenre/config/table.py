"""What every table of settings is.

A table is a model of pydantic's, or a dataclass of pydantic's on top of a pure one that declares
the values. Either way a setting is declared once: its type, limits, default and what it does, as
the docstring below it. ``python -m scripts.settings_page`` writes config.toml and
docs/settings.md from these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo

TABLE_RULES = ConfigDict(extra="forbid", validate_default=True)
"""Unknown keys are errors."""


class SettingsTable(BaseModel):
    """A TOML table: unknown keys are errors, values never change."""

    model_config = ConfigDict(**TABLE_RULES, frozen=True)


def settings_of(table: Any) -> Mapping[str, FieldInfo]:
    """Return the settings of a table, by name; none of what is no table."""
    return getattr(table, "__pydantic_fields__", {})


def values_of(table: Any) -> dict[str, Any]:
    """Return the values of a table, by name."""
    if isinstance(table, dict):
        return dict(table)
    return {name: getattr(table, name) for name in settings_of(type(table))}
