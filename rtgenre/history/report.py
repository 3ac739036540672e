"""The history as documents and text, from stretches; pure."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from typing_extensions import TypedDict

from rtgenre.errors import one_line
from rtgenre.messages.fields import Moment, Probability, Reason, SchemaVersion
from rtgenre.messages.payload import iso_utc, playing_text
from rtgenre.messages.version import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rtgenre.history.stretches import Stretch

NOT_MUSIC = frozenset({"unknown", "silence"})

_BAR_WIDTH = 30
# The file keeps milliseconds, memory whole floats.
_SAME_START_SECONDS = 0.001
_COLUMNS = (
    *("start", "end", "seconds", "node", "genre", "confidence", "model", "reason"),
    *("title", "artist"),
)


class StretchDocument(TypedDict):
    """One stretch of time in which the same was shown."""

    start: Moment
    """When it began to be shown."""
    end: Moment
    """When it ended."""
    node: str
    """The room."""
    genre: str
    """A genre, or unknown or silence."""
    confidence: Probability | None
    """Mean over the windows of the stretch. Null in silence and where there was no music."""
    model: str
    """Name, version and short checksum of the model that judged."""
    reason: Reason | None
    """Why no genre was shown, most of the time. Null unless genre is unknown, and in what older
    versions wrote."""
    title: str | None
    """What played; null where that was not said."""
    artist: str | None
    """Who played it; null where that was not said."""


class HistoryDocument(TypedDict):
    """The answer of GET /history, and of `rtgenre history --json`."""

    schema: SchemaVersion
    type: Literal["history"]
    since: Moment
    """Beginning of the time asked for."""
    until: Moment
    """End of the time asked for."""
    problem: str | None
    """Why what was heard cannot be written at the moment. Null while all is well."""
    stretches: list[StretchDocument]
    """What was shown, oldest first."""


def clipped(stretches: Iterable[Stretch], since: float, until: float) -> list[Stretch]:
    """Return the parts of stretches that lie between two Unix times."""
    within = [s for s in stretches if s.ended_at > since and s.started_at < until]
    return [
        s._replace(started_at=max(s.started_at, since), ended_at=min(s.ended_at, until))
        if s.started_at < since or s.ended_at > until
        else s
        for s in within
    ]


def chosen(
    stretches: Iterable[Stretch], *, node: str | None = None, genre: str | None = None
) -> list[Stretch]:
    """Return the stretches of a node, of a genre, or of both; None is any."""
    return [s for s in stretches if node in {None, s.node} and genre in {None, s.genre}]


def merged(written: Iterable[Stretch], newer: Iterable[Stretch]) -> list[Stretch]:
    """Return the written stretches with newer versions in their places, oldest first."""
    written, newer = list(written), list(newer)
    if not newer:
        return written
    # Only what is about as new can be an older version of it; a week's rest stays as it is.
    first = min(stretch.started_at for stretch in newer) - _SAME_START_SECONDS
    untouched = [stretch for stretch in written if stretch.started_at < first]
    recent = [stretch for stretch in written if stretch.started_at >= first] + newer
    by_start = {(stretch.node, round(1000 * stretch.started_at)): stretch for stretch in recent}
    return untouched + sorted(by_start.values(), key=lambda each: (each.started_at, each.node))


def history_document(
    stretches: Sequence[Stretch], *, since: float, until: float, problem: str | None = None
) -> HistoryDocument:
    """Build the JSON of ``GET /history`` and ``rtgenre history --json``.

    Args:
        stretches: what was heard.
        since: Unix time that the answer begins with.
        until: Unix time that it ends with.
        problem: why newer stretches cannot be written, for people.
    """
    return {
        "schema": SCHEMA_VERSION,
        "type": "history",
        "since": iso_utc(since),
        "until": iso_utc(until),
        "problem": problem,
        "stretches": [
            {
                "start": start,
                "end": end,
                "node": stretch.node,
                "genre": stretch.genre,
                "confidence": stretch.confidence,
                "model": stretch.model,
                "reason": cast("Reason | None", stretch.reason),
                "title": stretch.title,
                "artist": stretch.artist,
            }
            for stretch, start, end in zip(
                stretches,
                _iso_utc([stretch.started_at for stretch in stretches]),
                _iso_utc([stretch.ended_at for stretch in stretches]),
                strict=True,
            )
        ],
    }


def history_csv(stretches: Iterable[Stretch]) -> str:
    """Write stretches as CSV (RFC 4180) with a heading line."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for stretch in stretches:
        writer.writerow(
            (
                iso_utc(stretch.started_at),
                iso_utc(stretch.ended_at),
                round(stretch.seconds, 3),
                stretch.node,
                stretch.genre,
                stretch.confidence,
                stretch.model,
                stretch.reason,
                stretch.title,
                stretch.artist,
            )
        )
    return text.getvalue()


def seconds_by_genre(stretches: Iterable[Stretch]) -> dict[str, float]:
    """Add up the seconds of each genre, most first, ``unknown`` and ``silence`` last."""
    totals: defaultdict[str, float] = defaultdict(float)
    for stretch in stretches:
        totals[stretch.genre] += stretch.seconds
    return dict(sorted(totals.items(), key=lambda item: (item[0] in NOT_MUSIC, -item[1])))


def music_seconds(totals: dict[str, float]) -> float:
    """Return the time for which any genre was shown."""
    return sum(seconds for genre, seconds in totals.items() if genre not in NOT_MUSIC)


def nothing_text(
    heard: Iterable[Stretch], node: str | None = None, genre: str | None = None
) -> str:
    """Say that nothing was heard, for people; of a room or a genre, also which others were.

    Args:
        heard: what was heard in all rooms and of all genres.
        node: the room that was asked for; None: any.
        genre: the genre that was asked for; None: any.
    """
    heard = list(heard)
    nodes = {stretch.node for stretch in heard}
    if node is not None and nodes and node not in nodes:
        return f"nothing was heard in {node!r} in this time; rooms: {', '.join(sorted(nodes))}\n"
    genres = {stretch.genre for stretch in chosen(heard, node=node)}
    if genre is not None and genres and genre not in genres:
        return f"nothing was called {genre!r} in this time, but {', '.join(sorted(genres))}\n"
    return "nothing was heard in this time\n"


def history_text(stretches: Sequence[Stretch]) -> str:
    """Write stretches for people: by day in local time, then the time of each genre."""
    if not stretches:
        return nothing_text(())
    several_nodes = len({stretch.node for stretch in stretches}) > 1
    lines: list[str] = []
    day = ""
    for stretch in stretches:
        start, end = _local(stretch.started_at), _local(stretch.ended_at)
        if f"{start:%A %d %B %Y}" != day:
            day = f"{start:%A %d %B %Y}"
            lines += ["", day]
        node = f"  {stretch.node}" if several_nodes else ""
        times = f"{start:%H:%M:%S} - {end:%H:%M:%S}"
        if stretch.confidence is None:
            judgement = (stretch.reason or "").replace("_", " ")
        else:
            judgement = f"{stretch.confidence:4.0%}"
        played = playing_text(stretch.artist, stretch.title)
        line = f"  {times}  {stretch.genre:<10} {judgement:<10}{node}"
        lines.append(f"{line}  {one_line(played)}".rstrip())
    return "\n".join([*lines[1:], "", *_summary(stretches), ""])


def duration_text(seconds: float) -> str:
    """Write a duration: ``45 s``, ``3 min``, ``5 h 12 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def _summary(stretches: Iterable[Stretch]) -> list[str]:
    totals = seconds_by_genre(stretches)
    music = music_seconds(totals)
    lines = [f"music: {duration_text(music)}"]
    for genre, seconds in totals.items():
        line = f"  {genre:<10} {duration_text(seconds):>11}"
        if genre not in NOT_MUSIC:
            share = seconds / music
            line += f"  {share:4.0%}  {'█' * max(1, round(_BAR_WIDTH * share))}"
        lines.append(line)
    return lines


def _iso_utc(times: Sequence[float]) -> list[str]:
    """Write Unix times as ``iso_utc`` does, all at once: a week has tens of thousands."""
    milliseconds = np.round(1000 * np.asarray(times, dtype=np.float64)).astype("datetime64[ms]")
    return [str(text) for text in np.datetime_as_string(milliseconds, timezone="UTC")]


def _local(time: float) -> datetime:
    return datetime.fromtimestamp(time).astimezone()
