"""How far music is from all genres that a model knows; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rtgenre.types import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class GenreDistance:
    """A soft minimum of Mahalanobis distances from the genres' centres.

    Lee et al. (2018) tell by the nearest one what a network does not know. A soft minimum lets what
    is far from all genres count for more than what is far from all but one.
    """

    whitening: FloatArray
    """``(size, size)``: embeddings of one genre, multiplied by it, vary alike in all directions."""
    centres: FloatArray
    """``(n_genres, size)``: means of the genres' embeddings, whitened."""
    standard: FloatArray
    """``(2,)``: what is taken from a distance, and what the rest is multiplied by."""

    def of(self, embeddings: FloatArray) -> FloatArray:
        """Give the standardised distance of windows.

        Args:
            embeddings: ``(n, size)``.

        Returns:
            ``(n,)``; 0 is usual for music of the genres.
        """
        middle, factor = self.standard
        return np.asarray((self.plain(embeddings) - middle) * factor, np.float32)

    def plain(self, embeddings: FloatArray) -> FloatArray:
        """Give the distance of windows as it is, ``(n,)``."""
        white = embeddings @ self.whitening
        apart = np.linalg.norm(white[:, None, :] - self.centres, axis=2)
        nearest = apart.min(axis=1, keepdims=True)
        nearer = np.exp(-(apart - nearest) / 2.0).sum(axis=1)
        return np.asarray(nearest[:, 0] - 2.0 * np.log(nearer), np.float32)
