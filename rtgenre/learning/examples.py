"""Windows that are learnt from: embeddings and what each of them is; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rtgenre.model.arrays import ArraysError, read_arrays, write_arrays

if TYPE_CHECKING:
    from pathlib import Path

    from rtgenre.types import FloatArray

IntArray = NDArray[np.int64]

OTHER = 255
"""The label of music that is of none of the genres."""

_KINDS = {
    "embeddings": ("int8", 2),
    "scale": ("float32", 1),
    "labels": ("uint8", 1),
    "groups": ("uint32", 1),
    "recordings": ("uint32", 1),
    "disturbed": ("uint8", 1),
}
_MAX_BYTES = 64 * 2**20
_STEPS = 127


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Windows of labelled recordings."""

    embeddings: FloatArray
    """``(n, embedding_size)``."""
    labels: IntArray
    """``(n,)``, which genre each is, or ``OTHER``."""
    groups: IntArray
    """``(n,)``, which artist each is by: no figure has an artist on both of its sides."""
    recordings: IntArray
    """``(n,)``, which recording each is of."""
    disturbed: NDArray[np.bool_] | None = None
    """``(n,)``, which are heard through a room, a loudspeaker or noise: they teach what that does
    to music, and judge nothing. None: nobody noted it."""

    @property
    def as_it_is(self) -> NDArray[np.bool_]:
        """Which are heard as they are, ``(n,)``."""
        return np.ones(len(self), np.bool_) if self.disturbed is None else ~self.disturbed

    def __len__(self) -> int:
        """How many windows there are."""
        return len(self.labels)

    def select(self, rows: IntArray | NDArray[np.bool_]) -> Examples:
        """Take some windows."""
        return Examples(
            self.embeddings[rows],
            self.labels[rows],
            self.groups[rows],
            self.recordings[rows],
            None if self.disturbed is None else self.disturbed[rows],
        )


def read_examples(path: Path, *, n_labels: int, embedding_size: int) -> Examples:
    """Read examples and check that they fit a model.

    Raises:
        ArraysError: they are damaged, or of another model.
    """
    kept = read_arrays(path, _KINDS, max_bytes=_MAX_BYTES, may_lack={"disturbed"})
    n = len(kept["labels"])
    if kept["embeddings"].shape != (n, embedding_size) or len(kept["scale"]) != embedding_size:
        raise ArraysError(
            f"the embeddings in {path} have shape {list(kept['embeddings'].shape)}, their scale "
            f"{list(kept['scale'].shape)}; this model needs {[n, embedding_size]}"
        )
    disturbed = kept.get("disturbed", np.zeros(n, np.uint8))
    if not n or {len(kept["groups"]), len(kept["recordings"]), len(disturbed)} != {n}:
        raise ArraysError(
            f"labels, groups, recordings and disturbed in {path} are not of one length, or none"
        )
    labels = kept["labels"].astype(np.int64)
    if ((labels >= n_labels) & (labels != OTHER)).any():
        raise ArraysError(f"{path} has labels beyond the model's {n_labels} genres")
    return Examples(
        embeddings=kept["embeddings"].astype(np.float32) * kept["scale"],
        labels=labels,
        groups=kept["groups"].astype(np.int64),
        recordings=kept["recordings"].astype(np.int64),
        disturbed=disturbed > 0,
    )


def first_missing(examples: Examples, n_labels: int) -> int | None:
    """Find the first genre without an example; None where each has one."""
    missing = set(range(n_labels)) - set(examples.labels.tolist())
    return min(missing) if missing else None


def write_examples(examples: Examples, path: Path) -> None:
    """Write examples, each value as one of 255 steps.

    Raises:
        OSError: they cannot be written.
    """
    largest = np.abs(examples.embeddings).max(axis=0, initial=1e-6)
    scale = (largest / _STEPS).astype(np.float32)
    write_arrays(
        path,
        {
            "embeddings": np.rint(examples.embeddings / scale).astype(np.int8),
            "scale": scale,
            "labels": examples.labels.astype(np.uint8),
            "groups": examples.groups.astype(np.uint32),
            "recordings": examples.recordings.astype(np.uint32),
            "disturbed": (~examples.as_it_is).astype(np.uint8),
        },
    )


def renumbered(examples: Examples, first_group: int, first_recording: int) -> Examples:
    """Number groups and recordings from given numbers on, so that they join others."""
    groups = np.unique(examples.groups, return_inverse=True)[1]
    recordings = np.unique(examples.recordings, return_inverse=True)[1]
    return replace(examples, groups=groups + first_group, recordings=recordings + first_recording)


def joined(first: Examples, second: Examples) -> Examples:
    """Put examples behind others; groups and recordings of the second ones are new ones."""
    behind = renumbered(
        second, int(first.groups.max(initial=-1)) + 1, int(first.recordings.max(initial=-1)) + 1
    )
    return Examples(
        np.concatenate([first.embeddings, behind.embeddings]),
        np.concatenate([first.labels, behind.labels]),
        np.concatenate([first.groups, behind.groups]),
        np.concatenate([first.recordings, behind.recordings]),
        ~np.concatenate([first.as_it_is, behind.as_it_is]),
    )
