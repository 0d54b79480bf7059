"""The events table as an erasure sees it."""

from datetime import datetime
from typing import Any

from functions.retention.subject import Subject
from functions.shared.warehouse import Warehouse


class EventRows:
    """Counts and erases rows of `events`; errors are those of the warehouse."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def count(self, subject: Subject, until: datetime) -> int:
        """How many of the subject's rows that were received before `until` there are."""
        condition, parameters = _received(subject, until)
        found = self._warehouse.select(
            f"SELECT count() AS rows FROM events WHERE {condition}",  # noqa: S608 - nothing of a caller's
            parameters,
        )
        return int(found.rows[0]["rows"])

    def erase(self, subject: Subject, until: datetime) -> None:
        """Rewrite the parts without them, on all replicas; a lightweight delete would leave the bytes."""
        condition, parameters = _received(subject, until)
        self._warehouse.command(
            f"ALTER TABLE events DELETE WHERE {condition}", parameters, {"mutations_sync": 2}
        )


def _received(subject: Subject, until: datetime) -> tuple[str, dict[str, Any]]:
    condition, parameters = subject.condition()
    before = "received_at < parseDateTime64BestEffort({until:String}, 6, 'UTC')"
    return f"{condition} AND {before}", {**parameters, "until": until.isoformat()}
