"""The due notices and their outcomes: the sending side of functions.shared.accounts.notice_outbox.

A sender first takes a notice for TURN_SECONDS. No other sender gets it during that time, and after a crash it
is due again by itself. Each person mailed is recorded on the notice before the next mail. The index of due
notices lags slightly; the notice itself decides.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from functions.notices.notice import DueNotice, Notice, RecipientCounts, due_of, notice_of
from functions.shared.accounts.notice_outbox import CRITICAL, IN_TURN, SETTLED, URGENT, priority_of
from functions.shared.accounts.timestamps import timestamp_text
from functions.shared.dynamo.answers import answered, open_client, unmet
from functions.shared.dynamo.transaction import UnmetError, write_all
from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId

LEASE_SECONDS = 180
"""Longer than the function's timeout."""

PAGE = 25
ABANDONED = "given_up"
"""The value of `due` of an abandoned notice, which could not be sent for a day."""

DUE = "due"
CAMPAIGNS = "*"
"""The partition of campaigns; no tenant id contains this character."""

Item = dict[str, Any]


class NoticeLeaseLostError(PermanentError):
    """Another sender has taken the notice since, or it is gone: this sender must not send it any more."""


class Outbox:
    """Every method raises functions.shared.dynamo.answers.StoreUnavailableError when DynamoDB fails.

    Parameters
    ----------
    client: a boto3 client for DynamoDB; None for one that is made on first use.
    clock: seconds since 1970.
    """

    def __init__(self, notices_table: str, client: Any, clock: Callable[[], float]) -> None:
        self._table = notices_table
        self._made = client
        self._clock = clock

    def due(self) -> list[DueNotice]:
        """Up to PAGE due notices, the longest due first.

        Critical notices come before urgent ones, and urgent ones before the rest.
        """
        return self._page(CRITICAL)[0] or self._page(URGENT)[0] or self._page(IN_TURN)[0]

    def abandoned(self) -> Iterator[DueNotice]:
        """The abandoned notices."""
        start: Item | None = {}
        while start is not None:
            page, start = self._page(ABANDONED, start)
            yield from page

    def acquire(self, due: DueNotice) -> Notice | None:
        """Take the notice exclusively for TURN_SECONDS; None when it is no longer due."""
        values = {
            ":turn": {"S": timestamp_text(self._clock() + LEASE_SECONDS)},
            ":one": {"N": "1"},
            ":state": {"S": due.state},
            ":seen": {"S": due.due_at},
        }
        taken = self._changed(
            due.tenant,
            due.notice_id,
            "SET due_at = :turn ADD tries :one",
            "due = :state AND due_at = :seen",
            values,
            returned="ALL_NEW",
        )
        return None if taken is None else notice_of(taken)

    def note_mailed(self, notice: Notice, subject: str) -> None:
        """Record that `subject` was mailed.

        Raises
        ------
        NoticeLeaseLostError
        """
        values = {":subject": {"SS": [subject]}, ":turn": {"S": notice.lease_until}}
        noted = self._changed(
            notice.tenant, notice.notice_id, "ADD mailed :subject", "due_at = :turn", values
        )
        if noted is None:
            raise NoticeLeaseLostError("another has this notice")

    def settle(self, notice: Notice, tally: RecipientCounts) -> None:
        """Settle the notice: the people it concerns were mailed, or cannot be.

        Its campaign counts it in the same transaction.

        Raises
        ------
        NoticeLeaseLostError
        """
        counts = {
            SETTLED: 1,
            "mailed": tally.mailed,
            "suppressed": tally.suppressed,
            "opted_out": tally.opted_out,
        }
        self._end(notice, SETTLED, counts)

    def abandon(self, notice: Notice) -> None:
        """Abandon the notice: the operator has to act; raises as `settle` does."""
        self._end(notice, ABANDONED, {ABANDONED: 1})

    def postpone(self, notice: Notice, seconds: float) -> None:
        """Make the notice due again in `seconds`."""
        values = {
            ":again": {"S": timestamp_text(self._clock() + seconds)},
            ":turn": {"S": notice.lease_until},
        }
        self._changed(notice.tenant, notice.notice_id, "SET due_at = :again", "due_at = :turn", values)

    def requeue(self, due: DueNotice) -> bool:
        """Retry an abandoned notice from the start; return whether it was abandoned."""
        with answered():
            item = self._client.get_item(
                TableName=self._table, Key=_key(due.tenant, due.notice_id), ConsistentRead=True
            ).get("Item", {})
        campaign = item.get("campaign", {}).get("S")
        change = _update(
            self._table,
            _key(due.tenant, due.notice_id),
            "SET due = :state, due_at = :now REMOVE tries",
            "due = :given_up",
            {
                ":state": {"S": priority_of(item.get("kind", {}).get("S", ""), campaign)},
                ":now": {"S": timestamp_text(self._clock())},
                ":given_up": {"S": ABANDONED},
            },
        )
        try:
            write_all(self._client, [change, *self._counted(campaign, {ABANDONED: -1})])
        except UnmetError:
            return False
        return True

    def _page(self, state: str, start: Item | None = None) -> tuple[list[DueNotice], Item | None]:
        """The notices of this state whose time has come, and the start of the next page."""
        with answered():
            page = self._client.query(
                TableName=self._table,
                IndexName=DUE,
                KeyConditionExpression="due = :state AND due_at <= :now",
                ExpressionAttributeValues={
                    ":state": {"S": state},
                    ":now": {"S": timestamp_text(self._clock())},
                },
                Limit=PAGE,
                **({"ExclusiveStartKey": start} if start else {}),
            )
        return [due_of(item) for item in page["Items"]], page.get("LastEvaluatedKey")

    def _end(self, notice: Notice, state: str, counts: Mapping[str, int]) -> None:
        change = _update(
            self._table,
            _key(notice.tenant, notice.notice_id),
            "SET due = :state, due_at = :now",
            "due_at = :turn",
            {
                ":state": {"S": state},
                ":now": {"S": timestamp_text(self._clock())},
                ":turn": {"S": notice.lease_until},
            },
        )
        try:
            write_all(self._client, [change, *self._counted(notice.campaign, counts)])
        except UnmetError:
            raise NoticeLeaseLostError("another has this notice") from None

    def _counted(self, campaign: str | None, counts: Mapping[str, int]) -> list[Item]:
        if campaign is None:
            return []
        update = {
            "TableName": self._table,
            "Key": _key(CAMPAIGNS, campaign),
            "UpdateExpression": "ADD " + ", ".join(f"#{name} :{name}" for name in counts),
            "ExpressionAttributeNames": {f"#{name}": name for name in counts},
            "ExpressionAttributeValues": {f":{name}": {"N": str(n)} for name, n in counts.items()},
        }
        return [{"Update": update}]

    def _changed(
        self,
        tenant: TenantId,
        notice_id: str,
        change: str,
        condition: str,
        values: Item,
        returned: str = "NONE",
    ) -> Item | None:
        """The returned attributes of the notice after `change`, or None when `condition` does not hold."""
        try:
            with answered():
                changed = self._client.update_item(
                    TableName=self._table,
                    Key=_key(tenant, notice_id),
                    UpdateExpression=change,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=values,
                    ReturnValues=returned,
                )
        except ClientError as fault:
            if not unmet(fault):
                raise
            return None
        attributes: Item = changed.get("Attributes", {})
        return attributes

    @property
    def _client(self) -> Any:
        self._made = self._made or open_client()
        return self._made


def backoff_seconds(tries: int) -> int:
    """A minute after the first try, twice as long after each further one, at most an hour."""
    return min(60 << min(tries - 1, 6), 3600)


def _update(table: str, key: Item, change: str, condition: str, values: Item) -> Item:
    """An item of TransactWriteItems."""
    return {
        "Update": {
            "TableName": table,
            "Key": key,
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values,
        }
    }


def _key(partition: str, name: str) -> Item:
    return {"tenant_id": {"S": partition}, "notice": {"S": name}}
