"""Timestamps as nanoseconds since 1970: parsed from RFC 3339, formatted for ClickHouse and for responses."""

import re
from datetime import UTC, datetime

NANOSECONDS = 1_000_000_000
MAX = 9_214_646_400 * NANOSECONDS
"""2262-01-01: in the last year of DateTime64(9) not every timestamp is representable."""

_RFC3339 = re.compile(
    r"(?P<second>\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9})\d*)?"
    r"(?P<zone>[Zz]|[+-]\d\d:\d\d)"
)

_NO_SUCH_TIME = "a time that does not exist: check its month, day, hour, minute, second and offset"


def parse(text: str) -> int:
    """Parse `text` to nanoseconds since 1970; digits after the ninth are truncated.

    Raises
    ------
    ValueError: not RFC 3339, no such time, or outside 1970 to 2261; the message completes "is".
    """
    match = _RFC3339.fullmatch(text)
    if not match:
        raise ValueError("not an RFC 3339 time")
    zone = "+00:00" if match["zone"] in "Zz" else match["zone"]
    try:
        seconds = int(datetime.fromisoformat(match["second"].upper() + zone).timestamp())
    except ValueError:
        raise ValueError(_NO_SUCH_TIME) from None
    instant = seconds * NANOSECONDS + int((match["fraction"] or "").ljust(9, "0"))
    if not 0 <= instant < MAX:
        raise ValueError("outside the years 1970 to 2261")
    return instant


def is_rfc3339(text: str) -> bool:
    """Whether `text` has the form of RFC 3339; its numbers may still be no time."""
    return _RFC3339.fullmatch(text) is not None


def for_engine(instant: int) -> str:
    """`instant` as the value of a DateTime64(9, 'UTC') parameter."""
    seconds, fraction = divmod(instant, NANOSECONDS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{fraction:09d}"


def from_engine(text: str) -> int:
    """Parse the engine's format, such as `2026-11-23 10:53:00.123456789`."""
    return parse(f"{text}Z")


def for_people(text: str) -> str:
    """Format the engine's text of a timestamp as RFC 3339."""
    return text.replace(" ", "T") + "Z"


def rfc3339(instant: int) -> str:
    """`instant` as RFC 3339, with as many digits as it needs."""
    seconds, fraction = divmod(instant, NANOSECONDS)
    digits = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}{digits}Z"
