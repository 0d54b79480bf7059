"""The due notices and their outcomes: the sending side of functions.shared.accounts.notice_outbox.

A sender first takes a notice for TURN_SECONDS. No other sender gets it during that time, and after a crash it
becomes available again by itself. Each person mailed is recorded on the notice before the next mail. The
index of due notices lags slightly; the notice itself decides.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from pynamodb.expressions.update import Action

from functions.notices.notice import DueNotice, Notice, RecipientCounts, due_of, notice_of
from functions.shared.accounts.notice_outbox import CRITICAL, IN_TURN, SETTLED, URGENT, priority_of
from functions.shared.accounts.timestamps import timestamp_text
from functions.shared.errors import PermanentError
from functions.shared.tables.notices import DUE_INDEX, CampaignItem, NoticeItem
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table, TablePage
from functions.shared.tables.transaction import Write, open_client, write_all

LEASE_SECONDS = 180
"""Longer than the function's timeout."""

PAGE = 25
ABANDONED = "given_up"
"""The value of `due` of an abandoned notice, which could not be sent for a day."""

CAMPAIGNS = "*"
"""The partition of campaigns; no tenant id contains this character."""


class NoticeLeaseLostError(PermanentError):
    """Another sender has taken the notice since, or it is gone: this sender must not send it any more."""


class Outbox:
    """Every method raises StoreUnavailableError when DynamoDB fails.

    Parameters
    ----------
    client: a boto3 client for DynamoDB; None for one that is made on first use.
    clock: seconds since 1970.
    """

    def __init__(self, notices_table: str, client: Any, clock: Callable[[], float]) -> None:
        self._client = client or open_client()
        self._table = Table(NoticeItem, notices_table, self._client)
        self._campaigns = Table(CampaignItem, notices_table, self._client)
        self._clock = clock

    def due(self) -> list[DueNotice]:
        """Up to PAGE due notices, the longest due first.

        Critical notices come before urgent ones, and urgent ones before the rest.
        """
        waiting = (self._page(state).items for state in (CRITICAL, URGENT, IN_TURN))
        return [due_of(item) for item in next(filter(None, waiting), [])]

    def abandoned(self) -> Iterator[DueNotice]:
        """The abandoned notices."""
        begun = NoticeItem.due_at <= timestamp_text(self._clock())
        return map(due_of, self._table.query(ABANDONED, index=DUE_INDEX, sort=begun, limit=PAGE))

    def acquire(self, due: DueNotice) -> Notice | None:
        """Take the notice exclusively for TURN_SECONDS; None when it is no longer due."""
        try:
            taken = self._table.update_and_get(
                (due.tenant, due.notice_id),
                NoticeItem.due_at.set(timestamp_text(self._clock() + LEASE_SECONDS)),
                NoticeItem.tries.add(1),
                condition=(NoticeItem.due == due.state) & (NoticeItem.due_at == due.due_at),
            )
        except ConditionFailedError:
            return None
        return notice_of(taken)

    def note_mailed(self, notice: Notice, subject: str) -> None:
        """Record that `subject` was mailed.

        Raises
        ------
        NoticeLeaseLostError
        """
        try:
            self._table.update(
                (notice.tenant, notice.notice_id),
                NoticeItem.mailed.add({subject}),
                condition=NoticeItem.due_at == notice.lease_until,
            )
        except ConditionFailedError:
            raise NoticeLeaseLostError("another has this notice") from None

    def settle(self, notice: Notice, tally: RecipientCounts) -> None:
        """Settle the notice: the people it concerns were mailed, or cannot be.

        Its campaign counts it in the same transaction.

        Raises
        ------
        NoticeLeaseLostError
        """
        counts = [
            CampaignItem.settled.add(1),
            CampaignItem.mailed.add(tally.mailed),
            CampaignItem.suppressed.add(tally.suppressed),
            CampaignItem.opted_out.add(tally.opted_out),
        ]
        self._end(notice, SETTLED, counts)

    def abandon(self, notice: Notice) -> None:
        """Abandon the notice: the operator has to act; raises as `settle` does."""
        self._end(notice, ABANDONED, [CampaignItem.abandoned.add(1)])

    def postpone(self, notice: Notice, seconds: float) -> None:
        """Make the notice due again in `seconds`."""
        with suppress(ConditionFailedError):
            self._table.update(
                (notice.tenant, notice.notice_id),
                NoticeItem.due_at.set(timestamp_text(self._clock() + seconds)),
                condition=NoticeItem.due_at == notice.lease_until,
            )

    def requeue(self, due: DueNotice) -> bool:
        """Retry an abandoned notice from the start; return whether it was abandoned."""
        item = self._table.get((due.tenant, due.notice_id)) or NoticeItem()
        change = self._table.write_of_update(
            (due.tenant, due.notice_id),
            NoticeItem.due.set(priority_of(item.kind or "", item.campaign)),
            NoticeItem.due_at.set(timestamp_text(self._clock())),
            NoticeItem.tries.remove(),
            condition=NoticeItem.due == ABANDONED,
        )
        try:
            write_all(self._client, [change, *self._counted(item.campaign, [CampaignItem.abandoned.add(-1)])])
        except ConditionFailedError:
            return False
        return True

    def _page(self, state: str) -> TablePage[NoticeItem]:
        """The first notices of this state whose time has come."""
        begun = NoticeItem.due_at <= timestamp_text(self._clock())
        return self._table.page(state, index=DUE_INDEX, sort=begun, limit=PAGE)

    def _end(self, notice: Notice, state: str, counts: Sequence[Action]) -> None:
        change = self._table.write_of_update(
            (notice.tenant, notice.notice_id),
            NoticeItem.due.set(state),
            NoticeItem.due_at.set(timestamp_text(self._clock())),
            condition=NoticeItem.due_at == notice.lease_until,
        )
        try:
            write_all(self._client, [change, *self._counted(notice.campaign, counts)])
        except ConditionFailedError:
            raise NoticeLeaseLostError("another has this notice") from None

    def _counted(self, campaign: str | None, counts: Sequence[Action]) -> list[Write]:
        if campaign is None:
            return []
        return [self._campaigns.write_of_update((CAMPAIGNS, campaign), *counts)]


def backoff_seconds(tries: int) -> int:
    """A minute after the first try, twice as long after each further one, at most an hour."""
    return min(60 << min(tries - 1, 6), 3600)
