"""Times as people write them: ``7d``, ``yesterday``, ``2026-11-21``, ``2026-11-21T18:30:00Z``."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

LATEST = 253_402_300_799.0
"""The last second of the year 9999, the latest that can be written as a date."""

_UNIT_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DAYS_AGO = {"today": 0, "yesterday": 1}


def parse_moment(text: str, now: float) -> float:
    """Return the Unix time that ``text`` means, at least 0 and at most ``LATEST``.

    Args:
        text: ``now``; a time before it (``30m``, ``12h``, ``7d``, ``2w``); ``today`` or
            ``yesterday``, when that day began; or a date or time in ISO 8601. Days, and times
            that name no zone, are local.
        now: Unix time in seconds.

    Raises:
        ValueError: it is neither.
    """
    if text == "now":
        return now
    ago = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)([smhdw])", text)
    if ago:
        return max(0.0, now - float(ago[1]) * _UNIT_SECONDS[ago[2]])
    if text in _DAYS_AGO:
        day = datetime.fromtimestamp(now).date() - timedelta(days=_DAYS_AGO[text])
        return max(0.0, datetime.combine(day, time.min).astimezone().timestamp())
    try:
        # A time without a zone is read as local.
        return min(max(0.0, datetime.fromisoformat(text).timestamp()), LATEST)
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"{text!r} is no time; write how long ago (30m, 12h, 7d, 2w), now, today, yesterday, "
            "or a date or time such as 2026-11-21 or 2026-11-21T18:30:00Z"
        ) from None


def parse_span(since: str, until: str | None, now: float) -> tuple[float, float]:
    """Return the two Unix times that ``since`` and ``until`` mean; without ``until``, to ``now``.

    Raises:
        ValueError: one of them is no time, or they are not in order.
    """
    start = parse_moment(since, now)
    end = now if until is None else parse_moment(until, now)
    if end <= start:
        raise ValueError(f"until ({until or 'now'}) must come after since ({since})")
    return start, end
