"""Music that somebody named while it played; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.model.head import embeddings_of, log_verdicts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.types import FloatArray, Prediction

MAX_WINDOWS = 15
"""Of a stretch: a minute of windows that do not overlap."""


@dataclass(frozen=True, slots=True, eq=False)
class TaughtStretch:
    """What a stretch of music was to the network, and which genre it is to whoever heard it."""

    node: str
    started_at: float
    ended_at: float
    """Unix times, in seconds."""
    genre: str
    embeddings: FloatArray
    """``(n_windows, embedding_size)``, oldest first."""
    said: FloatArray
    """``(n_windows, n_labels + 1)``, see ``rtgenre.model.head.log_verdicts``."""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.ended_at - self.started_at


def taught_stretch(
    node: str, genre: str, span: tuple[float, float], predictions: Sequence[Prediction]
) -> TaughtStretch:
    """Keep of windows what a genre is learnt from.

    Args:
        node: where they were heard.
        genre: what they are.
        span: from when until when, as Unix times.
        predictions: of the network, at least one, each with an embedding; oldest first.
    """
    chosen = [predictions[index] for index in spread(len(predictions), MAX_WINDOWS)]
    return TaughtStretch(node, *span, genre, embeddings_of(chosen), log_verdicts(chosen))


def spread(n: int, at_most: int) -> list[int]:
    """Choose indices below ``n`` evenly, the first and the last among them."""
    return sorted({int(index) for index in np.linspace(0, n - 1, min(n, at_most)).round()})
