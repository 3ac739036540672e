"""How unlike own music other music must be, for heads that know no other music; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.model.head import Head
    from rtgenre.types import FloatArray

MOST_UNFAMILIAR = 0.05
"""Share of the windows of own music that may be called unfamiliar."""
CARE = 0.5
"""By how many of its standard errors that share is taken lower, which counts where artists are few.

Chosen over eleven sets of genres and 5 to 100 songs of each: with 0 up to 6 of 100 windows of other
artists' own music are called unfamiliar, with 0.5 up to 4, with 1 up to 3, for a tenth fewer of
other music.
"""
_LEAST_APART = 0.1


def standard_energies(head: Head, embeddings: FloatArray, music: FloatArray) -> FloatArray:
    """Say how well windows fit a head's genres, so that heads of more and fewer songs compare.

    Args:
        head: keeps none of the network's genres.
        embeddings: ``(n, embedding_size)``.
        music: the same of music of all kinds.

    Returns:
        ``(n,)``, in standard deviations from the mean of all music.
    """
    middle, spread = _middle_and_spread(head, music)
    return (head.energies(embeddings) - middle) / spread


def told_apart(head: Head, songs: Sequence[FloatArray], n_artists: int, music: FloatArray) -> Head:
    """Let a head say which music is unfamiliar.

    Args:
        head: keeps none of the network's genres.
        songs: of each song of its genres ``standard_energies`` of its windows, by heads that did
            not learn it.
        n_artists: of the songs: the fewer, the more careful is the limit.
        music: embeddings of music of all kinds.
    """
    values = np.concatenate(songs)
    error = np.sqrt(MOST_UNFAMILIAR * (1.0 - MOST_UNFAMILIAR) / n_artists)
    limit = np.quantile(values, max(0.0, MOST_UNFAMILIAR - CARE * error))
    usual = max(np.median(values), limit + _LEAST_APART)
    middle, spread = _middle_and_spread(head, music)
    energies = middle + spread * np.array([limit, usual])
    return replace(head, familiar_energies=energies.astype(np.float32))


def _middle_and_spread(head: Head, music: FloatArray) -> tuple[float, float]:
    energies = head.energies(music)
    return float(energies.mean()), max(float(energies.std()), 1e-6)
