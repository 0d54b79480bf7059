"""Timestamps as text that sorts by time."""

from datetime import UTC, datetime


def timestamp_text(seconds: float) -> str:
    """Unix seconds as RFC 3339 in UTC, always to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
