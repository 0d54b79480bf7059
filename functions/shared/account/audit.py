"""Who did what to an account, when and from where: the audit trail.

An entry is written with the change it tells of, in the same transaction, so there is none without the other.
Nothing here changes or removes one, nor may any function's role. Entries hold no personal data beyond the
address a request came from: a changed name or e-mail address is told of, not quoted.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functions.shared.access import Principal
from functions.shared.account.moments import moment
from functions.shared.aws_client import asked, client
from functions.shared.errors import RetryableError
from functions.shared.staging import time_ordered_id
from functions.shared.tenancy import TenantId

MAX_USER_AGENT_CHARACTERS = 200
MAX_PAGE = 100

_ENTRY = re.compile(r"[0-9a-z]{26}")


class AuditUnavailableError(RetryableError):
    """DynamoDB gave no answer, or asks us to slow down."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who acts and from where: `actor` is `key:<key_id>` or `person:<subject>`."""

    actor: str
    source_ip: str
    user_agent: str


def origin(event: dict[str, Any], actor: Principal | str) -> Origin:
    """The origin of an HTTP API event (payload 2.0), for its caller or for who turned out to act."""
    http = event.get("requestContext", {}).get("http", {})
    return Origin(
        actor=actor if isinstance(actor, str) else actor.actor,
        source_ip=http.get("sourceIp", ""),
        user_agent=http.get("userAgent", ""),
    )


@dataclass(frozen=True, slots=True)
class Page:
    """Entries as they are shown, newest first; `next_cursor` is None on the last page."""

    entries: list[dict[str, str]]
    next_cursor: str | None


class Audit:
    """The table of entries: partition key `tenant_id`, sort key `entry`, a time-ordered id.

    Parameters
    ----------
    dynamodb: a boto3 client; None for one that is made on first use.
    clock: seconds since 1970.
    """

    def __init__(self, table_name: str, dynamodb: Any = None, clock: Callable[[], float] = time.time) -> None:
        self._table_name = table_name
        self._dynamodb = dynamodb
        self._clock = clock

    def entry(self, tenant: TenantId, who: Origin, action: str, subject: str) -> dict[str, Any]:
        """A new entry as an item of TransactWriteItems; it overwrites nothing.

        `action` is a noun and what became of it (`key.created`), `subject` the id of what it was done to.
        """
        return {"Put": {"TableName": self._table_name, **self._put(tenant, who, action, subject)}}

    def append(self, tenant: TenantId, who: Origin, action: str, subject: str) -> None:
        """Write an entry by itself, of something that is not in DynamoDB: before it is done.

        Raises
        ------
        AuditUnavailableError: it may or may not have been written.
        """
        self._call("put_item", **self._put(tenant, who, action, subject))

    def page(self, tenant: TenantId, limit: int, cursor: str | None = None) -> Page:
        """Up to `limit` entries of `tenant`, those before `cursor`.

        Entries that are written while somebody pages are on no page: they are newer than the first.

        Raises
        ------
        ValueError: no page ever gave this cursor.
        AuditUnavailableError
        """
        if cursor is not None and not _ENTRY.fullmatch(cursor):
            raise ValueError("not a cursor")
        values = {":tenant": {"S": str(tenant)}}
        condition = "tenant_id = :tenant"
        if cursor is not None:
            condition, values = f"{condition} AND entry < :cursor", {**values, ":cursor": {"S": cursor}}
        items = self._call(
            "query",
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit + 1,
        )["Items"]
        more = len(items) > limit
        return Page(
            [_shown(item) for item in items[:limit]], items[limit - 1]["entry"]["S"] if more else None
        )

    def _put(self, tenant: TenantId, who: Origin, action: str, subject: str) -> dict[str, Any]:
        now = self._clock()
        fields = {
            "tenant_id": str(tenant),
            "entry": time_ordered_id(int(now * 1000)),
            "at": moment(now),
            "actor": who.actor,
            "action": action,
            "subject": subject,
            "from": who.source_ip,
            "user_agent": _cut(who.user_agent),
        }
        return {
            "Item": {name: {"S": value} for name, value in fields.items()},
            "ConditionExpression": "attribute_not_exists(entry)",
        }

    def _call(self, operation: str, **parameters: Any) -> Any:
        self._dynamodb = self._dynamodb or client("dynamodb")
        return asked(
            lambda: getattr(self._dynamodb, operation)(TableName=self._table_name, **parameters),
            lambda code: AuditUnavailableError(f"the audit trail: {code}"),
        )


def _cut(user_agent: str) -> str:
    """At most 200 characters, and none that is half of one: DynamoDB takes UTF-8 only."""
    return user_agent[:MAX_USER_AGENT_CHARACTERS].encode("utf-8", "replace").decode()


def _shown(item: dict[str, Any]) -> dict[str, str]:
    return {
        "id": item["entry"]["S"],
        **{name: item[name]["S"] for name in ("at", "actor", "action", "subject", "from", "user_agent")},
    }
