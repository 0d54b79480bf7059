"""What we tell our customers, all of them or one: shown in the dashboard for KEEP_DAYS."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from functions.shared.aws_client import asked, client
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId

KEEP_DAYS = 180
SECONDS_A_DAY = 86_400

EVERYBODY = "*"
"""The partition of what all are told; no tenant's id has this character, so nobody can be called so."""

_ALREADY_THERE = "ConditionalCheckFailedException"


class AnnouncementsUnavailableError(RetryableError):
    """DynamoDB gave no answer, or asks us to slow down."""


class _AlreadyThereError(Exception):
    """The announcement of that id was published before."""


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
        self, tenant: TenantId | None, announcement_id: str, kind: str, title: str, text: str
    ) -> bool:
        """Tell `tenant`, or everybody; the first to use an id wins, and the same again changes nothing.

        Returns whether it is new. `kind` is for programs, `title` and `text` are for people.
        """
        now = self._clock()
        fields = {
            "tenant_id": {"S": str(tenant or EVERYBODY)},
            "announcement": {"S": announcement_id},
            "at": {"S": _moment(now)},
            "kind": {"S": kind},
            "title": {"S": title},
            "text": {"S": text},
            "forget_at": {"N": str(int(now) + KEEP_DAYS * SECONDS_A_DAY)},
        }
        try:
            self._call("put_item", Item=fields, ConditionExpression="attribute_not_exists(announcement)")
        except _AlreadyThereError:
            return False
        return True

    def list(self, tenant: TenantId, since: datetime | None = None) -> list[dict[str, str]]:
        """What `tenant` and everybody was told after `since`, newest first: id, at, kind, title, text."""
        items = [*self._partition(str(tenant)), *self._partition(EVERYBODY)]
        now = self._clock()
        # DynamoDB forgets late, so the date is looked at.
        shown = [_shown(item) for item in items if int(item["forget_at"]["N"]) > now]
        after = "" if since is None else _moment(since.timestamp())
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


def _moment(seconds: float) -> str:
    """RFC 3339 in UTC, always to the millisecond: as text, moments sort by time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(item: dict[str, Any]) -> dict[str, str]:
    return {
        "id": item["announcement"]["S"],
        **{name: item[name]["S"] for name in ("at", "kind", "title", "text")},
    }
