"""Says whether every source is being heard; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


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


def health_document(nodes: Sequence[NodeHealth], version: str) -> tuple[bool, dict[str, Any]]:
    """Return whether all is well, and the answer of ``GET /healthz``."""
    ok = all(node.reason is None for node in nodes)
    document = {
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
