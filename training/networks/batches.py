"""Batches of examples, in an order that is drawn anew each epoch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import keras
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from training.data.dataset import FloatArray, IntArray


class DrawnBatches(keras.utils.PyDataset):  # type: ignore[misc] # keras has no types
    """Rows of something in a drawn order; what a batch holds is said by ``__getitem__``."""

    def __init__(
        self,
        draw: Callable[[np.random.Generator], IntArray],
        size: int,
        seed: int,
        *,
        drop_last: bool = False,
    ) -> None:
        """Draw the first epoch's order.

        Args:
            draw: gives the rows of an epoch.
            size: rows in a batch.
            seed: of all that is drawn.
            drop_last: whether a last batch that is not full is left out.
        """
        super().__init__()
        self.rng = np.random.default_rng(seed)
        self.size = size
        self.order = draw(self.rng)
        self._draw = draw
        self._drop_last = drop_last

    def __len__(self) -> int:
        n_batches = len(self.order) / self.size
        return max(1, math.floor(n_batches) if self._drop_last else math.ceil(n_batches))

    def rows(self, index: int) -> IntArray:
        """Give the rows of a batch."""
        return self.order[index * self.size : (index + 1) * self.size]

    def on_epoch_end(self) -> None:
        """Draw a new order."""
        self.order = self._draw(self.rng)


class ShuffledBatches(DrawnBatches):
    """Inputs and targets, each once an epoch."""

    def __init__(
        self,
        inputs: np.ndarray,
        targets: np.ndarray,
        size: int,
        seed: int,
        *,
        drop_last: bool = False,
    ) -> None:
        super().__init__(
            lambda rng: rng.permutation(len(inputs)),
            size,
            seed,
            drop_last=drop_last,
        )
        self._inputs, self._targets = inputs, targets

    def __getitem__(self, index: int) -> tuple[FloatArray, FloatArray]:
        rows = self.rows(index)
        return self._inputs[rows].astype(np.float32), self._targets[rows].astype(np.float32)


def predict(model: keras.Model, steps: np.ndarray) -> FloatArray:
    """Ask a network about what was heard of windows, a batch at a time.

    Args:
        model: takes ``(batch, n_steps, n_values)``.
        steps: ``(n_windows, n_steps, n_values)``, also in half precision.
    """
    return np.asarray(model.predict(steps.astype(np.float32), batch_size=512, verbose=0))
