"""Those whom the ears learn from: four networks, asked together."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers

from rtgenre.history.report import duration_text
from training.data.whole_file import written_whole
from training.frontends import yamnet
from training.frontends.ear import build_yamnet
from training.frontends.mn04 import build_mn04
from training.frontends.musicnn import build_musicnn, read_jamendo, read_million_songs

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from training.data.dataset import FloatArray
    from training.frontends.lessons import Excerpts

TEACHER_WEIGHTS = {
    "mn04": 1.4,
    "mn04_classes": 1.4,
    "jamendo": 0.7,
    "jamendo_tags": 0.4,
    "million_songs": 0.35,
    "million_songs_tags": 0.2,
    "yamnet": 0.5,
}
"""How much what each says counts: its values, and what it makes of them."""
_BATCHES_A_FILE = 32


@dataclass(frozen=True, slots=True)
class Teachers:
    """All of them, asked together."""

    models: tuple[keras.Model, ...]
    """Each takes sound at 16 kHz, mn04 at 32 kHz, and gives some values under each of its names."""

    @classmethod
    def load(cls, weights: Path) -> Teachers:
        """Build them of their weights, those in a folder and those in packages."""
        return cls(
            (
                build_mn04(weights, 128000),
                build_musicnn(read_jamendo(weights), 64000),
                build_musicnn(read_million_songs(), 64000),
                build_yamnet(yamnet.load_yamnet(), 64000),
            )
        )

    @property
    def sizes(self) -> dict[str, int]:
        """How many values there are under each name, in the order of ``together``."""
        return {
            name: value.shape[-1] for model in self.models for name, value in model.output.items()
        }

    def together(self) -> keras.Model:
        """Put them side by side.

        Returns:
            ``(batch, n_samples)`` at 16 kHz and at 32 kHz to ``(batch, n_taught)``.
        """
        at_16k, at_32k = keras.Input((64000,)), keras.Input((128000,))
        said: dict[str, Any] = {}
        for model in self.models:
            said |= model(at_32k if model.name == "mn04" else at_16k)
        values = layers.Concatenate()([said[name] for name in self.sizes])
        together = keras.Model([at_16k, at_32k], values, name="teachers")
        together.trainable = False
        return together

    def parts(self, values: FloatArray) -> dict[str, FloatArray]:
        """Say which of ``(…, n_taught)`` are under which name."""
        ends = np.cumsum(list(self.sizes.values()))
        return dict(zip(self.sizes, np.split(values, ends[:-1], axis=-1), strict=True))

    def spread(self, said: FloatArray) -> FloatArray:
        """Give each value's standard deviation; of rare ones at least a third of their like's.

        Args:
            said: ``(n, n_taught)``.
        """
        parts = self.parts(said.std(axis=0)).values()
        return np.concatenate([np.maximum(part, part.mean() / 3) for part in parts])

    def importance(self) -> FloatArray:
        """Say how much each value counts: ``(n_taught,)``, summing to one."""
        parts = [np.full(size, TEACHER_WEIGHTS[name] / size) for name, size in self.sizes.items()]
        together = np.concatenate(parts)
        return np.asarray(together / together.sum(), np.float32)


def ask(
    together: keras.Model, excerpts: Excerpts, folder: Path, progress: str
) -> NDArray[np.float16]:
    """Ask teachers about excerpts, as far as nobody asked before.

    Args:
        together: of ``Teachers.together``.
        excerpts: what they hear.
        folder: where what they say is kept, some batches a file.
        progress: stands before how far it is.

    Returns:
        ``(n, n_taught)``.
    """
    folder.mkdir(exist_ok=True)
    parts = []
    begun_seconds, n_asked = time.monotonic(), 0
    for first in range(0, excerpts.n_batches, _BATCHES_A_FILE):
        path = folder / f"{first:05}.npy"
        n_batches = min(_BATCHES_A_FILE, excerpts.n_batches - first)
        if path.exists():
            kept = np.load(path, allow_pickle=False)
            if len(kept) == n_batches * excerpts.batch_size:
                parts.append(kept)
                continue
        said = []
        for index in range(first, first + n_batches):
            heard = together.predict_on_batch(list(excerpts.for_teachers(index)))
            said.append(heard.astype(np.float16))
            n_asked += 1
            seconds = (time.monotonic() - begun_seconds) / n_asked
            left = duration_text(seconds * (excerpts.n_batches - index - 1))
            print(
                f"\r{progress}, batch {index + 1}/{excerpts.n_batches}, {left} left   ",
                end="",
                file=sys.stderr,
            )
        parts.append(np.concatenate(said))
        with written_whole(path) as part:
            np.save(part, parts[-1], allow_pickle=False)
    if n_asked:
        print(file=sys.stderr)
    return np.concatenate(parts)
