"""The audit trail: who changed what in an account, when and from where.

An entry is written in the same transaction as its change, so neither exists without the other. Nothing here
changes or deletes an entry, and no function's role permits it. Entries hold no personal data except the
address a request came from: a changed name or e-mail address is recorded, but its value is not.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functions.shared.access import Principal
from functions.shared.accounts.timestamps import timestamp_text
from functions.shared.aws_client import asked, client
from functions.shared.errors import RetryableError
from functions.shared.events.staged_key import time_ordered_id
from functions.shared.tenancy import TenantId

MAX_USER_AGENT_CHARACTERS = 200
MAX_PAGE = 100

_ENTRY = re.compile(r"[0-9a-z]{26}")


class AuditUnavailableError(RetryableError):
    """DynamoDB did not answer, or throttled the request."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The actor and the request's origin: `actor` is `key:<key_id>` or `person:<subject>`."""

    actor: str
    source_ip: str
    user_agent: str


def origin(event: dict[str, Any], actor: Principal | str) -> Origin:
    """The origin of an HTTP API event (payload 2.0), for its caller or for the given actor."""
    http = event.get("requestContext", {}).get("http", {})
    return Origin(
        actor=actor if isinstance(actor, str) else actor.actor,
        source_ip=http.get("sourceIp", ""),
        user_agent=http.get("userAgent", ""),
    )


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries for display, newest first; `next_cursor` is None on the last page."""

    entries: list[dict[str, str]]
    next_cursor: str | None


class AuditTrail:
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
        """A new entry as an item of TransactWriteItems; it never overwrites an entry.

        `action` is a noun and what happened to it (`key.created`), `subject` the id of the changed thing.
        """
        return {"Put": {"TableName": self._table_name, **self._put(tenant, who, action, subject)}}

    def append(self, tenant: TenantId, who: Origin, action: str, subject: str) -> None:
        """Write an entry alone, before an action outside DynamoDB begins.

        Raises
        ------
        AuditUnavailableError: the entry may or may not have been written.
        """
        self._call("put_item", **self._put(tenant, who, action, subject))

    def page(self, tenant: TenantId, limit: int, cursor: str | None = None) -> AuditPage:
        """Up to `limit` entries of `tenant`, older than `cursor`.

        Entries written during paging are on no page: they are newer than the first page.

        Raises
        ------
        ValueError: the cursor is not one that a page returned.
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
        return AuditPage(
            [_shown(item) for item in items[:limit]], items[limit - 1]["entry"]["S"] if more else None
        )

    def _put(self, tenant: TenantId, who: Origin, action: str, subject: str) -> dict[str, Any]:
        now = self._clock()
        fields = {
            "tenant_id": str(tenant),
            "entry": time_ordered_id(int(now * 1000)),
            "at": timestamp_text(now),
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
    """At most 200 characters, without unpaired surrogates: DynamoDB accepts UTF-8 only."""
    return user_agent[:MAX_USER_AGENT_CHARACTERS].encode("utf-8", "replace").decode()


def _shown(item: dict[str, Any]) -> dict[str, str]:
    return {
        "id": item["entry"]["S"],
        **{name: item[name]["S"] for name in ("at", "actor", "action", "subject", "from", "user_agent")},
    }
