"""How far a long training is, batch by batch."""

from __future__ import annotations

import sys
import time

import keras

from rtgenre.history.report import duration_text


class TimeLeft(keras.callbacks.Callback):  # type: ignore[misc] # keras has no types
    """Say after each batch how far it is and, from this run's speed, how long the rest takes."""

    def __init__(self, n_epochs: int) -> None:
        """Begin.

        Args:
            n_epochs: of the whole training, which may be fitted in several parts.
        """
        super().__init__()
        self._n_epochs = n_epochs
        self._epoch = 0
        self._n_batches = 0
        """Of this run."""
        self._begun_seconds = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note which epoch it is, counted from 0."""
        self._epoch = epoch
        if self._n_batches == 0:
            self._begun_seconds = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Write over the line before."""
        self._n_batches += 1
        n_epochs, n_steps = self._n_epochs, self.params["steps"]
        left = n_steps * (n_epochs - self._epoch) - (batch + 1)
        seconds = left * (time.monotonic() - self._begun_seconds) / self._n_batches
        progress = f"epoch {self._epoch + 1}/{n_epochs}, batch {batch + 1}/{n_steps}"
        loss = (logs or {}).get("loss", float("nan"))
        print(
            f"\r{progress}, loss {loss:.3f}, {duration_text(seconds)} left   ",
            end="",
            file=sys.stderr,
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Leave the epoch's figures standing."""
        figures = "".join(f", {name} {value:.3f}" for name, value in (logs or {}).items())
        print(f"\repoch {epoch + 1}/{self._n_epochs}{figures}{' ' * 20}", file=sys.stderr)
