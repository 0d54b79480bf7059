"""The outbox: what the people of an account are to be told, written in one step with what it tells of.

A notice is due from the moment it is written; the function `notifier` announces it in the dashboard and mails
it to everyone concerned. Its id makes it one: the same again, whenever and by whomever, changes nothing and
fails nothing, so that whoever writes it with a change of theirs need not know whether it is there already.
"""

import time
from collections.abc import Callable
from datetime import date
from typing import Any

from functions.shared.account.moments import moment
from functions.shared.dynamo.answers import answered, open_client
from functions.shared.tenancy import TenantId

KEEP_DAYS = 180
SECONDS_A_DAY = 86_400

MARKETING = "marketing"
"""The kind that only those who opted in are mailed, and that no dashboard shows."""

DOWNTIME = "downtime"
"""The kind that many are told of, and at once."""

CRITICAL = "critical"
URGENT = "urgent"
IN_TURN = "in_turn"
SETTLED = "settled"
"""Values of `due`: to be sent at once, after all that is critical, after all that is urgent too, never again.

A notice that was sent keeps the attribute: were it removed, an Update that knows nothing of the notice would
make it due once more.
"""

Item = dict[str, Any]


def turn_of(kind: str, campaign: str | None) -> str:
    """When a notice is to be sent, as a value of `due`."""
    if campaign is None:
        return CRITICAL
    return URGENT if kind == DOWNTIME else IN_TURN


class Notices:
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
        """The notice as an item of TransactWriteItems, which never makes a transaction fail.

        `kind` is for programs, `title` (a line) and `text` are for people. `announce`: in the dashboard too.
        `campaign`: it is one of many, and lets go first what concerns one account alone; an outage goes
        before whatever else many are told.
        """
        now = self._clock()
        attributes: Item = {
            "at": {"S": moment(now)},
            "kind": {"S": kind},
            "title": {"S": title},
            "text": {"S": text},
            "announce": {"BOOL": announce},
            "due": {"S": turn_of(kind, campaign)},
            "due_at": {"S": moment(now)},
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
        """Write the notice by itself.

        Raises
        ------
        StoreUnavailableError: it may or may not have been written.
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
