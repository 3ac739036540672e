"""What a hub knows of one node; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtgenre.hub.claims import MAX_REMEMBERED, Claims
from rtgenre.messages.payload import presence_document
from rtgenre.messages.taught import TeachError
from rtgenre.types import CLOCK_STEP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.messages.documents import (
        AboutDocument,
        HelloDocument,
        PresenceDocument,
        StateDocument,
        StatusDocument,
    )

SILENT_SECONDS = 60.0
"""A node that is online, names no problem and says nothing for so long is not well."""

CLOCK_OFF_FOR_SECONDS = 10.0
"""A broker that was cut off passes on what it has kept within a few seconds."""


class Node:
    """One name under the topic prefix, and the process that is shown under it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.claims = Claims()
        self.was_heard = False
        """Whether it said anything itself; the broker also tells what was said long ago."""
        self.is_online = False
        self.is_confirmed = False
        """Whether the broker said whether it is online since the hub has connected to it."""
        self.input_problem: str | None = None
        """Why the node hears nothing, in its own words."""
        self.spectrogram_problem: str | None = None
        self.clock_ahead_seconds = 0.0
        """How far its clock is ahead of the hub's, by what it said last."""
        self._clock_off_since: float | None = None
        self._abouts: dict[str, AboutDocument] = {}
        # Whose messages the broker's word about its availability follows.
        self._introduced_last = ""

    @property
    def about(self) -> AboutDocument | None:
        """What the node tells of itself; None before it did."""
        return self._abouts.get(self.claims.holder or "")

    @property
    def hello(self) -> HelloDocument | None:
        """What it greets its own clients with."""
        return None if self.about is None else self.about["hello"]

    @property
    def away(self) -> str | None:
        """Why nobody is there, as the broker says; None while somebody is."""
        if self.is_online or not self.is_confirmed:
            return None
        return f"rtgenre on {self._host} has stopped, or does not reach the broker"

    def on_about(self, about: AboutDocument, now: float, *, live: bool) -> bool:
        """Take in what a process tells of itself; return whether it is the one that is shown."""
        instance = about["instance"]
        self._abouts.pop(instance, None)
        self._abouts[instance] = about
        while len(self._abouts) > MAX_REMEMBERED:
            oldest = next(each for each in self._abouts if each != self.claims.holder)
            del self._abouts[oldest]
        self._introduced_last = instance
        self.claims.introduce(instance, about["host"])
        return self._admits(instance, now, live=live)

    def on_availability(self, is_online: bool, now: float) -> None:
        """Take in whether a process came or went."""
        self.is_confirmed = True
        if self._introduced_last != (self.claims.holder or ""):
            return
        self.is_online = is_online
        if is_online:
            self.claims.heard_at = now
        else:
            self.claims.leave()

    def on_lost(self) -> None:
        """Note that the broker no longer knows of the node."""
        self.is_confirmed = True
        self.is_online = False
        self.claims.leave()

    def on_document(
        self, document: StateDocument | StatusDocument, now: float, *, live: bool
    ) -> bool:
        """Take in a document; return whether it is from the process that is shown."""
        instance = document["instance"]
        if instance not in self._abouts or not self._admits(instance, now, live=live):
            return False
        if document["type"] == "status":
            self.input_problem = document["problem"]
        return True

    def on_time(self, ahead_seconds: float, now: float) -> None:
        """Take in how far its clock is ahead, by a document that has just come."""
        self.clock_ahead_seconds = ahead_seconds
        if abs(ahead_seconds) <= CLOCK_STEP_SECONDS:
            self._clock_off_since = None
        elif self._clock_off_since is None:
            self._clock_off_since = now

    def clock_is_off(self, now: float) -> bool:
        """Say whether its clock is wrong, or the hub's; what only came late does not last."""
        since = self._clock_off_since
        return self.is_online and since is not None and now - since >= CLOCK_OFF_FOR_SECONDS

    def presence(self, now: float, *, time: float) -> PresenceDocument:
        """Return what to say about the node.

        Args:
            now: on the clock that never runs backwards.
            time: Unix time in seconds.
        """
        is_silent = (
            self.is_online
            and self.input_problem is None
            and now - self.claims.heard_at > SILENT_SECONDS
        )
        return presence_document(
            node=self.name,
            instance=self.claims.holder or "",
            present=self.is_online and not is_silent,
            problem=self._problem(now, is_silent=is_silent),
            spectrogram_problem=self.spectrogram_problem,
            time=time,
        )

    def _admits(self, instance: str, now: float, *, live: bool) -> bool:
        holder = self.claims.holder
        if not self.claims.admits(instance, now, live=live):
            return False
        if instance != holder:
            self.input_problem = None
            self.spectrogram_problem = None
            if holder is not None:
                # A process that speaks is there.
                self.is_online = live
        return True

    def _problem(self, now: float, *, is_silent: bool) -> str | None:
        machines = self.claims.contenders(now)
        if machines:
            shown, other = machines[0], machines[1]
            found = (
                f"two rtgenre on {shown} call themselves {self.name}"
                if shown == other
                else f"rtgenre on {shown} and on {other} both call themselves {self.name}"
            )
            return (
                f"{found}; only the first is shown. Give one of them another name: "
                "[source] node, or --node"
            )
        if is_silent:
            return f"rtgenre on {self._host} has said nothing for a while, though it is online"
        return self.away

    @property
    def _host(self) -> str:
        return "its machine" if self.about is None else self.about["host"]


def node_named(name: str, nodes: Sequence[Node]) -> Node:
    """Find the node that somebody asks about what was taught there.

    Raises:
        TeachError: none is called so; it says which there are.
    """
    for node in nodes:
        if node.name == name:
            return node
    names = ", ".join(node.name for node in nodes)
    raise TeachError(f"node is {name!r}; it may be {names or 'none yet'}")
