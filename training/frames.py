"""What a frozen front-end says of every window, worked out once and kept on disk.

The front-end does most of the arithmetic and never changes while the heads are trained, so its
features are kept for the clean windows (copy 0) and for a few augmented copies of each.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
from numpy.typing import NDArray

from rtgenre.classifier import LiteRtNetwork
from training.augment import Augmentation, augment
from training.export import convert

if TYPE_CHECKING:
    from collections.abc import Callable

    from training.dataset import FloatArray

HalfArray = NDArray[np.float16]
_BLOCK = 64


def fast_network(model: keras.Model) -> Callable[[FloatArray], FloatArray]:
    """Run a network with LiteRT, several times as fast as Keras on a processor.

    Only TensorFlow's models can be converted; on another backend Keras runs it.

    Args:
        model: ``(batch, n_rows, n_columns)`` to ``(batch, ...)``.
    """
    if keras.backend.backend() != "tensorflow":
        return lambda windows: np.asarray(model.predict(windows, verbose=0))
    flat = keras.Model(model.input, keras.layers.Flatten()(model.output))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.tflite"
        path.write_bytes(convert(flat))
        network = LiteRtNetwork(path, threads=1)
    shape = (-1, *model.output_shape[1:])
    return lambda windows: network.run(windows).reshape(shape)


@dataclass(frozen=True, slots=True)
class FrameCache:
    """Computes features with a front-end and keeps them in a folder."""

    front_end: Callable[[FloatArray], FloatArray]
    """``(n, n_frames, n_mels)`` to ``(n, n_steps, n_features)``."""
    folder: Path
    augmentation: Augmentation
    seed: int

    def get(
        self, name: str, windows: FloatArray, copy: int, babble: FloatArray | None = None
    ) -> HalfArray:
        """Read or compute one copy of the windows' features.

        Args:
            name: of the windows; the file is named by it.
            windows: ``(n, n_frames, n_mels)`` dB.
            copy: 0 for the windows as they are; any other number is an augmented copy.
            babble: windows that augmentation mixes in.

        Returns:
            ``(n, n_steps, n_features)``, on disk.
        """
        path = self.folder / f"{name}_{copy}.npy"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            features = self._compute(path.stem, windows, copy, babble)
            part = path.with_suffix(".part.npy")
            np.save(part, features)
            part.rename(path)
        found: HalfArray = np.load(path, mmap_mode="r")
        if len(found) != len(windows):
            raise ValueError(
                f"{path} has features of {len(found)} windows; the data has {len(windows)}: "
                "it was made from other data, delete it"
            )
        return found

    def _compute(
        self, name: str, windows: FloatArray, copy: int, babble: FloatArray | None
    ) -> HalfArray:
        blocks = []
        for start in range(0, len(windows), _BLOCK):
            block = windows[start : start + _BLOCK]
            if copy:
                rng = np.random.default_rng((self.seed, copy, start))
                block = augment(block, rng, self.augmentation, babble)
            blocks.append(self.front_end(block).astype(np.float16))
            done = min(start + _BLOCK, len(windows))
            print(f"\rfeatures {name}: {done}/{len(windows)}", end="", file=sys.stderr)
        print(file=sys.stderr)
        return np.concatenate(blocks)
