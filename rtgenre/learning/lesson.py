"""Songs that were heard, as what heads are learnt from; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.learning.examples import Examples, IntArray
from rtgenre.learning.fitting import Ground, Taught, fit_head, fit_head_alone
from rtgenre.model.head import embeddings_of, log_verdicts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.model.head import Head
    from rtgenre.types import Prediction


@dataclass(frozen=True, slots=True)
class Song:
    """A song, what it is, and what the network says of it."""

    name: str
    """For people: its path."""
    genre: str
    artist: str
    """Songs of one are never on both sides of a figure."""
    predictions: tuple[Prediction, ...]
    """Of its windows, each with an embedding; at least one."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """Songs, and the genres that come of them."""

    songs: tuple[Song, ...]
    known: tuple[str, ...]
    """The network's genres, if they stay; else empty."""

    @property
    def new(self) -> tuple[str, ...]:
        """The genres that the network does not know, sorted."""
        return tuple(sorted({song.genre for song in self.songs} - set(self.known)))

    @property
    def labels(self) -> tuple[str, ...]:
        """All genres: known ones, then new ones."""
        return self.known + self.new

    @property
    def song_labels(self) -> IntArray:
        """``(n_songs,)``, which genre each is of."""
        return np.array([self.labels.index(song.genre) for song in self.songs], np.int64)

    @property
    def artists(self) -> IntArray:
        """``(n_songs,)``, which artist each is by."""
        found = np.unique([song.artist for song in self.songs], return_inverse=True)[1]
        return np.asarray(found, np.int64)

    def taught(self, chosen: Sequence[int] | IntArray | None = None) -> Taught:
        """Take the windows of some songs, or of all.

        Args:
            chosen: which songs; at least one of each new genre.
        """
        indices = range(len(self.songs)) if chosen is None else [int(one) for one in chosen]
        labels, artists = self.song_labels, self.artists
        song_of = np.array(
            [index for index in indices for _ in self.songs[index].predictions], np.int64
        )
        predictions = [one for index in indices for one in self.songs[index].predictions]
        return Taught(
            Examples(embeddings_of(predictions), labels[song_of], artists[song_of], song_of),
            log_verdicts(predictions) if self.known else None,
        )

    def fit(self, ground: Ground, chosen: Sequence[int] | IntArray | None = None) -> Head:
        """Learn some of the songs, or all.

        Args:
            ground: what the network knows.
            chosen: which songs; at least one of each new genre.
        """
        fit = fit_head if self.known else fit_head_alone
        return fit(ground, self.taught(chosen), len(self.new))
