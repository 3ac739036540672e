"""What a cross-validation says, in figures and in words; pure."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rtgenre.learning.cross_validation import genres_of_one_artist
from rtgenre.types import UnknownReason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtgenre.learning.cross_validation import Validation
    from rtgenre.learning.lesson import Lesson

FEW_SONGS = 10
"""From fewer a genre can be learnt, but is missed often."""
FEW_ARTISTS = 3
MOST_NAMED = 10
_MIXED_SHARE = 0.15
_MISFILED_FROM = 0.6
_SURE_OF_95 = 1.96


@dataclass(frozen=True, slots=True)
class GenreScore:
    """How songs of one genre fared."""

    genre: str
    n_songs: int
    n_artists: int
    n_right: int

    @property
    def recall(self) -> float:
        """Share of its songs that were called by its name."""
        return self.n_right / self.n_songs

    @property
    def interval(self) -> tuple[float, float]:
        """Where the share lies for other songs, with 95 % (Wilson)."""
        return wilson_interval(self.n_right, self.n_songs)


@dataclass(frozen=True, slots=True)
class Misfiled:
    """A song that sounds like another genre's."""

    name: str
    genre: str
    sounds_like: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Report:
    """All that is said before anyone relies on it."""

    scores: tuple[GenreScore, ...]
    mixed_up: tuple[tuple[str, str, int], ...]
    """Pairs of genres, and how many songs of either were taken for the other."""
    misfiled: tuple[Misfiled, ...]
    points_lost: float | None
    n_unfamiliar: int | None
    """How many songs were called unfamiliar; None where the known genres stay."""
    remarks: tuple[str, ...]

    @property
    def n_songs(self) -> int:
        """How many songs were judged."""
        return sum(one.n_songs for one in self.scores)

    @property
    def accuracy(self) -> float:
        """Share of all songs that were called by their genre's name."""
        return sum(one.n_right for one in self.scores) / self.n_songs

    def document(self) -> dict[str, Any]:
        """Return the figures for ``model.json``."""
        return {
            "n_songs": self.n_songs,
            "accuracy": round(self.accuracy, 4),
            "points_lost": None if self.points_lost is None else round(self.points_lost, 2),
            "n_unfamiliar": self.n_unfamiliar,
            "per_genre": {
                one.genre: {
                    "n": one.n_songs,
                    "artists": one.n_artists,
                    "recall": round(one.recall, 4),
                    "recall_95": [round(bound, 4) for bound in one.interval],
                }
                for one in self.scores
            },
        }


def report(lesson: Lesson, validation: Validation) -> Report:
    """Say how good what was learnt is, and what would make it better."""
    labels = lesson.labels
    named = [
        None if one.genre_index is None else labels[one.genre_index] for one in validation.verdicts
    ]
    scores = []
    for genre in sorted({song.genre for song in lesson.songs}):
        mine = [index for index, song in enumerate(lesson.songs) if song.genre == genre]
        scores.append(
            GenreScore(
                genre,
                len(mine),
                len({lesson.songs[index].artist for index in mine}),
                sum(named[index] == genre for index in mine),
            )
        )
    return Report(
        scores=tuple(scores),
        mixed_up=tuple(_mixed_up(lesson, named)),
        misfiled=tuple(_misfiled(lesson, validation)),
        points_lost=validation.points_lost,
        n_unfamiliar=_n_unfamiliar(lesson, validation),
        remarks=tuple(_remarks(lesson, scores)),
    )


def wilson_interval(n_right: int, n: int) -> tuple[float, float]:
    """Return between which shares the true one lies with 95 %, after ``n_right`` of ``n``."""
    share, z = n_right / n, _SURE_OF_95
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def _n_unfamiliar(lesson: Lesson, validation: Validation) -> int | None:
    if lesson.known:
        return None
    return sum(one.reason is UnknownReason.UNFAMILIAR for one in validation.verdicts)


def _mixed_up(lesson: Lesson, named: list[str | None]) -> Iterator[tuple[str, str, int]]:
    sizes = Counter(song.genre for song in lesson.songs)
    pairs: Counter[tuple[str, str]] = Counter()
    for song, name in zip(lesson.songs, named, strict=True):
        if name is not None and name != song.genre:
            first, second = sorted((song.genre, name))
            pairs[first, second] += 1
    for (first, second), count in pairs.most_common(MOST_NAMED):
        size = min(sizes.get(first, len(named)), sizes.get(second, len(named)))
        if count >= 2 and count >= _MIXED_SHARE * size:
            yield first, second, count


def _misfiled(lesson: Lesson, validation: Validation) -> list[Misfiled]:
    """Name the songs that were taken for another genre with some confidence, surest first."""
    found = []
    for song, verdict in zip(lesson.songs, validation.verdicts, strict=True):
        if verdict.genre_index is None or verdict.confidence < _MISFILED_FROM:
            continue
        name = lesson.labels[verdict.genre_index]
        if name != song.genre:
            found.append(Misfiled(song.name, song.genre, name, verdict.confidence))
    return sorted(found, key=lambda one: -one.confidence)[:MOST_NAMED]


def _remarks(lesson: Lesson, scores: list[GenreScore]) -> Iterator[str]:
    alone = set(genres_of_one_artist(lesson))
    for one in scores:
        if one.genre in lesson.known:
            continue
        if one.genre in alone:
            yield (
                f"{one.genre}: all songs are by one artist, so the figure says how that artist's "
                "other songs fare, not the genre's; add songs by others"
            )
        elif one.n_songs < FEW_SONGS:
            yield (
                f"{one.genre}: {one.n_songs} songs are few; with ten or more by several artists it "
                "is missed less often"
            )
        elif one.n_artists < FEW_ARTISTS:
            yield f"{one.genre}: songs by only {one.n_artists} artists; more artists help most"
        if one.n_songs >= FEW_SONGS and one.interval[1] < 0.5:
            yield (
                f"{one.genre}: fewer than half of its songs are found again; are they of one kind? "
                "Look at those that seem misfiled, or split the folder"
            )
