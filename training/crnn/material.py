"""What the CRNN learns from: the windows of all recordings, as its ears hear them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.data.library import OTHER, held_out_names, read_library
from training.frontends.hearing import Ear, Heard, hear
from training.networks.fitting import NO_GENRE, Examples, balanced_weights

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from training.crnn.options import TrainOptions
    from training.data.dataset import IntArray
    from training.data.library import Recording


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """All that is learnt from."""

    labels: tuple[str, ...]
    recordings: list[Recording]
    """Of music."""
    examples: Examples
    """Windows of the music, and behind them of what is not music."""
    negatives: Heard
    """Windows of what is not music that judge."""
    n_music: int
    """How many of the windows are music."""

    def held_out(self) -> IntArray:
        """Find the recordings that the ear was not taught on."""
        names = held_out_names(self.recordings)
        return np.array([i for i, one in enumerate(self.recordings) if one.name in names])

    def rows_of(self, recordings: IntArray) -> IntArray:
        """Find the windows of some recordings."""
        return np.flatnonzero(np.isin(self.examples.recording_index[: self.n_music], recordings))

    def rows_without(self, recordings: IntArray) -> IntArray:
        """Find all other windows, those that are not music among them."""
        return np.flatnonzero(~np.isin(self.examples.recording_index, recordings))


def load_material(
    ears: Sequence[Ear],
    libraries: Sequence[Path],
    negatives: Path,
    heard_folder: Path,
    options: TrainOptions,
) -> Material:
    """Let the ears hear all recordings.

    Raises:
        DatasetError: they cannot be read.
    """
    recordings = [one for folder in libraries for one in read_library(folder)]
    not_music = read_library(negatives)
    music, noise = (
        hear(ears, some, heard_folder, n_copies=options.n_copies, seed=options.seed)
        for some in (recordings, not_music)
    )
    teaches = np.array([one.split == "train" for one in not_music])[noise.recording_index]
    noise, judging = noise.select(np.flatnonzero(teaches)), noise.select(np.flatnonzero(~teaches))
    labels = tuple(sorted({one.genre for one in recordings} - {OTHER}))
    return Material(
        labels=labels,
        recordings=recordings,
        examples=make_examples(recordings, labels, music, noise, options),
        negatives=judging,
        n_music=len(music.recording_index),
    )


def make_examples(
    recordings: Sequence[Recording],
    labels: tuple[str, ...],
    music: Heard,
    noise: Heard,
    options: TrainOptions,
) -> Examples:
    """Weigh windows of music and, behind them, of what is not music."""
    genres = [one.genre for one in recordings]
    index = {label: number for number, label in enumerate(labels)}
    genre_of_recording = np.array([index.get(genre, NO_GENRE) for genre in genres])
    weights = balanced_weights(
        genres,
        music.recording_index,
        [one.sure for one in recordings],
        balance=options.balance,
        doubt=options.doubt,
    )
    n_noise = len(noise.recording_index)
    share = options.negatives_share
    noise_weights = np.full(n_noise, weights.sum() * share / (1 - share) / n_noise, np.float32)
    return Examples(
        copies=[np.concatenate(pair) for pair in zip(music.copies, noise.copies, strict=True)],
        genres=np.append(genre_of_recording[music.recording_index], np.full(n_noise, NO_GENRE)),
        is_music=np.append(np.ones(len(music.recording_index)), np.zeros(n_noise)).astype(
            np.float32
        ),
        weights=np.append(weights, noise_weights),
        recording_index=np.append(music.recording_index, len(recordings) + noise.recording_index),
        n_labels=len(labels),
    )
