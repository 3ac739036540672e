"""The network that heard what was taught; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtgenre.model.head import embeddings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.model.info import ModelInfo
    from rtgenre.types import FloatArray, Prediction

MAX_PROBES = 16
"""Test sounds that a network was tried with."""


@dataclass(frozen=True, slots=True, eq=False)
class TaughtNetwork:
    """The network that embeddings are of."""

    identity: str
    """Name, version and checksum: no two networks have the same."""
    labels: tuple[str, ...]
    probe: FloatArray
    """``(n_windows, embedding_size)``, of test sounds: networks that agree on them hear alike."""

    @classmethod
    def of(cls, info: ModelInfo, heard: Sequence[Prediction]) -> TaughtNetwork:
        """Describe a network by what it says of the test sounds."""
        return cls(info.identity, info.labels, embeddings_of(heard))
