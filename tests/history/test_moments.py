import time
from datetime import datetime

import pytest

from rtgenre.history.moments import LATEST, parse_moment, parse_span
from rtgenre.messages.payload import iso_utc

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds_ago"),
    [("45s", 45), ("30m", 1800), ("12h", 43200), ("7d", 604800), ("2w", 1209600), ("1.5h", 5400)],
)
def test_a_time_ago_is_counted_from_now(text, seconds_ago):
    assert parse_moment(text, NOW) == NOW - seconds_ago


def test_a_time_with_a_zone_is_that_moment():
    assert parse_moment("2023-11-14T22:13:20Z", NOW) == NOW
    assert parse_moment("2023-11-14T23:13:20+01:00", NOW) == NOW


def test_a_date_is_local_midnight():
    assert parse_moment("2026-11-21", NOW) == datetime(2026, 11, 21).timestamp()


@pytest.fixture
def in_berlin(monkeypatch):
    """Set the local zone to one that is ahead of UTC and changes its clocks."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_berlin")
def test_today_and_yesterday_begin_at_local_midnight_also_where_clocks_are_changed():
    # Clocks went back an hour on 29 October 2023: that day has 25 hours.
    monday_noon = datetime.fromisoformat("2023-10-30T12:00+01:00").timestamp()
    since, until = parse_span("yesterday", "today", monday_noon)
    assert since == datetime.fromisoformat("2023-10-29T00:00+02:00").timestamp()
    assert until == datetime.fromisoformat("2023-10-30T00:00+01:00").timestamp()


@pytest.mark.parametrize("text", ["", "tomorrow", "7", "-7d", "7x", "2026-13-01", "9" * 30])
def test_anything_else_is_refused_with_what_may_be_written(text):
    with pytest.raises(ValueError, match=r"7d.*2026-11-21"):
        parse_moment(text, NOW)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("999999w", 0), ("0001-01-02T00:00:00Z", 0), ("9999-12-31T23:59:59.9Z", LATEST)],
)
def test_a_time_beyond_all_that_can_be_written_is_the_nearest_that_can(text, seconds):
    assert parse_moment(text, NOW) == seconds
    assert iso_utc(parse_moment(text, NOW))


@pytest.mark.usefixtures("in_berlin")
def test_a_time_that_names_its_zone_is_one_though_here_another_year_has_begun():
    assert parse_moment("9999-12-31T23:59:59Z", NOW) == LATEST


def test_a_span_ends_now_or_where_it_says():
    assert parse_span("1h", None, NOW) == (NOW - 3600, NOW)
    assert parse_span("1h", "now", NOW) == (NOW - 3600, NOW)
    assert parse_span("2h", "1h", NOW) == (NOW - 7200, NOW - 3600)


@pytest.mark.parametrize(("since", "until"), [("1h", "2h"), ("1h", "1h"), ("2999-01-01", None)])
def test_a_span_that_ends_before_it_begins_is_refused(since, until):
    with pytest.raises(ValueError, match="must come after"):
        parse_span(since, until, NOW)
