"""Which settings can change while the service runs, and which have to wait for a restart; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtgenre.config import values_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtgenre.config import Config

_LIVE_TABLES = frozenset({"smoothing", "lights", "colors", "log"})


def changed_settings(old: Config, new: Config) -> tuple[list[str], list[str]]:
    """Compare settings.

    Returns:
        What can change while running, and what needs a restart, each as ``[table] key``.
    """
    live: list[str] = []
    restart: list[str] = []
    for name in _changed(old, new):
        table = name[1:].partition("]")[0]
        (live if table in _LIVE_TABLES else restart).append(name)
    return live, restart


def with_live_settings(old: Config, new: Config) -> Config:
    """Return ``old`` with those settings of ``new`` that can change while running."""
    return old.model_copy(update={name: getattr(new, name) for name in _LIVE_TABLES})


def _changed(old: Config, new: Config) -> Iterator[str]:
    for table in type(old).model_fields:
        before, after = getattr(old, table), getattr(new, table)
        if before == after:
            continue
        if table == "source":
            yield "[source]"
            continue
        before_values, after_values = values_of(before), values_of(after)
        for key in before_values | after_values:
            if before_values.get(key) != after_values.get(key):
                yield f"[{table}] {key}"
