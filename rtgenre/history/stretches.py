"""From documents, one per window, to stretches of one genre."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rtgenre.messages.documents import StateDocument

GAP_SECONDS = 15.0
"""A stretch does not reach across a longer time without a window; hops are at most 4 s."""


class Stretch(NamedTuple):
    """A time during which one thing was shown, and one title played where titles are known.

    A tuple, since a week holds tens of thousands of them and a dataclass takes longer to make.
    """

    node: str
    started_at: float
    """Unix time in seconds; with the node it tells stretches apart."""
    ended_at: float
    """Unix time in seconds; of a stretch that goes on, the newest window's."""
    genre: str
    """A genre, or ``unknown`` or ``silence``."""
    confidence: float | None
    """Mean over the stretch's windows, 0 to 1, to four places; None where no genre was judged."""
    model: str
    reason: str | None = None
    """Why no genre was shown, most of the time; None unless ``genre`` is ``unknown``."""
    title: str | None = None
    """What played, where that was said."""
    artist: str | None = None
    """Who played it, where that was said."""

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.ended_at - self.started_at


class StretchFold:
    """Follows the documents of one node: a pure fold."""

    def __init__(self, node: str, model: str) -> None:
        self._node = node
        self._model = model
        # The stretch that goes on; an empty genre before the first document.
        self._genre = ""
        self._track: tuple[str | None, str | None] = (None, None)
        self._started_at = 0.0
        self._ended_at = 0.0
        self._confidence_sum = 0.0
        self._n_judged = 0
        self._reasons: Counter[str] = Counter()

    def update(self, document: StateDocument) -> Stretch | None:
        """Take in a document and return the stretch that it ends, if it ends one.

        What a document says holds until the next one, unless that comes ``GAP_SECONDS`` later, or
        earlier, for a clock that was set.
        """
        time = datetime.fromisoformat(document["time"]).timestamp()
        genre = document["genre"] or document["state"]
        track = (document["title"], document["artist"])
        gap = abs(time - self._ended_at) > GAP_SECONDS
        if not gap:
            self._ended_at = max(self._ended_at, time)
        ended = None
        if gap or (genre, track) != (self._genre, self._track):
            ended = self.current()
            self._genre, self._track = genre, track
            self._started_at = self._ended_at = time
            self._confidence_sum = 0.0
            self._n_judged = 0
            self._reasons.clear()
        if document["confidence"] is not None:
            self._confidence_sum += document["confidence"]
            self._n_judged += 1
        if document["reason"] is not None:
            self._reasons[document["reason"]] += 1
        return ended

    def cut(self) -> None:
        """Begin the stretch that goes on anew at its newest window."""
        self._started_at = self._ended_at
        if self._n_judged:
            self._confidence_sum /= self._n_judged
            self._n_judged = 1

    def current(self) -> Stretch | None:
        """Return the stretch that goes on, as far as it has come; None while it has no length."""
        if self._ended_at <= self._started_at:
            return None
        title, artist = self._track
        return Stretch(
            node=self._node,
            started_at=self._started_at,
            ended_at=self._ended_at,
            genre=self._genre,
            confidence=round(self._confidence_sum / self._n_judged, 4) if self._n_judged else None,
            model=self._model,
            reason=max(self._reasons, key=lambda each: self._reasons[each], default=None),
            title=title,
            artist=artist,
        )
