"""Unix seconds as text."""

from datetime import UTC, datetime


def to_rfc3339(seconds: float) -> str:
    """RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
