from datetime import datetime

import pytest

from rtgenre.history.moments import parse_moment

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


@pytest.mark.parametrize("text", ["", "yesterday", "7", "-7d", "7x", "2026-13-01", "9" * 30])
def test_anything_else_is_refused_with_what_may_be_written(text):
    with pytest.raises(ValueError, match=r"7d.*2026-11-21"):
        parse_moment(text, NOW)
