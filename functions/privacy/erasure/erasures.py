"""The table of erasures, and the table of receipts, which is all that remains in the end."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from functions.privacy.erasure.account_marks import AccountMarks
from functions.privacy.erasure.receipt_table import ErasureReceipts, receipt_of
from functions.privacy.erasure.record import (
    ACCOUNT,
    CANCELLED,
    REQUESTED,
    RUNNING,
    SECONDS_A_DAY,
    VERIFIED,
    Erasure,
    Item,
    erasure_of,
    item_of,
    key_of,
)
from functions.privacy.paging import found
from functions.shared.dynamo.answers import StoreUnavailableError, answered, unmet
from functions.shared.dynamo.transaction import UnmetError, write_all
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.tenancy import TenantId

OPEN = "open"
KEPT_DAYS = 30
"""How long a receipt says that an erasure was cancelled, or that the whole account was erased as well."""

_TRIES = 8


class ErasureChangedError(RetryableError):
    """Another run is working on this erasure, or it was cancelled."""


class AccountClosingError(PermanentError):
    """The account's erasure was already requested, or it is in progress."""


class NotCancellableError(PermanentError):
    """It has begun, is finished, or was cancelled before."""


class Erasures:
    """Every method raises StoreUnavailableError when DynamoDB fails; reads are consistent.

    Parameters
    ----------
    client: a boto3 client for DynamoDB.
    """

    def __init__(self, table: str, accounts_table: str, receipts: ErasureReceipts, client: Any) -> None:
        self._table = table
        self.accounts = AccountMarks(accounts_table, client)
        self._receipts = receipts
        self._client = client

    def ask(self, erasure: Erasure, also: Sequence[Item] = ()) -> None:
        """Store a new erasure, with `also`, items of TransactWriteItems.

        If it is that of an account, the account accepts no logs from then on.

        Raises
        ------
        AccountClosingError: of an account. ErasureChangedError: of a person, a condition of `also` failed.
        """
        writes = [
            {"Put": {**self._put(erasure), "ConditionExpression": "attribute_not_exists(erasure_id)"}},
            self._receipts.stands(erasure),
            *also,
        ]
        if erasure.kind == ACCOUNT:
            writes.append(self.accounts.closes(erasure))
        try:
            write_all(self._client, writes)
        except UnmetError:
            if erasure.kind == ACCOUNT:
                raise AccountClosingError("the erasure of the account is already requested") from None
            raise ErasureChangedError("another erasure was requested meanwhile") from None

    def ask_again(self, erasure: Erasure) -> None:
        """Store an erasure of an account that was erased before and was restored, whatever its item says."""
        self._write([{"Put": self._put(erasure)}, self._receipts.stands(erasure)])

    def of(self, tenant: TenantId, erasure_id: str) -> Erasure | None:
        """The tenant's erasure with that id."""
        with answered():
            found = self._client.get_item(
                TableName=self._table, Key=key_of(tenant, erasure_id), ConsistentRead=True
            )
        return erasure_of(found["Item"]) if "Item" in found else None

    def all(self, tenant: TenantId) -> list[Erasure]:
        """All erasures of the tenant, newest first."""
        query = {
            "KeyConditionExpression": "tenant_id = :tenant",
            "ExpressionAttributeValues": {":tenant": {"S": str(tenant)}},
            "ConsistentRead": True,
        }
        erasures = [erasure_of(item) for item in self._query(query)]
        return sorted(erasures, key=lambda each: (each.requested_at, each.erasure_id), reverse=True)

    def due(self, now: float) -> list[Erasure]:
        """The erasures to work on at `now`, the longest waiting first."""
        query = {
            "IndexName": OPEN,
            "KeyConditionExpression": "#open = :open AND opens_at <= :now",
            "ExpressionAttributeNames": {"#open": "open"},
            "ExpressionAttributeValues": {":open": {"S": OPEN}, ":now": {"S": f"{int(now):012}"}},
        }
        erasures = (
            self.of(TenantId(item["tenant_id"]["S"]), item["erasure_id"]["S"]) for item in self._query(query)
        )
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
            with answered():
                self._client.put_item(**self._put(new), **_at(erasure))
        except ClientError as fault:
            if not unmet(fault):
                raise
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
        self._write([{"Put": {**self._put(new), **_at(erasure)}}, self._receipts.stands(new)])
        return new

    def cancel(self, erasure: Erasure, now: float, also: Sequence[Item] = ()) -> Erasure:
        """Cancel the erasure of an account before it begins; logs are accepted again.

        Raises
        ------
        NotCancellableError
        """
        if erasure.state != REQUESTED or erasure.kind != ACCOUNT or erasure.starts_at <= now:
            raise NotCancellableError("it is no erasure of an account, or it has begun")
        new = replace(erasure, state=CANCELLED, cancelled_at=int(now), revision=erasure.revision + 1)
        writes = [
            {"Put": {**self._put(new), **_at(erasure)}},
            self._receipts.stands(new, forget_at=int(now) + KEPT_DAYS * SECONDS_A_DAY),
            self.accounts.stays(erasure.tenant),
            *also,
        ]
        try:
            write_all(self._client, writes)
        except UnmetError:
            raise NotCancellableError("the erasure has begun meanwhile") from None
        return new

    def finish(self, erasure: Erasure, counts: dict[str, int], now: float, also: Sequence[Item] = ()) -> None:
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
            except UnmetError:
                found = self.of(erasure.tenant, erasure.erasure_id)
                if found is None or found.revision != erasure.revision:
                    raise ErasureChangedError("another run works on this erasure") from None
                continue  # another erasure's receipt came first
            return
        raise StoreUnavailableError("DynamoDB: other runs keep adding receipts")

    def has_receipt(self, erasure: Erasure, now: float) -> bool:
        """Whether it was already verified, as for an erasure that a backup restored."""
        standing = self._receipts.standing(erasure.erasure_id, now)
        return bool(standing and standing.receipt)

    def drop(self, erasure: Erasure, now: float) -> None:
        """Delete an erasure whose whole account is erased; its receipt, if it has one, stays.

        Raises
        ------
        ErasureChangedError: another run works on it, and it may have a receipt by now.
        """
        key = key_of(erasure.tenant, erasure.erasure_id)
        writes: list[Item] = [{"Delete": {"TableName": self._table, "Key": key, **_at(erasure)}}]
        if erasure.open and not self.has_receipt(erasure, now):
            forget_at = int(now) + KEPT_DAYS * SECONDS_A_DAY
            writes.append(self._receipts.stands(replace(erasure, state=CANCELLED), forget_at=forget_at))
        self._write(writes)

    def _ended(self, erasure: Erasure, counts: dict[str, int], now: float) -> Item:
        if erasure.kind == ACCOUNT:
            key = key_of(erasure.tenant, erasure.erasure_id)
            return {"Delete": {"TableName": self._table, "Key": key, **_at(erasure)}}
        ended = replace(
            erasure,
            state=VERIFIED,
            subject=None,
            verified_at=int(now),
            counts=counts,
            revision=erasure.revision + 1,
        )
        return {"Put": {**self._put(ended), **_at(erasure)}}

    def _put(self, erasure: Erasure) -> Item:
        return {"TableName": self._table, "Item": item_of(erasure)}

    def _query(self, query: Item) -> Iterator[Item]:
        return found(self._client.query, TableName=self._table, **query)

    def _write(self, writes: Sequence[Item]) -> None:
        try:
            write_all(self._client, writes)
        except UnmetError:
            raise ErasureChangedError("another run works on this erasure") from None


def _at(erasure: Erasure) -> Item:
    return {
        "ConditionExpression": "revision = :revision",
        "ExpressionAttributeValues": {":revision": {"N": str(erasure.revision)}},
    }
