"""What classifies behind the ears: recurrent heads, and a linear one.

What both say together is tempered by how far a window is from all genres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.networks.batches import predict

if TYPE_CHECKING:
    from collections.abc import Sequence

    import keras

    from training.data.dataset import FloatArray

LINEAR_SHARE = 0.8
"""How much of the verdict is the linear head's; the rest is the recurrent ones'."""


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """Logits of the same windows, each ``(n_windows, n_outputs)``."""

    together: FloatArray
    recurrent: FloatArray
    linear: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Voices:
    """All that has a say in what a window is."""

    heads: Sequence[keras.Model]
    linear: keras.Model
    embedding: keras.Model
    """What is heard of a window to few values, ``(batch, size)``."""
    tempering: keras.Model
    """Logits and embeddings to logits, see ``training.networks.tempering``."""

    def say(self, steps: np.ndarray) -> Said:
        """Judge windows ``(n_windows, n_steps, n_values)``."""
        recurrent = np.mean([predict(one, steps) for one in self.heads], axis=0)
        linear = predict(self.linear, steps)
        embedded = predict(self.embedding, steps)
        together = (1 - LINEAR_SHARE) * recurrent + LINEAR_SHARE * linear
        all_said = (together, recurrent, linear)
        return Said(*(self.tempering.predict([one, embedded], verbose=0) for one in all_said))
