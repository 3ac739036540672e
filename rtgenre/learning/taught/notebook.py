"""What was taught on top of one model: writing it down, listing it, and learning it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.learning.examples import first_missing, read_examples
from rtgenre.learning.fitting import Ground, lay_ground
from rtgenre.learning.genres import MAX_GENRES, LearningError, checked_genre, known_genre
from rtgenre.learning.taught import notes
from rtgenre.learning.taught.genres import TaughtGenres, fit_taught, hear_alike, probe_windows
from rtgenre.learning.taught.network import TaughtNetwork
from rtgenre.learning.taught.notes import Notes
from rtgenre.learning.taught.store import MAX_STRETCHES, TaughtStore
from rtgenre.learning.taught.stretch import taught_stretch
from rtgenre.messages.taught import TeachError
from rtgenre.model.arrays import ArraysError
from rtgenre.model.info import EXAMPLES_FILE_NAME, ModelError, check_unchanged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rtgenre.learning.taught.store import Added, TakenIn, TaughtRow
    from rtgenre.learning.taught.stretch import TaughtStretch
    from rtgenre.model.info import ModelInfo
    from rtgenre.tracking.recent import HeardWindow
    from rtgenre.types import FloatArray, Prediction

_CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Page:
    """What the file holds."""

    rows: list[TaughtRow]
    """Newest first."""
    alike: frozenset[str]
    """Identities of the networks whose embeddings mean the same to the present one."""


class Notebook:
    """What was taught, for one model; what touches the disk is for threads."""

    def __init__(
        self, file: Path, info: ModelInfo, model_folder: Path, *, max_stretches: int = MAX_STRETCHES
    ) -> None:
        """Prepare, without touching the disk.

        Args:
            file: the SQLite file.
            info: the model that listens.
            model_folder: where it is, with what it was taught itself.
            max_stretches: how many are kept at most.
        """
        self.max_stretches = max_stretches
        self._file = file
        self._info = info
        self._examples_file = model_folder / EXAMPLES_FILE_NAME
        self._ground: Ground | None = None
        # The present network, once it has heard the test sounds.
        self._network: TaughtNetwork | None = None

    @property
    def knows_network(self) -> bool:
        """Whether the present network has heard the test sounds."""
        return self._network is not None

    def test_sounds(self) -> list[FloatArray]:
        """Make windows by which networks are told apart."""
        sounds = probe_windows(self._info.features.sample_rate_hz)
        return [np.resize(one, self._info.features.window_samples) for one in sounds]

    def note_network(self, heard: Sequence[Prediction]) -> None:
        """Take in what the present network says of the test sounds."""
        self._network = TaughtNetwork.of(self._info, heard)

    def checked_genre(self, name: str, labels: Sequence[str]) -> str:
        """Return which genre a name means, one of ``labels`` or a new one.

        Raises:
            TeachError: no genre can be called so, or there are too many.
        """
        known = known_genre(name, labels)
        if known is not None:
            return known
        try:
            checked = checked_genre(name.strip())
        except LearningError as error:
            raise TeachError(str(error)) from error
        if len(labels) >= MAX_GENRES:
            raise TeachError(f"there are {MAX_GENRES} genres, no more are possible; merge some")
        return checked

    def mark(self) -> tuple[int, ...]:
        """Return what changes whenever somebody writes to the file; nothing where none is."""
        marks: list[int] = []
        for file in (self._file, self._file.with_name(f"{self._file.name}-wal")):
            try:
                found = file.stat()
            except OSError:
                continue
            marks += [found.st_ino, found.st_mtime_ns, found.st_size]
        return tuple(marks)

    def add(self, node: str, genre: str, heard: Sequence[HeardWindow]) -> Added:
        """Write down what was heard, and what it is.

        Raises:
            TeachError: it cannot be learnt, or not be written.
        """
        if not self._examples_file.is_file():
            raise TeachError(
                f"nothing can be taught on top of the model {self._info.name}: "
                f"{self._examples_file} is missing",
                _CONFLICT,
            )
        began_at = heard[0].started_at
        # A clock that was set back a little leaves no stretch of less than nothing.
        span = (began_at, max(began_at, heard[-1].ended_at))
        stretch = taught_stretch(node, genre, span, [one.prediction for one in heard])
        with TaughtStore(self._file, max_stretches=self.max_stretches) as store:
            return store.add(self._own(), [stretch])

    def page(self) -> Page:
        """List what was taught.

        Raises:
            TeachError: the file cannot be read.
        """
        if not self._file.exists():
            return Page([], frozenset())
        with TaughtStore(self._file) as store:
            return Page(store.rows(), frozenset(one.identity for one in self._alike(store)))

    def fit(self) -> TaughtGenres | None:
        """Learn all that was taught; None where nothing was. The first time takes a second more.

        Raises:
            TeachError: the file or the model's examples cannot be read.
        """
        if not self._file.exists():
            return None
        stretches: list[TaughtStretch] = []
        with TaughtStore(self._file) as store:
            for network in self._alike(store):
                heard = store.stretches(network.identity)
                if network.labels != self._info.labels:
                    heard = [replace(one, said=np.zeros((0, 0), np.float32)) for one in heard]
                stretches += heard
        if not stretches:
            return None
        meant = self._meant(dict.fromkeys(one.genre for one in stretches))
        stretches = [replace(one, genre=meant[one.genre]) for one in stretches]
        return fit_taught(self._lay_ground(), self._info.labels, stretches)

    def written(self, numbers: Sequence[int] | None) -> str:
        """Write some of what was taught, or all, as lines that ``take_in`` reads.

        Raises:
            TeachError: the file cannot be read.
        """
        if not self._file.exists():
            return notes.written(Notes({}, ()))
        with TaughtStore(self._file) as store:
            return notes.written(store.notes(numbers))

    def take_in(self, text: str) -> TakenIn:
        """Add what was taught elsewhere, or before; all of it or nothing.

        Raises:
            TeachError: it is not what ``written`` gives, holds nothing, or cannot be written.
        """
        found = notes.read(text)
        if not found.stretches:
            raise TeachError("this file holds nothing that was taught")
        labels = [*self._info.labels, *self._taught_before()]
        stretches = []
        for identity, one in found.stretches:
            genre = self.checked_genre(one.genre, labels)
            labels += [genre] * (genre not in labels)
            stretches.append((identity, replace(one, genre=genre)))
        with TaughtStore(self._file, max_stretches=self.max_stretches) as store:
            return store.take_in(replace(found, stretches=tuple(stretches)))

    def remove(self, numbers: Sequence[int]) -> int:
        """Forget stretches, and say how many there were."""
        if not self._file.exists():
            return 0
        with TaughtStore(self._file) as store:
            return store.remove(numbers)

    def clear(self) -> int:
        """Forget everything, and say how much there was."""
        if not self._file.exists():
            return 0
        with TaughtStore(self._file) as store:
            return store.clear()

    def rename(self, genre: str, new_genre: str) -> int:
        """Call a genre something else, and say how many stretches that were."""
        if not self._file.exists():
            return 0
        with TaughtStore(self._file) as store:
            return store.rename(genre, new_genre)

    def _meant(self, genres: Iterable[str]) -> dict[str, str]:
        """Say which genre each is now: beside another model, one may have been spelt otherwise."""
        labels = [*self._info.labels]
        meant = {}
        for genre in genres:
            meant[genre] = known_genre(genre, labels) or genre
            labels.append(meant[genre])
        return meant

    def _taught_before(self) -> list[str]:
        """Name the genres in the file that are not the model's."""
        if not self._file.exists():
            return []
        with TaughtStore(self._file) as store:
            return sorted({row.genre for row in store.rows()} - set(self._info.labels))

    def _own(self) -> TaughtNetwork:
        if self._network is None:
            raise RuntimeError("the network has not heard the test sounds")
        return self._network

    def _alike(self, store: TaughtStore) -> list[TaughtNetwork]:
        """List the networks whose embeddings mean the same to the present one."""
        if not self._info.embedding_size:
            return []
        own = self._own()
        return [one for one in store.networks() if hear_alike(one.probe, own.probe)]

    def _lay_ground(self) -> Ground:
        if self._ground is None:
            n_labels = len(self._info.labels)
            try:
                examples = read_examples(
                    self._examples_file,
                    n_labels=n_labels,
                    embedding_size=self._info.embedding_size,
                )
                check_unchanged(self._info, self._examples_file)
            except ModelError as error:
                # As after `rtgenre learn`, which puts another model of this name in its place.
                raise TeachError(
                    f"nothing can be taught on top of the model {self._info.name}: "
                    f"{self._examples_file} is not that of the model that is in use, or is "
                    "damaged; start rtgenre anew",
                    _CONFLICT,
                ) from error
            except ArraysError as error:
                raise TeachError(
                    f"nothing can be taught on top of the model {self._info.name}: {error}",
                    _CONFLICT,
                ) from error
            missing = first_missing(examples, n_labels)
            if missing is not None:
                raise TeachError(
                    f"nothing can be taught on top of the model {self._info.name}: "
                    f"{self._examples_file} has no examples of {self._info.labels[missing]}",
                    _CONFLICT,
                )
            self._ground = lay_ground(examples, n_labels)
        return self._ground
