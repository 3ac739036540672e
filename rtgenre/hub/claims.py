"""Decides which process speaks for a node, when several call themselves by its name; pure.

A process that was started anew takes over as soon as the one before has left. One on another
machine waits a little longer: two that are alive give themselves away because the first speaks
again, and then only the first is shown.
"""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")

HANDOVER_SECONDS = 10.0
"""How long the one before must have been silent, where it did not leave on the same machine."""
RIVALRY_SECONDS = 150.0
"""The same where two are known to be alive: more than a node waits until it reconnects."""
MAX_REMEMBERED = 8


class Claims:
    """The processes that were heard under one name, and the one that is shown: the holder."""

    def __init__(self) -> None:
        self.holder: str | None = None
        """The instance that is shown; None before the first."""
        self.heard_at = 0.0
        """When it was heard last, on a clock that never runs backwards."""
        self._has_left = False
        # Machines by instance, the newest last; and instances that held the name before.
        self._hosts: dict[str, str] = {}
        self._former: dict[str, None] = {}
        # When others spoke last, and whether two were proven to be alive at once.
        self._rivals: dict[str, float] = {}
        self._is_contested = False

    def introduce(self, instance: str, host: str) -> None:
        """Note on which machine an instance runs."""
        _remember(self._hosts, instance, host)

    def admits(self, instance: str, now: float, *, live: bool) -> bool:
        """Say whether what an instance says is shown, and note that it spoke.

        Args:
            instance: who speaks.
            now: the time, in seconds.
            live: whether it speaks now; the broker also tells what was said long ago.
        """
        if self.holder is None:
            self._take_over(instance, now)
            return True
        if instance == self.holder:
            if live:
                self._is_contested |= bool(self._living_rivals(now))
                self.heard_at = now
                self._has_left = False
            return True
        if not live:
            return False
        _remember(self._rivals, instance, now)
        self._is_contested |= instance in self._former
        if now - self.heard_at < self._patience_seconds(instance):
            return False
        self._take_over(instance, now)
        return True

    def leave(self) -> None:
        """Note that the holder has left, or was cut off."""
        self._has_left = True

    def contenders(self, now: float) -> list[str]:
        """Return the machines, the shown one first, where two are alive; else nothing."""
        rivals = self._living_rivals(now)
        if not rivals:
            self._is_contested = False
        if not self._is_contested:
            return []
        return [self._hosts.get(each, "?") for each in (self.holder or "", *rivals)]

    def _living_rivals(self, now: float) -> list[str]:
        return [each for each, heard_at in self._rivals.items() if now - heard_at < RIVALRY_SECONDS]

    def _patience_seconds(self, instance: str) -> float:
        if self._is_contested:
            return RIVALRY_SECONDS
        host = self._hosts.get(instance)
        is_restart = host is not None and host == self._hosts.get(self.holder or "")
        return 0.0 if is_restart and self._has_left else HANDOVER_SECONDS

    def _take_over(self, instance: str, now: float) -> None:
        if self.holder is not None:
            _remember(self._former, self.holder, None)
        self._former.pop(instance, None)
        self._rivals.pop(instance, None)
        self.holder = instance
        self.heard_at = now
        self._has_left = False


def _remember(memory: dict[str, T], key: str, value: T) -> None:
    """Put a value last, and forget the first where there are too many."""
    memory.pop(key, None)
    memory[key] = value
    if len(memory) > MAX_REMEMBERED:
        del memory[next(iter(memory))]
