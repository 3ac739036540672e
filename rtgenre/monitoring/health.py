"""Says whether every source is being heard; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NotRequired

from typing_extensions import TypedDict

from rtgenre.messages.fields import NotNegative

if TYPE_CHECKING:
    from collections.abc import Sequence


class NodeHealthDocument(TypedDict):
    """For each room: whether it is heard."""

    ok: bool
    """Whether all is well."""
    reason: str | None
    """What is wrong. Null while all is well."""
    source: NotRequired[str]
    """What is listened to. Missing from a hub."""
    hint: NotRequired[str | None]
    """What might be set wrong, though all may be well. Missing from a hub."""
    seconds_since_window: NotRequired[NotNegative]
    """Since the last window, or the start. Missing from a hub."""
    host: NotRequired[str]
    """The machine, from a hub only."""
    seconds_since_message: NotRequired[NotNegative]
    """Since the last message of that machine, from a hub only."""


class BrokerHealthDocument(TypedDict):
    """Whether a hub hears the broker."""

    address: str
    """The broker, as it is set."""
    ok: bool
    """Whether it is heard."""
    reason: str | None
    """Why not. Null while it is heard."""


class HealthDocument(TypedDict):
    """Whether all is well, the answer of ``GET /healthz``; its status is then 200, else 503.

    It has no ``schema`` and no ``type``. Without a token that is needed, it has ``ok`` only.
    """

    ok: bool
    """Whether all is well."""
    version: NotRequired[str]
    """Of rtgenre."""
    nodes: NotRequired[dict[str, NodeHealthDocument]]
    """By room."""
    broker: NotRequired[BrokerHealthDocument]
    """The broker that a hub listens to; from a hub only."""


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """How one source is doing."""

    node: str
    source: str
    problem: str | None
    """Why no audio comes, in the source's own words."""
    silent_for_seconds: float
    """Time without a window: since the last one, or since the start."""
    allowed_seconds: float
    """Two hops; a window's length more where windows begin anew, and what the source explained."""
    hint: str | None = None
    """What might be set wrong, though all may be well."""

    @property
    def reason(self) -> str | None:
        """What is wrong, or None."""
        if self.problem is not None:
            return self.problem
        if self.silent_for_seconds > self.allowed_seconds:
            return (
                f"no window for {self.silent_for_seconds:.1f} s; "
                f"at most {self.allowed_seconds:.1f} s are normal"
            )
        return None


def health_document(nodes: Sequence[NodeHealth], version: str) -> tuple[bool, HealthDocument]:
    """Return whether all is well, and the answer of ``GET /healthz``."""
    ok = all(node.reason is None for node in nodes)
    document: HealthDocument = {
        "ok": ok,
        "version": version,
        "nodes": {
            node.node: {
                "ok": node.reason is None,
                "source": node.source,
                "reason": node.reason,
                "hint": node.hint,
                "seconds_since_window": round(node.silent_for_seconds, 1),
            }
            for node in nodes
        },
    }
    return ok, document
