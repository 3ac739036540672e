"""Draws the history: a row per day, coloured by genre, and the share of each genre."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rtgenre.history.report import NOT_MUSIC, duration_text, music_seconds, seconds_by_genre

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from rtgenre.history.stretches import Stretch

MAX_DAYS = 62


def plot_history(
    file: Path,
    stretches: Sequence[Stretch],
    *,
    since: float,
    until: float,
    colors: Mapping[str, str],
) -> None:
    """Draw to ``file``; its ending chooses the format.

    Raises:
        ValueError: matplotlib is missing, the format is unknown, the time is too long or the file
            cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ValueError("--plot needs matplotlib: pip install 'rtgenre[plot]'") from None
    if not file.suffix:
        # It would be drawn to another file, with an ending.
        raise ValueError(f"{file}: its name must end in .png, .svg or .pdf")
    n_days = round((until - since) / 86400)
    if n_days > MAX_DAYS:
        raise ValueError(f"{n_days} days were asked for; at most {MAX_DAYS} can be drawn")
    days = _days(since, until)
    figure = Figure(figsize=(12, 1.6 + 0.42 * len(days)), layout="constrained")
    timeline, shares = figure.subplots(1, 2, width_ratios=(3, 1))
    _draw_timeline(timeline, stretches, days, colors)
    _draw_shares(shares, stretches, colors)
    try:
        figure.savefig(file, dpi=120)
    except OSError as error:
        raise ValueError(f"{file} cannot be written: {error}") from error


def _days(since: float, until: float) -> list[datetime]:
    """Return local midnights, oldest first, of the days that the time touches.

    Raises:
        ValueError: the last of them has no day after it.
    """
    day = datetime.fromtimestamp(since).replace(hour=0, minute=0, second=0, microsecond=0)
    days = []
    while day.astimezone().timestamp() < until:
        days.append(day)
        try:
            day += timedelta(days=1)
        except OverflowError:
            raise ValueError("the last day of the calendar cannot be drawn") from None
    return days


def _draw_timeline(
    axes: Any, stretches: Sequence[Stretch], days: Sequence[datetime], colors: Mapping[str, str]
) -> None:
    for row, day in enumerate(days):
        for genre, spans in _spans_of_day(stretches, day).items():
            height = 0.35 if genre in NOT_MUSIC else 0.8
            axes.broken_barh(spans, (row - height / 2, height), color=colors[genre], linewidth=0)
    axes.set_xlim(0, 24)
    axes.set_xticks(range(0, 25, 3), [f"{hour}:00" for hour in range(0, 25, 3)])
    axes.set_ylim(len(days) - 0.4, -0.6)
    axes.set_yticks(range(len(days)), [f"{day:%a %d %b}" for day in days])
    axes.grid(visible=True, axis="x", alpha=0.25)
    axes.set_axisbelow(True)
    axes.set_title("What was heard, by local time", loc="left")
    axes.spines[:].set_visible(False)


def _spans_of_day(
    stretches: Sequence[Stretch], day: datetime
) -> dict[str, list[tuple[float, float]]]:
    """Return (start, length) in hours of the clock, by genre; a clock may be set on that day."""
    start = day.astimezone().timestamp()
    end = (day + timedelta(days=1)).astimezone().timestamp()
    spans: dict[str, list[tuple[float, float]]] = {}
    for genre, from_time, to_time in _within(stretches, start, end):
        from_hour, to_hour = _hours(from_time, day), _hours(to_time, day)
        # Of the hour that comes twice a part may seem to end before it begins.
        spans.setdefault(genre, []).append((from_hour, max(0.0, to_hour - from_hour)))
    return spans


def _hours(time: float, day: datetime) -> float:
    return (datetime.fromtimestamp(time) - day) / timedelta(hours=1)


def _within(
    stretches: Sequence[Stretch], start: float, end: float
) -> Iterator[tuple[str, float, float]]:
    for stretch in stretches:
        from_time, to_time = max(stretch.started_at, start), min(stretch.ended_at, end)
        if from_time < to_time:
            yield stretch.genre, from_time, to_time


def _draw_shares(axes: Any, stretches: Sequence[Stretch], colors: Mapping[str, str]) -> None:
    totals = seconds_by_genre(stretches)
    genres = [genre for genre in totals if genre not in NOT_MUSIC]
    music = music_seconds(totals)
    bars = axes.barh(
        genres,
        [totals[genre] / 3600 for genre in genres],
        color=[colors[genre] for genre in genres],
    )
    # Beside the bars: no colour of text can be read on every genre's.
    axes.bar_label(
        bars,
        [f"{duration_text(totals[genre])}, {totals[genre] / music:.0%}" for genre in genres],
        padding=4,
        fontsize=9,
    )
    axes.margins(x=0.9)
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.spines[:].set_visible(False)
    axes.set_title(f"{duration_text(music)} of music", loc="left")
