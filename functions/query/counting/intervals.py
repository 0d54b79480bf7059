"""Intervals of a histogram: which one a range takes, and where its buckets start. Pure."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from math import log
from typing import Literal, get_args

from functions.query.times import NANOSECONDS

Interval = Literal["1s", "5s", "10s", "30s", "1m", "5m", "10m", "30m", "1h", "3h", "12h", "1d"]
INTERVALS: tuple[Interval, ...] = get_args(Interval)

MAX_BUCKETS = 1000
GOOD_BUCKETS = 85
"""`auto` takes the interval whose number of buckets has the ratio nearest to 1 with this one."""

DAY: Interval = "1d"
_UNITS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def width_ns(interval: Interval) -> int:
    """The width of a bucket in nanoseconds; a day of a time zone may be an hour shorter or longer."""
    return int(interval[:-1]) * _UNITS[interval[-1]] * NANOSECONDS


def auto_interval(since: int, until: int) -> Interval:
    """The interval that divides the range into about 40 to 190 buckets, mostly 60 to 120."""
    length = max(until - since, NANOSECONDS)
    return min(INTERVALS, key=lambda each: abs(log(length / width_ns(each) / GOOD_BUCKETS)))


def bucket_starts(interval: Interval, since: int, until: int, zone: tzinfo = UTC) -> list[int] | None:
    """The starts of the buckets that together contain the range, in nanoseconds; None for too many.

    Days start at midnight in `zone`, the other intervals at multiples of their width since 1970 in UTC.
    """
    width = width_ns(interval)
    if since >= until:
        return []
    if (until - since) // width > MAX_BUCKETS:
        return None
    starts = (
        _days(since, until, zone) if interval == DAY and zone is not UTC else _aligned(width, since, until)
    )
    return starts if len(starts) <= MAX_BUCKETS else None


def even_width(starts: list[int]) -> int | None:
    """The distance of all starts, None when they are uneven: days around a change of the clock."""
    distances = {later - earlier for earlier, later in pairwise(starts)}
    return distances.pop() if len(distances) == 1 else None


def _aligned(width: int, since: int, until: int) -> list[int]:
    return list(range(since - since % width, until, width))


def _days(since: int, until: int, zone: tzinfo) -> list[int]:
    day = datetime.fromtimestamp(since // NANOSECONDS, zone).date()
    starts: list[int] = []
    while (start := _midnight(day, zone)) < until:
        starts.append(start)
        day += timedelta(days=1)
    return starts


def _midnight(day: date, zone: tzinfo) -> int:
    """The first moment of `day`; where the clock skips midnight, the moment after the gap."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * NANOSECONDS
