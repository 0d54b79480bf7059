"""The table of receipts: the status of each erasure, under a name that reveals no erasure; and the chain."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from functions.privacy.erasure.receipt import (
    BACKUP_DAYS,
    FIRST,
    ErasureReceipt,
    account_hash,
    name_of,
    person_hash,
)
from functions.privacy.erasure.record import SECONDS_A_DAY, VERIFIED, Erasure
from functions.privacy.timestamps import to_rfc3339
from functions.shared.tables.receipts import ReceiptItem
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write

_NO_RECEIPT = ReceiptItem.document.does_not_exist()

HEAD = "head"
"""The key of the item with the last receipt's number and hash: no hash has this value."""


@dataclass(frozen=True, slots=True)
class ErasureStatus:
    """The status of an erasure, for callers with its id; times in Unix seconds. `receipt`: once verified."""

    kind: str
    state: str
    requested_at: int
    starts_at: int
    due_at: int
    receipt: ErasureReceipt | None


def receipt_of(
    erasure: Erasure, counts: dict[str, int], now: float, number: int, previous: str
) -> ErasureReceipt:
    """The receipt of an erasure that is verified `now`, and what it removed."""
    person = person_hash(erasure.erasure_id, erasure.subject) if erasure.subject else None
    return ErasureReceipt(
        number=number,
        previous=previous,
        kind=erasure.kind,
        account=account_hash(erasure.erasure_id, erasure.tenant),
        person=person,
        requested_at=to_rfc3339(erasure.requested_at),
        verified_at=to_rfc3339(now),
        backups_until=to_rfc3339(now + BACKUP_DAYS * SECONDS_A_DAY),
        counts=counts,
    )


class ErasureReceipts:
    """Every method with a request raises StoreUnavailableError when DynamoDB fails; reads are consistent.

    Parameters
    ----------
    client: a boto3 client for DynamoDB.
    """

    def __init__(self, table: str, client: Any) -> None:
        self._table = Table(ReceiptItem, table, client)

    def status(self, erasure_id: str, now: float) -> ErasureStatus | None:
        """The status of the erasure with that id, of any account, without whom it is about."""
        item = self._table.get(name_of(erasure_id))
        # Check the date: DynamoDB deletes expired items late.
        if item is None or (item.forget_at is not None and item.forget_at <= now):
            return None
        return ErasureStatus(
            kind=item.kind,
            state=item.state,
            requested_at=item.requested_at,
            starts_at=item.starts_at,
            due_at=item.due_at,
            receipt=None if item.document is None else ErasureReceipt.from_json(item.document),
        )

    def all(self) -> Iterator[ErasureReceipt]:
        """All receipts, in no order, for checking the chain."""
        documents = (item.document for item in self._table.scan())
        return (ErasureReceipt.from_json(each) for each in documents if each is not None)

    def head(self) -> tuple[int, str]:
        """Number and hash of the last receipt; 0 and FIRST if there is none."""
        item = self._table.get(HEAD)
        return (item.number, item.hash) if item else (0, FIRST)

    def stands(self, erasure: Erasure, forget_at: int | None = None) -> Write:
        """The status of an erasure without a receipt, as a write of a transaction."""
        item = ReceiptItem(
            name_of(erasure.erasure_id),
            kind=erasure.kind,
            state=erasure.state,
            requested_at=erasure.requested_at,
            starts_at=erasure.starts_at,
            due_at=erasure.due_at,
            forget_at=forget_at,
        )
        return self._table.write_of_put(item, _NO_RECEIPT)

    def added(self, erasure_id: str, receipt: ErasureReceipt) -> list[Write]:
        """Add the receipt of a verified erasure to the chain; fails unless it follows the last one."""
        return [self._verified(erasure_id, receipt), self._step(receipt)]

    def _verified(self, erasure_id: str, receipt: ErasureReceipt) -> Write:
        return self._table.write_of_update(
            name_of(erasure_id),
            ReceiptItem.state.set(VERIFIED),
            ReceiptItem.document.set(receipt.canonical()),
            condition=ReceiptItem.receipt.exists() & _NO_RECEIPT,
        )

    def _step(self, receipt: ErasureReceipt) -> Write:
        last = ReceiptItem.hash
        return self._table.write_of_update(
            HEAD,
            ReceiptItem.number.set(receipt.number),
            last.set(receipt.hash),
            condition=last.does_not_exist() if receipt.number == 1 else last == receipt.previous,
        )
