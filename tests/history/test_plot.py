import time
from datetime import datetime

import pytest

from rtgenre.history.plot import plot_history
from rtgenre.history.stretches import Stretch


@pytest.fixture
def in_berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-10-26"])
def test_what_was_heard_stands_at_its_time_also_on_days_when_clocks_are_changed(
    tmp_path, monkeypatch, in_berlin, day
):
    drawn = []
    monkeypatch.setattr(
        "matplotlib.axes.Axes.broken_barh",
        lambda _self, spans, *_args, **_more: drawn.extend(spans),
    )
    at = [datetime.fromisoformat(f"{day}T{hour}").timestamp() for hour in ("12:00", "23:30")]
    stretches = [Stretch("den", began, began + 900, "jazz", 0.9, "test") for began in at]
    plot_history(
        tmp_path / "day.png",
        stretches,
        since=at[0],
        until=at[1] + 900,
        colors={"jazz": "#112233"},
    )
    assert drawn == [(12.0, 0.25), (23.5, 0.25)]


def test_the_end_of_the_calendar_is_refused_in_words(tmp_path):
    since, until = (datetime.fromisoformat(f"9999-12-{day}").timestamp() for day in (30, 31))
    with pytest.raises(ValueError, match="the last day of the calendar cannot be drawn"):
        plot_history(tmp_path / "day.png", [], since=since, until=until + 3600, colors={})
