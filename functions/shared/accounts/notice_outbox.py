"""The outbox: notices to the people of an account, written in the transaction of the change they report.

A notice is `due` from the moment it is written. The function `notifier` announces it in the dashboard and
mails it to the people concerned. Its id is unique: writing it again, at any time and by any process, has no
effect and no error, so a writer need not check whether the notice exists.
"""

import time
from collections.abc import Callable
from datetime import date
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.expressions.update import Action

from functions.shared.accounts.timestamps import timestamp_text
from functions.shared.tables.notices import NoticeItem
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write
from functions.shared.tenancy import TenantId

KEEP_DAYS = 180
SECONDS_A_DAY = 86_400

MARKETING = "marketing"
"""The kind that is mailed only to people who opted in, and is not shown in the dashboard."""

DOWNTIME = "downtime"
"""The kind that is sent to many accounts, and immediately."""

CRITICAL = "critical"
URGENT = "urgent"
IN_TURN = "in_turn"
SETTLED = "settled"
"""Values of `due`: send first, send after all critical ones, send after all urgent ones, already sent.

A sent notice keeps the attribute. Without it, an Update that does not know the notice would make it due
again.
"""


def priority_of(kind: str, campaign: str | None) -> str:
    """The sending priority of a notice, as a value of `due`."""
    if campaign is None:
        return CRITICAL
    return URGENT if kind == DOWNTIME else IN_TURN


class NoticeOutbox:
    """The table of notices: partition key `tenant_id`, sort key `notice`, the id.

    Parameters
    ----------
    client: a boto3 client for DynamoDB; None for one that is made on first use.
    clock: seconds since 1970.
    """

    def __init__(self, table: str, client: Any = None, clock: Callable[[], float] = time.time) -> None:
        self._table = Table(NoticeItem, table, client)
        self._clock = clock

    def put_item(
        self,
        tenant: TenantId,
        notice_id: str,
        kind: str,
        title: str,
        text: str,
        *,
        announce: bool = True,
        effective_on: date | None = None,
        campaign: str | None = None,
    ) -> Write:
        """The notice as a write of a transaction that never makes the transaction fail.

        `kind` is for programs, `title` (one line) and `text` for people. `announce`: also in the dashboard.
        `campaign`: one of many notices, sent after those to a single account; in campaigns, downtime is sent
        first.
        """
        actions = self._actions(kind, title, text, announce, effective_on, campaign)
        return self._table.write_of_update((str(tenant), notice_id), *actions)

    def put(
        self,
        tenant: TenantId,
        notice_id: str,
        kind: str,
        title: str,
        text: str,
        *,
        announce: bool = True,
        effective_on: date | None = None,
        campaign: str | None = None,
    ) -> None:
        """Write the notice alone.

        Raises
        ------
        StoreUnavailableError: the notice may or may not have been written.
        """
        actions = self._actions(kind, title, text, announce, effective_on, campaign)
        self._table.update((str(tenant), notice_id), *actions)

    def _actions(
        self,
        kind: str,
        title: str,
        text: str,
        announce: bool,
        effective_on: date | None,
        campaign: str | None,
    ) -> list[Action]:
        """Set each attribute that the notice does not have yet."""
        now = self._clock()
        values: list[tuple[Attribute[Any], Any]] = [
            (NoticeItem.at, timestamp_text(now)),
            (NoticeItem.kind, kind),
            (NoticeItem.title, title),
            (NoticeItem.text, text),
            (NoticeItem.announce, announce),
            (NoticeItem.due, priority_of(kind, campaign)),
            (NoticeItem.due_at, timestamp_text(now)),
            (NoticeItem.forget_at, int(now) + KEEP_DAYS * SECONDS_A_DAY),
        ]
        if effective_on is not None:
            values.append((NoticeItem.effective_on, effective_on.isoformat()))
        if campaign is not None:
            values.append((NoticeItem.campaign, campaign))
        return [attribute.set(attribute | value) for attribute, value in values]
