"""Times as callers write them: RFC 3339, dates, times relative to now, and epoch numbers. Pure.

`now-15m`, `-1h`, `now/d`, `now-1d/d+8h`: steps from left to right, each of which adds, subtracts, or rounds
down to the start of a unit. Seconds, minutes and hours are lengths of time. Days, weeks, months and years are
those of the calendar in a time zone: `now-1d` is the same time of day yesterday, also when the clock changed.
"""

import calendar
import re
from datetime import datetime, timedelta, tzinfo

from functions.query import times
from functions.shared.events import timestamps

MAX_CHARACTERS = 100
MAX_STEPS = 8

FORMS = (
    "an RFC 3339 time (2026-11-23T10:00:00Z), a date (2026-11-23), a time relative to now (now-15m, -1h, "
    "now-1d/d, with the units s, m, h, d, w, M, y), or an epoch number"
)
"""What a time may be, for messages."""

Written = str | int | float

_RELATIVE = re.compile(r"(?:now)?(?P<steps>(?:[+-]\d{1,9}[smhdwMy]|/[smhdwMy])*)", re.ASCII)
_STEP = re.compile(r"(?P<sign>[+-/])(?P<amount>\d*)(?P<unit>[smhdwMy])", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH = re.compile(r"\d+(?:\.\d+)?", re.ASCII)

_LENGTHS = {"s": 1, "m": 60, "h": 3600}
_DAYS = {"d": 1, "w": 7}
_MONTHS = {"M": 1, "y": 12}


def parse(written: Written, now_ns: int, zone: tzinfo) -> int:
    """`written` in nanoseconds since 1970; relative to `now_ns`, with days and dates of `zone`.

    Raises
    ------
    ValueError: not a time, or outside 1970 to 2261; the message completes "must be" or "is".
    """
    try:
        found = _parsed(written, now_ns, zone)
    except (OverflowError, OSError):
        found = -1
    except ValueError as fault:
        raise ValueError(f"is {fault}") from fault
    if found is None:
        raise ValueError(f"must be {FORMS}")
    if not 0 <= found < times.MAX:
        raise ValueError("is outside the years 1970 to 2261")
    return found


def _parsed(written: Written, now_ns: int, zone: tzinfo) -> int | None:
    """The time; None when it has none of the forms."""
    if not isinstance(written, str):
        return timestamps.from_number(str(written))
    if len(written) > MAX_CHARACTERS:
        return None
    if _EPOCH.fullmatch(written):
        return timestamps.from_number(written)
    if _DATE.fullmatch(written):
        return _local(datetime.fromisoformat(written), zone) if _is_day(written) else None
    relative = _RELATIVE.fullmatch(written)
    if relative and written:
        return _relative(relative["steps"], now_ns, zone)
    return times.parse(written) if times.is_rfc3339(written) else None


def _relative(text: str, now_ns: int, zone: tzinfo) -> int | None:
    steps = list(_STEP.finditer(text))
    if len(steps) > MAX_STEPS:
        return None
    at = now_ns
    for step in steps:
        if step["sign"] == "/":
            at = _rounded(at, step["unit"], zone)
        else:
            at = _moved(at, int(step["sign"] + step["amount"]), step["unit"], zone)
        if not 0 <= at < times.MAX:
            raise OverflowError
    return at


def _moved(at: int, amount: int, unit: str, zone: tzinfo) -> int:
    """`amount` units later; in months that are too short, on their last day."""
    if unit in _LENGTHS or amount == 0:
        return at + amount * _LENGTHS.get(unit, 0) * times.NANOSECONDS
    seconds, fraction = divmod(at, times.NANOSECONDS)
    local = datetime.fromtimestamp(seconds, zone).replace(tzinfo=None, fold=0)
    if unit in _DAYS:
        moved = local + timedelta(days=amount * _DAYS[unit])
    else:
        year, month = divmod(local.year * 12 + local.month - 1 + amount * _MONTHS[unit], 12)
        if not 1 <= year <= 9999:
            raise OverflowError
        last = calendar.monthrange(year, month + 1)[1]
        moved = local.replace(year=year, month=month + 1, day=min(local.day, last))
    return _local(moved, zone) + fraction


def _rounded(at: int, unit: str, zone: tzinfo) -> int:
    """The start of the unit that has `at`; weeks start on Monday."""
    local = datetime.fromtimestamp(at // times.NANOSECONDS, zone)
    if unit in _LENGTHS:
        # A second hour of the same name, when the clock goes back, has a start of its own (`fold`).
        start = local.replace(second=0) if unit != "s" else local
        start = start.replace(minute=0) if unit == "h" else start
        return int(start.timestamp()) * times.NANOSECONDS
    day = local.replace(hour=0, minute=0, second=0, tzinfo=None, fold=0)
    if unit == "w":
        day -= timedelta(days=day.weekday())
    elif unit in _MONTHS:
        day = day.replace(day=1, month=1 if unit == "y" else day.month)
    return _local(day, zone)


def _local(naive: datetime, zone: tzinfo) -> int:
    """The first moment with this local time; where the clock skips it, as long after the gap."""
    return int(naive.replace(tzinfo=zone).timestamp()) * times.NANOSECONDS


def _is_day(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
