"""Announcements to all customers or to one, shown in the dashboard for KEEP_DAYS.

An announcement that takes effect on a later day is shown for KEEP_DAYS after that day.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from functions.shared.accounts.timestamps import timestamp_text
from functions.shared.tables.announcements import AnnouncementItem
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tenancy import TenantId

KEEP_DAYS = 180
SECONDS_A_DAY = 86_400

ALL_ACCOUNTS = "*"
"""The partition of announcements to all accounts; no tenant id can contain this character."""


class Announcements:
    """The table of announcements: partition key `tenant_id`, sort key `announcement`, the id.

    Every method raises StoreUnavailableError when DynamoDB fails.

    Parameters
    ----------
    dynamodb: a boto3 client; None for one that is made on first use.
    clock: seconds since 1970.
    """

    def __init__(self, table_name: str, dynamodb: Any = None, clock: Callable[[], float] = time.time) -> None:
        self._table = Table(AnnouncementItem, table_name, dynamodb)
        self._clock = clock

    def publish(
        self,
        tenant: TenantId | None,
        announcement_id: str,
        kind: str,
        title: str,
        text: str,
        effective_on: date | None = None,
    ) -> bool:
        """Announce to `tenant`, or to all. The first write of an id wins; repeats have no effect.

        Returns whether it is new. `kind` is for programs, `title` and `text` are for people; `effective_on`
        is the day on which the announced change takes effect.
        """
        now = self._clock()
        forget_at = int(max(now, _beginning(effective_on))) + KEEP_DAYS * SECONDS_A_DAY
        announcement = AnnouncementItem(
            str(tenant or ALL_ACCOUNTS),
            announcement_id,
            at=timestamp_text(now),
            kind=kind,
            title=title,
            text=text,
            effective_on=None if effective_on is None else effective_on.isoformat(),
            forget_at=forget_at,
        )
        try:
            self._table.put(announcement, AnnouncementItem.announcement.does_not_exist())
        except ConditionFailedError:
            return False
        return True

    def list(self, tenant: TenantId, since: datetime | None = None) -> list[dict[str, Any]]:
        """Announcements for `tenant` and for all, published after `since`, newest first: id, at, kind, title,
        text and effective_on (None: effective immediately).
        """
        items = [*self._table.query(str(tenant)), *self._table.query(ALL_ACCOUNTS)]
        now = self._clock()
        # DynamoDB deletes expired items late, so the expiry date is checked.
        announcements = [_as_json(item) for item in items if item.forget_at > now]
        after = "" if since is None else timestamp_text(since.timestamp())
        return sorted(
            (each for each in announcements if each["at"] > after),
            key=lambda each: (each["at"], each["id"]),
            reverse=True,
        )


def _beginning(day: date | None) -> float:
    return 0.0 if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _as_json(item: AnnouncementItem) -> dict[str, Any]:
    return {
        "id": item.announcement,
        "at": item.at,
        "kind": item.kind,
        "title": item.title,
        "text": item.text,
        "effective_on": item.effective_on,
    }
