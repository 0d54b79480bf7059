"""The outbox: notices to the people of an account, written in the transaction of the change they report.

A notice is `due` from the moment it is written. The function `notifier` announces it in the dashboard and
mails it to the people concerned. Its id is unique: writing it again, at any time and by any process, has no
effect and no error, so a writer need not check whether the notice exists.
"""

import time
from collections.abc import Callable
from datetime import date
from typing import Any

from functions.shared.accounts.timestamps import timestamp_text
from functions.shared.dynamo.answers import answered, open_client
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

Item = dict[str, Any]


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
        self._table = table
        self._client = client
        self._clock = clock

    def due(
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
    ) -> Item:
        """The notice as an item of TransactWriteItems that never makes the transaction fail.

        `kind` is for programs, `title` (one line) and `text` for people. `announce`: also in the dashboard.
        `campaign`: one of many notices, sent after those to a single account; in campaigns, downtime is sent
        first.
        """
        now = self._clock()
        attributes: Item = {
            "at": {"S": timestamp_text(now)},
            "kind": {"S": kind},
            "title": {"S": title},
            "text": {"S": text},
            "announce": {"BOOL": announce},
            "due": {"S": priority_of(kind, campaign)},
            "due_at": {"S": timestamp_text(now)},
            "forget_at": {"N": str(int(now) + KEEP_DAYS * SECONDS_A_DAY)},
        }
        if effective_on is not None:
            attributes["effective_on"] = {"S": effective_on.isoformat()}
        if campaign is not None:
            attributes["campaign"] = {"S": campaign}
        sets = (f"#{name} = if_not_exists(#{name}, :{name})" for name in attributes)
        return {
            "Update": {
                "TableName": self._table,
                "Key": {"tenant_id": {"S": str(tenant)}, "notice": {"S": notice_id}},
                "UpdateExpression": f"SET {', '.join(sets)}",
                "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
                "ExpressionAttributeValues": {f":{name}": value for name, value in attributes.items()},
            }
        }

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
        self._client = self._client or open_client()
        written = self.due(
            tenant,
            notice_id,
            kind,
            title,
            text,
            announce=announce,
            effective_on=effective_on,
            campaign=campaign,
        )
        with answered():
            self._client.update_item(**written["Update"])
