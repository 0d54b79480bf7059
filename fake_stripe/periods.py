"""Billing periods: steps from an anchor that keep its day of the month, or use the month's last day."""

import calendar
from datetime import UTC, datetime, timedelta

DAY_SECONDS = 86_400
_FIXED = {"day": DAY_SECONDS, "week": 7 * DAY_SECONDS}


def step(anchor: int, interval: str, count: int, n: int) -> int:
    """The nth boundary after `anchor`, in seconds since the epoch."""
    if interval in _FIXED:
        return anchor + _FIXED[interval] * count * n
    start = datetime.fromtimestamp(anchor, UTC)
    months = start.year * 12 + start.month - 1 + n * count * (12 if interval == "year" else 1)
    year, month = divmod(months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    moved = start.replace(year=year, month=month + 1, day=day)
    return int(moved.timestamp())


def next_boundary(anchor: int, interval: str, count: int, after: int) -> int:
    """The first boundary later than `after`; `anchor` itself is one."""
    n = 0
    while step(anchor, interval, count, n) <= after:
        n += 1
    return step(anchor, interval, count, n)


def day_name(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%d %b %Y}"


def days(n: float) -> int:
    return int(timedelta(days=n).total_seconds())
