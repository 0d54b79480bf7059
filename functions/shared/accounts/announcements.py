"""Announcements to all customers or to one, shown in the dashboard for KEEP_DAYS.

An announcement that takes effect on a later day is shown for KEEP_DAYS after that day.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from functions.shared.accounts.timestamps import timestamp_text
from functions.shared.aws_client import asked, client
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId

KEEP_DAYS = 180
SECONDS_A_DAY = 86_400

ALL_ACCOUNTS = "*"
"""The partition of announcements to all accounts; no tenant id can contain this character."""

_ALREADY_THERE = "ConditionalCheckFailedException"


class AnnouncementsUnavailableError(RetryableError):
    """DynamoDB did not answer, or throttled the request."""


class _AlreadyThereError(Exception):
    """An announcement with this id is already published."""


class Announcements:
    """The table of announcements: partition key `tenant_id`, sort key `announcement`, the id.

    Every method raises AnnouncementsUnavailableError when DynamoDB fails.

    Parameters
    ----------
    dynamodb: a boto3 client; None for one that is made on first use.
    clock: seconds since 1970.
    """

    def __init__(self, table_name: str, dynamodb: Any = None, clock: Callable[[], float] = time.time) -> None:
        self._table_name = table_name
        self._dynamodb = dynamodb
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
        fields = {
            "tenant_id": {"S": str(tenant or ALL_ACCOUNTS)},
            "announcement": {"S": announcement_id},
            "at": {"S": timestamp_text(now)},
            "kind": {"S": kind},
            "title": {"S": title},
            "text": {"S": text},
            "forget_at": {"N": str(forget_at)},
        }
        if effective_on is not None:
            fields["effective_on"] = {"S": effective_on.isoformat()}
        try:
            self._call("put_item", Item=fields, ConditionExpression="attribute_not_exists(announcement)")
        except _AlreadyThereError:
            return False
        return True

    def list(self, tenant: TenantId, since: datetime | None = None) -> list[dict[str, Any]]:
        """Announcements for `tenant` and for all, published after `since`, newest first: id, at, kind, title,
        text and effective_on (None: effective immediately).
        """
        items = [*self._partition(str(tenant)), *self._partition(ALL_ACCOUNTS)]
        now = self._clock()
        # DynamoDB deletes expired items late, so the expiry date is checked.
        shown = [_shown(item) for item in items if int(item["forget_at"]["N"]) > now]
        after = "" if since is None else timestamp_text(since.timestamp())
        return sorted(
            (each for each in shown if each["at"] > after),
            key=lambda each: (each["at"], each["id"]),
            reverse=True,
        )

    def _partition(self, name: str) -> Iterator[dict[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            page = self._call(
                "query",
                KeyConditionExpression="tenant_id = :tenant",
                ExpressionAttributeValues={":tenant": {"S": name}},
                **start,
            )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _call(self, operation: str, **parameters: Any) -> Any:
        self._dynamodb = self._dynamodb or client("dynamodb")
        return asked(
            lambda: getattr(self._dynamodb, operation)(TableName=self._table_name, **parameters), _fault
        )


def _fault(code: str) -> Exception:
    if code == _ALREADY_THERE:
        return _AlreadyThereError()
    return AnnouncementsUnavailableError(f"announcements: {code}")


def _beginning(day: date | None) -> float:
    return 0.0 if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _shown(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": item["announcement"]["S"],
        **{name: item[name]["S"] for name in ("at", "kind", "title", "text")},
        "effective_on": item.get("effective_on", {}).get("S"),
    }
