"""What the CRNN learns from: the windows of all recordings, as its ears hear them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.data.dataset import DatasetError
from training.data.library import OTHER, held_out_names, read_library, teaching_names
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
        return self._called(held_out_names(self.recordings))

    def teaching(self) -> Examples:
        """Take all windows that may teach where those recordings judge; see ``without``."""
        teaching = self._called(teaching_names(self.recordings))
        return self.without(np.setdiff1d(np.arange(len(self.recordings)), teaching))

    def _called(self, names: set[str]) -> IntArray:
        found = [i for i, one in enumerate(self.recordings) if one.name in names]
        return np.array(found, dtype=np.int64)

    def rows_of(self, recordings: IntArray) -> IntArray:
        """Find the windows of some recordings."""
        return np.flatnonzero(np.isin(self.examples.recording_index[: self.n_music], recordings))

    def without(self, recordings: IntArray) -> Examples:
        """Take all other windows, those that are not music among them.

        Raises:
            DatasetError: of a genre none is left.
        """
        rows = np.flatnonzero(~np.isin(self.examples.recording_index, recordings))
        left = self.examples.select(rows)
        missing = set(range(len(self.labels))) - set(left.genres.tolist())
        if missing:
            names = ", ".join(self.labels[number] for number in sorted(missing))
            raise DatasetError(
                f"nothing is left to learn {names} from: it cannot be decoded, or is all by "
                f"artists who judge; music of {names} by more artists is needed"
            )
        return left


def load_material(
    ears: Sequence[Ear],
    libraries: Sequence[Path],
    negatives: Path,
    heard_folder: Path,
    options: TrainOptions,
) -> Material:
    """Let the ears hear all recordings.

    Raises:
        DatasetError: they cannot be read, or there is nothing to tell apart.
    """
    recordings = [one for folder in libraries for one in read_library(folder)]
    labels = tuple(sorted({one.genre for one in recordings} - {OTHER}))
    if len(labels) < 2:
        raise DatasetError(
            f"genres found: {', '.join(labels) or 'none'}; there must be two to tell apart"
        )
    not_music = read_library(negatives)
    for split in ("train", "valid"):
        if not any(one.split == split for one in not_music):
            raise DatasetError(
                f"{negatives} holds nothing of the split {split!r}; let training.negatives make "
                "it, or go on with it"
            )
    voices = [one for one in not_music if (one.genre, one.split) == ("speech", "train")]
    music, noise = (
        hear(
            ears,
            some,
            heard_folder,
            n_copies=options.n_copies,
            seed=options.seed,
            voices=who_talk,
        )
        for some, who_talk in ((recordings, voices), (not_music, ()))
    )
    teaches = np.array([one.split == "train" for one in not_music])[noise.recording_index]
    noise, judging = noise.select(np.flatnonzero(teaches)), noise.select(np.flatnonzero(~teaches))
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
