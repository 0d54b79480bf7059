"""The table of erasures, and the table of receipts, which is all that remains in the end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pynamodb.expressions.condition import Condition

from functions.privacy.erasure.account_marks import AccountMarks
from functions.privacy.erasure.receipt_table import ErasureReceipts, receipt_of
from functions.privacy.erasure.record import (
    ACCOUNT,
    CANCELLED,
    OPEN,
    PERSON,
    REQUESTED,
    RUNNING,
    SECONDS_A_DAY,
    VERIFIED,
    Erasure,
    erasure_of,
    item_of,
    key_of,
)
from functions.privacy.erasure.subject import Subject
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.tables.erasures import OPEN_INDEX, ErasureItem
from functions.shared.tables.store_errors import ConditionFailedError, StoreUnavailableError
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write, write_all
from functions.shared.tenancy import TenantId

KEPT_DAYS = 30
"""How long a receipt says that an erasure was cancelled, or that the whole account was erased as well."""

_TRIES = 8


class ErasureChangedError(RetryableError):
    """Another run is working on this erasure, or it was cancelled."""


class AccountClosingError(PermanentError):
    """The account's erasure was already requested, or it is in progress."""


class NotCancellableError(PermanentError):
    """It has begun, is finished, or was cancelled before."""


@dataclass(frozen=True, slots=True)
class ErasureCounts:
    """How many erasures are open, and when those of persons were requested that were requested lately.

    `waiting`: the id of an erasure of the same person that has not started; None without one.
    """

    open: int
    persons_requested_at: tuple[int, ...]
    waiting: str | None = None


class Erasures:
    """Every method raises StoreUnavailableError when DynamoDB fails; reads are consistent.

    Parameters
    ----------
    client: a boto3 client for DynamoDB.
    """

    def __init__(self, table: str, accounts_table: str, receipts: ErasureReceipts, client: Any) -> None:
        self._table = Table(ErasureItem, table, client)
        self.accounts = AccountMarks(accounts_table, client)
        self._receipts = receipts
        self._client = client

    def ask(self, erasure: Erasure, also: Sequence[Write] = ()) -> None:
        """Store a new erasure, with `also`, further writes of the transaction.

        If it is that of an account, the account accepts no logs from then on.

        Raises
        ------
        AccountClosingError: of an account. ErasureChangedError: of a person, a condition of `also` failed.
        """
        writes = [
            self._table.write_of_put(item_of(erasure), ErasureItem.erasure_id.does_not_exist()),
            self._receipts.stands(erasure),
            *also,
        ]
        if erasure.kind == ACCOUNT:
            writes.append(self.accounts.closes(erasure))
        try:
            write_all(self._client, writes)
        except ConditionFailedError:
            if erasure.kind == ACCOUNT:
                raise AccountClosingError("the erasure of the account is already requested") from None
            raise ErasureChangedError("another erasure was requested meanwhile") from None

    def ask_again(self, erasure: Erasure) -> None:
        """Store an erasure of an account that was erased before and was restored, whatever its item says."""
        self._write([self._table.write_of_put(item_of(erasure)), self._receipts.stands(erasure)])

    def of(self, tenant: TenantId, erasure_id: str) -> Erasure | None:
        """The tenant's erasure with that id."""
        found = self._table.get(key_of(tenant, erasure_id))
        return erasure_of(found) if found else None

    def all(self, tenant: TenantId) -> list[Erasure]:
        """All erasures of the tenant, newest first."""
        erasures = [erasure_of(item) for item in self._table.query(str(tenant))]
        return sorted(erasures, key=lambda each: (each.requested_at, each.erasure_id), reverse=True)

    def counts(self, subject: Subject, after: int, *, byoc: bool) -> ErasureCounts:
        """What counts for the limits of the subject's tenant, and whether `subject` already waits for its
        erasure; only open erasures say whom they are about."""
        items = list(
            self._table.query(
                str(subject.tenant),
                keep=ErasureItem.open.exists() | (ErasureItem.requested_at > after),
                attributes=("kind", "open", "requested_at", "erasure_id", "state", "byoc", "field", "value"),
            )
        )
        recent = (each.requested_at for each in items if each.kind == PERSON and each.requested_at > after)
        same = (
            each.erasure_id
            for each in items
            if (each.state, each.byoc, each.field, each.value)
            == (REQUESTED, byoc, subject.field, subject.value)
        )
        return ErasureCounts(sum(each.open is not None for each in items), tuple(recent), next(same, None))

    def request_again(self, erasure: Erasure, now: int, also: Sequence[Write] = ()) -> Erasure:
        """Let a waiting erasure of a person include the rows received until `now`; with `also` in one
        transaction.

        Raises
        ------
        ErasureChangedError: it has started, or another request came first.
        """
        if erasure.state != REQUESTED:
            raise ErasureChangedError("the erasure has started")
        new = replace(erasure, requested_at=max(now, erasure.requested_at), revision=erasure.revision + 1)
        self._write([self._table.write_of_put(item_of(new), _at(erasure)), self._receipts.stands(new), *also])
        return new

    def due(self, now: float) -> list[Erasure]:
        """The erasures to work on at `now`, the longest waiting first."""
        begun = ErasureItem.opens_at <= f"{int(now):012}"
        items = self._table.query(OPEN, index=OPEN_INDEX, sort=begun)
        erasures = (self.of(TenantId(item.tenant_id), item.erasure_id) for item in items)
        # The index is eventually consistent.
        return [each for each in erasures if each and each.open]

    def save(self, erasure: Erasure) -> Erasure:
        """Store an open erasure, unless it was changed since it was read.

        Raises
        ------
        ErasureChangedError
        """
        new = replace(erasure, revision=erasure.revision + 1)
        try:
            self._table.put(item_of(new), _at(erasure))
        except ConditionFailedError:
            raise ErasureChangedError("another run works on this erasure") from None
        return new

    def start(self, erasure: Erasure, now: float) -> Erasure:
        """Start it now; from then on it cannot be cancelled.

        Raises
        ------
        ErasureChangedError
        """
        if erasure.state == RUNNING:
            return erasure
        progress = replace(erasure.progress, resume_at=now)
        new = replace(erasure, state=RUNNING, revision=erasure.revision + 1, progress=progress)
        self._write([self._table.write_of_put(item_of(new), _at(erasure)), self._receipts.stands(new)])
        return new

    def cancel(self, erasure: Erasure, now: float, also: Sequence[Write] = ()) -> Erasure:
        """Cancel the erasure of an account before it begins; logs are accepted again.

        Raises
        ------
        NotCancellableError
        """
        if erasure.state != REQUESTED or erasure.kind != ACCOUNT or erasure.starts_at <= now:
            raise NotCancellableError("it is no erasure of an account, or it has begun")
        new = replace(erasure, state=CANCELLED, cancelled_at=int(now), revision=erasure.revision + 1)
        writes = [
            self._table.write_of_put(item_of(new), _at(erasure)),
            self._receipts.stands(new, forget_at=int(now) + KEPT_DAYS * SECONDS_A_DAY),
            self.accounts.stays(erasure.tenant),
            *also,
        ]
        try:
            write_all(self._client, writes)
        except ConditionFailedError:
            raise NotCancellableError("the erasure has begun meanwhile") from None
        return new

    def finish(
        self, erasure: Erasure, counts: dict[str, int], now: float, also: Sequence[Write] = ()
    ) -> None:
        """Finish a verified erasure: add its receipt to the chain, and delete what was stored of the subject.

        Of an account only the receipt remains.

        Raises
        ------
        ErasureChangedError
        """
        for _ in range(_TRIES):
            number, before = self._receipts.head()
            receipt = receipt_of(erasure, counts, now, number + 1, before)
            added = self._receipts.added(erasure.erasure_id, receipt)
            try:
                write_all(self._client, [self._ended(erasure, counts, now), *added, *also])
            except ConditionFailedError:
                found = self.of(erasure.tenant, erasure.erasure_id)
                if found is None or found.revision != erasure.revision:
                    raise ErasureChangedError("another run works on this erasure") from None
                continue  # another erasure's receipt came first
            return
        raise StoreUnavailableError("DynamoDB: other runs keep adding receipts")

    def has_receipt(self, erasure: Erasure, now: float) -> bool:
        """Whether it was already verified, as for an erasure that a backup restored."""
        status = self._receipts.status(erasure.erasure_id, now)
        return bool(status and status.receipt)

    def drop(self, erasure: Erasure, now: float) -> None:
        """Delete an erasure whose whole account is erased; its receipt, if it has one, stays.

        Raises
        ------
        ErasureChangedError: another run works on it, and it may have a receipt by now.
        """
        key = key_of(erasure.tenant, erasure.erasure_id)
        writes = [self._table.write_of_delete(key, _at(erasure))]
        if erasure.open and not self.has_receipt(erasure, now):
            forget_at = int(now) + KEPT_DAYS * SECONDS_A_DAY
            writes.append(self._receipts.stands(replace(erasure, state=CANCELLED), forget_at=forget_at))
        self._write(writes)

    def _ended(self, erasure: Erasure, counts: dict[str, int], now: float) -> Write:
        if erasure.kind == ACCOUNT:
            key = key_of(erasure.tenant, erasure.erasure_id)
            return self._table.write_of_delete(key, _at(erasure))
        ended = replace(
            erasure,
            state=VERIFIED,
            subject=None,
            verified_at=int(now),
            counts=counts,
            revision=erasure.revision + 1,
        )
        return self._table.write_of_put(item_of(ended), _at(erasure))

    def _write(self, writes: Sequence[Write]) -> None:
        try:
            write_all(self._client, writes)
        except ConditionFailedError:
            raise ErasureChangedError("another run works on this erasure") from None


def _at(erasure: Erasure) -> Condition:
    """The stored erasure is the one that was read."""
    return ErasureItem.revision == erasure.revision
