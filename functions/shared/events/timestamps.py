"""Parse every common time format to nanoseconds since 1970 UTC.

Nanoseconds are an int throughout: floats lose them, and `datetime` ends at microseconds.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

NANOSECONDS = 1_000_000_000

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Older times come from clocks that were never set; they are moved to this one and the original is kept."""

LATEST_AHEAD = timedelta(days=1)
"""How far an event's time may be after its receipt."""

_LONGEST_NUMBER = 40
_LONGEST_TEXT = 100
"""Longer than any format; the patterns below would retry a longer text at each of its characters."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3), (10**20, 1))
"""Below the bound, a number is in seconds, then milli-, micro-, nanoseconds: factors to nanoseconds."""

_ISO = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](?P<clock>\d\d:\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,30}))?)?"
    r" ?(?P<zone>[Zz]|UTC|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)


_SPLIT_SECOND = re.compile(
    r"(?P<whole>.+[Tt ]\d\d:?\d\d:?\d\d)[.,](?P<fraction>\d{1,30})(?P<zone>\D.*)?", re.ASCII
)


def from_text(text: str) -> int | None:
    """RFC 3339, ISO 8601 and SQL times (no zone means UTC), and epoch numbers sent as text; else None."""
    text = text.strip()
    if len(text) > _LONGEST_TEXT:
        return None
    match = _ISO.fullmatch(text)
    if match:
        return _from_match(match)
    if len(text) <= _LONGEST_NUMBER and (text.replace(".", "", 1).lstrip("-").isdecimal() and text.isascii()):
        return from_number(text)
    return _from_other_iso(text)


def from_number(text: str) -> int | None:
    """An epoch number as written in JSON, its unit derived from its size; None when it cannot be a time."""
    if len(text) > _LONGEST_NUMBER:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    for bound, factor in _UNITS:
        if number.copy_abs() < bound:  # abs() would round, and overflow
            return int(number * factor)
    return None


def from_datetime(moment: datetime) -> int:
    """`moment`, which must have a time zone, as nanoseconds."""
    elapsed = moment - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * NANOSECONDS + elapsed.microseconds * 1000


def to_text(nanoseconds: int) -> str:
    """`YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ`, for times between the years 1970 and 9999."""
    seconds, fraction = divmod(nanoseconds, NANOSECONDS)
    moment = _EPOCH + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"


def _from_match(match: re.Match[str]) -> int | None:
    clock, second, zone = match["clock"] or "00:00", match["second"] or "00", match["zone"] or "Z"
    leap = second == "60"
    offset = "+00:00" if zone in ("Z", "z", "UTC") else zone
    try:
        moment = datetime.fromisoformat(f"{match['date']}T{clock}:{'59' if leap else second}{offset}")
        whole = from_datetime(moment)
    except (ValueError, OverflowError):
        return None
    return whole + _nanoseconds(match["fraction"] or "0") + (NANOSECONDS if leap else 0)


def _from_other_iso(text: str) -> int | None:
    """Rarer ISO 8601 formats (basic, week dates), parsed with the standard library, to the nanosecond."""
    split = _SPLIT_SECOND.fullmatch(text)
    whole = split["whole"] + (split["zone"] or "") if split else text
    try:
        moment = datetime.fromisoformat(whole)
        nanoseconds = from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None
    return nanoseconds + (_nanoseconds(split["fraction"]) if split else 0)


def _nanoseconds(fraction: str) -> int:
    """Parse a fraction of a second; digits below a nanosecond are truncated."""
    return int(fraction.ljust(9, "0")[:9])
