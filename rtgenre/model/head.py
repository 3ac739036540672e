"""What was learnt on top of a network, as plain numbers: own genres, and corrections; pure."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.model.arrays import ArraysError, read_arrays, write_arrays
from rtgenre.model.distance import GenreDistance

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rtgenre.types import FloatArray, Prediction

_MAX_BYTES = 2**20
_LEAST_PROBABILITY = 1e-6
"""Of what a network says: a taught genre can outweigh its certainty."""
FAMILIAR_AT_LIMIT, FAMILIAR_USUALLY = 0.4, 0.95
"""Probabilities at the two ``familiar_energies``: below the first, music is shown as unfamiliar."""


def _nothing(*shape: int) -> FloatArray:
    return np.zeros(shape, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Says what a window is, from what the network says of it and from its embedding.

    It keeps the network's genres or forgets them. Kept ones, and *other music* behind them, have
    the network's log-probabilities as logits, to which the embedding adds a correction. A new genre
    has logits of its own, compared with those that kept ones have from the embedding alone.
    """

    scale: FloatArray
    """``(n_used,)``: how many values of an embedding count, and what each is multiplied by."""
    kernel: FloatArray
    """``(n_values, n_columns)``, see ``head_values``: of kept genres and other music corrections,
    then new genres. Where none is kept, there is no column for other music either."""
    bias: FloatArray
    """``(n_columns,)``."""
    base_kernel: FloatArray
    """``(n_values, n_kept + 1)``: what the network says, as far as an embedding tells; no columns
    where no genre is kept."""
    base_bias: FloatArray
    """``(n_kept + 1,)``."""
    familiar_energies: FloatArray = field(default_factory=lambda: _nothing(0))
    """``(2,)``, where none is kept: the energy (see ``energies``) below which music is unfamiliar,
    and the usual one of the genres' music. Empty: nothing is unfamiliar."""
    whitening: FloatArray = field(default_factory=lambda: _nothing(0, 0))
    """This and the next two: see ``GenreDistance``, from all genres that the model knew before. All
    empty: the distance does not count."""
    centres: FloatArray = field(default_factory=lambda: _nothing(0, 0))
    standard: FloatArray = field(default_factory=lambda: _nothing(0))

    @property
    def distance(self) -> GenreDistance | None:
        """From the genres that the model knew before; None where it does not count."""
        if not len(self.centres):
            return None
        return GenreDistance(self.whitening, self.centres, self.standard)

    @property
    def n_kept(self) -> int:
        """How many of the genres, the first ones, are the network's; 0 where it forgets them."""
        return max(0, len(self.base_bias) - 1)

    @property
    def n_labels(self) -> int:
        """How many genres come out."""
        return len(self.bias) - (self.n_kept > 0)

    def apply(self, predictions: Sequence[Prediction]) -> list[Prediction]:
        """Say anew what windows are; whether they hold music stays as it was.

        Args:
            predictions: of the network, each with an embedding.

        Raises:
            ValueError: one has none.
        """
        if not predictions:
            return []
        embeddings = embeddings_of(predictions)
        said = log_verdicts(predictions) if self.n_kept else None
        logits = self._logits(embeddings, said)
        total = log_sum(logits)
        shares = np.exp(logits - total)
        other = shares[:, self.n_kept] if self.n_kept else 1.0 - self._familiar_at(total[:, 0])
        genres = np.delete(shares, self.n_kept, axis=1) if self.n_kept else shares
        genres /= np.maximum(genres.sum(axis=1, keepdims=True), _LEAST_PROBABILITY)
        return [
            replace(one, probabilities=row, familiar=float(1.0 - share))
            for one, row, share in zip(predictions, genres, other, strict=True)
        ]

    def energies(self, embeddings: FloatArray) -> FloatArray:
        """Say how well windows fit the genres as a whole, of a head that keeps none, ``(n,)``.

        It is the logarithm of the sum of the exponentiated logits, the negative of what Liu et al.
        (2020) call energy.
        """
        return log_sum(self._logits(embeddings, None))[:, 0]

    def familiar(self, embeddings: FloatArray) -> FloatArray:
        """Give the probability that windows are of one of the genres, ``(n,)``; none is kept."""
        return self._familiar_at(self.energies(embeddings))

    def log_shares(self, embeddings: FloatArray, said: FloatArray | None) -> FloatArray:
        """Give the logarithm of every column's probability, ``(n, n_columns)``.

        Args:
            embeddings: ``(n, embedding_size)``.
            said: ``(n, n_kept + 1)``, see ``log_verdicts``; None where no genre is kept.
        """
        logits = self._logits(embeddings, said)
        return np.asarray(logits - log_sum(logits), dtype=np.float32)

    def _logits(self, embeddings: FloatArray, said: FloatArray | None) -> FloatArray:
        """Give every column's logit, ``(n, n_columns)``; arguments as of ``log_shares``."""
        values = head_values(embeddings, self.scale, self.distance)
        logits = values @ self.kernel + self.bias
        if said is not None:
            n_said = said.shape[1]
            logits[:, :n_said] += said
            logits[:, n_said:] -= log_sum(values @ self.base_kernel + self.base_bias)
        return np.asarray(logits, dtype=np.float32)

    def _familiar_at(self, energies: FloatArray) -> FloatArray:
        """Give the probability that windows of such energies are of one of the genres, ``(n,)``."""
        if not len(self.familiar_energies):
            return np.ones(len(energies), np.float32)
        limit, usual = self.familiar_energies
        at_limit, usually = (np.log(p / (1.0 - p)) for p in (FAMILIAR_AT_LIMIT, FAMILIAR_USUALLY))
        along = (energies - limit) / (usual - limit)
        odds = np.clip(at_limit + (usually - at_limit) * along, -30.0, 30.0)
        return np.asarray(1.0 / (1.0 + np.exp(-odds)), np.float32)


def head_values(
    embeddings: FloatArray, scale: FloatArray, distance: GenreDistance | None
) -> FloatArray:
    """Turn embeddings into what heads take: scaled, and all of one length; then their distance.

    Args:
        embeddings: ``(n, embedding_size)``.
        scale: ``(n_used,)``.
        distance: from the genres that the model knew before, if it counts.

    Returns:
        ``(n, n_values)``: ``n_used`` of mean square 1, and one more where there is a distance.
    """
    values = embeddings[:, : len(scale)] * scale
    sizes = np.sqrt(np.mean(values**2, axis=1, keepdims=True))
    values = values / np.maximum(sizes, 1e-6)
    if distance is not None:
        values = np.column_stack([values, distance.of(embeddings)])
    return np.asarray(values, dtype=np.float32)


def embeddings_of(predictions: Sequence[Prediction]) -> FloatArray:
    """Give the embeddings of windows, ``(n, embedding_size)``.

    Raises:
        ValueError: one has none.
    """
    embeddings = [one.embedding for one in predictions if one.embedding is not None]
    if len(embeddings) < len(predictions):
        raise ValueError("its network gives no embedding, which its head needs")
    return np.stack(embeddings)


def log_verdicts(predictions: Sequence[Prediction]) -> FloatArray:
    """Give what a network says: log-probabilities of its genres, and of other music at the end.

    Returns:
        ``(n, n_labels + 1)``.
    """
    genres = np.stack([one.probabilities for one in predictions])
    familiar = np.array([[one.familiar] for one in predictions], dtype=np.float32)
    shares = np.concatenate([genres * familiar, 1.0 - familiar], axis=1)
    return np.asarray(np.log(np.maximum(shares, _LEAST_PROBABILITY)), dtype=np.float32)


def log_sum(logits: FloatArray) -> FloatArray:
    """Give the logarithm of the sum of exponentials: ``(n, n_columns)`` to ``(n, 1)``."""
    largest = logits.max(axis=1, keepdims=True)
    total = np.exp(logits - largest).sum(axis=1, keepdims=True)
    return np.asarray(largest + np.log(total), dtype=np.float32)


def read_head(path: Path, *, n_network: int, n_labels: int, embedding_size: int) -> Head:
    """Read a head and check that it fits.

    Args:
        path: the file.
        n_network: how many genres the network has.
        n_labels: how many should come out.
        embedding_size: how many values the network's embedding has.

    Raises:
        ArraysError: it is damaged, or is for another network.
    """
    tables = {"kernel", "base_kernel", "whitening", "centres"}
    kinds = {one.name: ("float32", 2 if one.name in tables else 1) for one in fields(Head)}
    # Those that were learnt before heads could say what is unfamiliar, or knew distances.
    lacking = {"familiar_energies", "whitening", "centres", "standard"}
    head = Head(**read_arrays(path, kinds, max_bytes=_MAX_BYTES, may_lack=lacking))
    n_base = n_network + 1 if len(head.base_bias) else 0
    n_columns = n_labels + (n_base > 0)
    n_used = min(len(head.scale), embedding_size)
    far = head.distance is not None
    n_values = n_used + far
    shapes = {
        "scale": (n_used,),
        "kernel": (n_values, n_columns),
        "bias": (n_columns,),
        "base_kernel": (n_values, n_base),
        "base_bias": (n_base,),
        "familiar_energies": (2 if len(head.familiar_energies) and not n_base else 0,),
        "whitening": (far * embedding_size, far * embedding_size),
        "centres": (far * n_network, far * embedding_size),
        "standard": (far * 2,),
    }
    for name, shape in shapes.items():
        found = getattr(head, name).shape
        if found != shape:
            raise ArraysError(
                f"{name} in {path} has shape {list(found)}; {n_labels} genres on a network of "
                f"{n_network} with an embedding of {embedding_size} need {list(shape)}"
            )
    if (np.diff(head.familiar_energies) <= 0).any():
        raise ArraysError(f"familiar_energies in {path} do not rise")
    return head


def write_head(head: Head, path: Path) -> None:
    """Write a head, which ``read_head`` gives back.

    Raises:
        OSError: it cannot be written.
    """
    write_arrays(path, {one.name: getattr(head, one.name) for one in fields(Head)})
