"""Times in nanoseconds since 1970, as OpenTelemetry and Loki send them."""

from functools import lru_cache

from functions.shared.events import timestamps


def moment(nanoseconds: int) -> str | int:
    """A time as text of nanoseconds; a number beyond the calendar as it is, for the judge."""
    seconds, rest = divmod(nanoseconds, timestamps.NANOSECONDS)
    return f"{_second(seconds)}.{rest:09d}Z" if 0 <= seconds < _YEAR_9999 else nanoseconds


_YEAR_9999 = 253_370_764_800


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    return timestamps.to_text(seconds * timestamps.NANOSECONDS)[: len("2026-11-29T10:00:00")]
