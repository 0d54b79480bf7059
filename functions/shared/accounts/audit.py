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
from functions.shared.client_address import client_address
from functions.shared.events.staged_key import time_ordered_id
from functions.shared.tables.audit import AuditItem
from functions.shared.tables.store_errors import ConditionFailedError, StoreUnavailableError
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write
from functions.shared.tenancy import TenantId

MAX_USER_AGENT_CHARACTERS = 200
MAX_PAGE = 100

_ENTRY = re.compile(r"[0-9a-z]{26}")
_NEW = AuditItem.entry.does_not_exist()


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
        source_ip=client_address(event),
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
        self._table = Table(AuditItem, table_name, dynamodb)
        self._clock = clock

    def entry(self, tenant: TenantId, who: Origin, action: str, subject: str) -> Write:
        """A new entry as a write of a transaction; it never overwrites an entry.

        `action` is a noun and what happened to it (`key.created`), `subject` the id of the changed thing.
        """
        return self._table.write_of_put(self._item(tenant, who, action, subject), _NEW)

    def append(self, tenant: TenantId, who: Origin, action: str, subject: str) -> None:
        """Write an entry alone, before an action outside DynamoDB begins.

        Raises
        ------
        StoreUnavailableError: the entry may or may not have been written.
        """
        try:
            self._table.put(self._item(tenant, who, action, subject), _NEW)
        except ConditionFailedError:
            raise StoreUnavailableError("the audit trail: this id is taken") from None

    def page(self, tenant: TenantId, limit: int, cursor: str | None = None) -> AuditPage:
        """Up to `limit` entries of `tenant`, older than `cursor`.

        Entries written during paging are on no page: they are newer than the first page.

        Raises
        ------
        ValueError: the cursor is not one that a page returned.
        StoreUnavailableError
        """
        if cursor is not None and not _ENTRY.fullmatch(cursor):
            raise ValueError("not a cursor")
        older = None if cursor is None else AuditItem.entry < cursor
        items = self._table.page(str(tenant), sort=older, newest_first=True, limit=limit + 1).items
        more = len(items) > limit
        return AuditPage([_as_json(item) for item in items[:limit]], items[limit - 1].entry if more else None)

    def _item(self, tenant: TenantId, who: Origin, action: str, subject: str) -> AuditItem:
        now = self._clock()
        return AuditItem(
            str(tenant),
            time_ordered_id(int(now * 1000)),
            at=timestamp_text(now),
            actor=who.actor,
            action=action,
            subject=subject,
            source_ip=who.source_ip,
            user_agent=_cut(who.user_agent),
        )


def _cut(user_agent: str) -> str:
    """At most 200 characters, without unpaired surrogates: DynamoDB accepts UTF-8 only."""
    return user_agent[:MAX_USER_AGENT_CHARACTERS].encode("utf-8", "replace").decode()


def _as_json(item: AuditItem) -> dict[str, str]:
    return {
        "id": item.entry,
        "at": item.at,
        "actor": item.actor,
        "action": item.action,
        "subject": item.subject,
        "from": item.source_ip,
        "user_agent": item.user_agent,
    }
