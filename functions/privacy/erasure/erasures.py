"""The table of erasures, and beside it that of receipts, which is all that is left in the end."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from functions.privacy.erasure.account_marks import AccountMarks
from functions.privacy.erasure.receipts import Receipts, receipt_of
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
"""How long a receipt says that an erasure was cancelled, or that the whole account went with it."""

_TRIES = 8


class ErasureChangedError(RetryableError):
    """Another run works on this erasure, or it was cancelled."""


class AccountClosingError(PermanentError):
    """The account's erasure was asked for already, or it is under way."""


class NotCancellableError(PermanentError):
    """It has begun, it is over, or it was cancelled before."""


class Erasures:
    """Every method raises StoreUnavailableError when DynamoDB fails; reads are consistent.

    Parameters
    ----------
    client: a boto3 client for DynamoDB.
    """

    def __init__(self, table: str, accounts_table: str, receipts: Receipts, client: Any) -> None:
        self._table = table
        self.accounts = AccountMarks(accounts_table, client)
        self._receipts = receipts
        self._client = client

    def ask(self, erasure: Erasure, also: Sequence[Item] = ()) -> None:
        """Write a new erasure down, with `also`, items of TransactWriteItems.

        From then on an account that is to be erased takes no logs.

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
                raise AccountClosingError("it was asked for already") from None
            raise ErasureChangedError("another erasure was asked for meanwhile") from None

    def ask_again(self, erasure: Erasure) -> None:
        """Write one of an account down that was erased before and is there again, whatever its item says."""
        self._write([{"Put": self._put(erasure)}, self._receipts.stands(erasure)])

    def of(self, tenant: TenantId, erasure_id: str) -> Erasure | None:
        """The tenant's erasure of that id."""
        with answered():
            found = self._client.get_item(
                TableName=self._table, Key=key_of(tenant, erasure_id), ConsistentRead=True
            )
        return erasure_of(found["Item"]) if "Item" in found else None

    def all(self, tenant: TenantId) -> list[Erasure]:
        """All of the tenant's, newest first."""
        query = {
            "KeyConditionExpression": "tenant_id = :tenant",
            "ExpressionAttributeValues": {":tenant": {"S": str(tenant)}},
            "ConsistentRead": True,
        }
        erasures = [erasure_of(item) for item in self._query(query)]
        return sorted(erasures, key=lambda each: (each.requested_at, each.erasure_id), reverse=True)

    def due(self, now: float) -> list[Erasure]:
        """Those that are to be worked on at `now`, the longest waiting first."""
        query = {
            "IndexName": OPEN,
            "KeyConditionExpression": "#open = :open AND opens_at <= :now",
            "ExpressionAttributeNames": {"#open": "open"},
            "ExpressionAttributeValues": {":open": {"S": OPEN}, ":now": {"S": f"{int(now):012}"}},
        }
        erasures = (
            self.of(TenantId(item["tenant_id"]["S"]), item["erasure_id"]["S"]) for item in self._query(query)
        )
        # The index is a moment behind.
        return [each for each in erasures if each and each.open]

    def save(self, erasure: Erasure) -> Erasure:
        """Write an open erasure as it is now; nobody has written it since it was read.

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
        """It begins now and can be cancelled no more.

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
        """Take the erasure of an account back before it begins; logs are taken again.

        Raises
        ------
        NotCancellableError
        """
        if erasure.state != REQUESTED or erasure.kind != ACCOUNT or erasure.starts_at <= now:
            raise NotCancellableError("it is too late")
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
            raise NotCancellableError("it has begun meanwhile") from None
        return new

    def finish(self, erasure: Erasure, counts: dict[str, int], now: float, also: Sequence[Item] = ()) -> None:
        """It is verified: the receipt joins the chain, and what was kept of the subject is forgotten.

        Of an account nothing but the receipt stays.

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
                continue  # another erasure's receipt was first
            return
        raise StoreUnavailableError("DynamoDB: others keep adding receipts")

    def has_receipt(self, erasure: Erasure, now: float) -> bool:
        """Whether it was verified already, as one was that a backup brought back."""
        standing = self._receipts.standing(erasure.erasure_id, now)
        return bool(standing and standing.receipt)

    def drop(self, erasure: Erasure, now: float) -> None:
        """Forget one whose whole account is erased; its receipt, if it has one, stays.

        Raises
        ------
        ErasureChangedError: somebody works on it, and it may have a receipt by now.
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
