"""Which songs are learnt and which judge; no artist is on both sides; pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rtgenre.learning.examples import Examples, IntArray

N_FOLDS = 5


def deal_into_folds(labels: IntArray, groups: IntArray, n_folds: int = N_FOLDS) -> IntArray:
    """Deal songs into folds, every artist into one, and every genre over all of them.

    Args:
        labels: ``(n_songs,)``, which genre each is of.
        groups: ``(n_songs,)``, which artist each is by.
        n_folds: how many there are; some stay empty where artists are fewer.

    Returns:
        ``(n_songs,)``, in ``[0, n_folds)``.
    """
    songs_of: dict[int, list[int]] = defaultdict(list)
    for song, group in enumerate(groups.tolist()):
        songs_of[group].append(song)
    dealt = np.zeros((int(labels.max(initial=0)) + 1, n_folds), np.int64)
    folds = np.zeros(len(labels), np.int64)
    # Large ones first: small ones then even out what they leave.
    for group in sorted(songs_of, key=lambda one: (-len(songs_of[one]), one)):
        songs = songs_of[group]
        genres = np.unique(labels[songs])
        fold = int(np.lexsort((dealt.sum(axis=0), dealt[genres].sum(axis=0)))[0])
        folds[songs] = fold
        dealt[:, fold] += np.bincount(labels[songs], minlength=len(dealt))
    return folds


def folds_of_examples(examples: Examples) -> IntArray:
    """Deal the windows of a model's examples, those of one recording into one fold.

    Returns:
        ``(n,)``, in ``[0, N_FOLDS)``.
    """
    _, first, recording = np.unique(examples.recordings, return_index=True, return_inverse=True)
    return deal_into_folds(examples.labels[first], examples.groups[first])[recording]
