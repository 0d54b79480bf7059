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
from functions.privacy.erasure.record import SECONDS_A_DAY, VERIFIED, Erasure, Item
from functions.privacy.paging import found
from functions.privacy.timestamps import to_rfc3339
from functions.shared.dynamo.answers import answered

NO_RECEIPT = "attribute_not_exists(document)"

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
        self._table = table
        self._client = client

    def standing(self, erasure_id: str, now: float) -> ErasureStatus | None:
        """The status of the erasure with that id, of any account, without whom it is about."""
        item = self._item(name_of(erasure_id))
        # Check the date: DynamoDB deletes expired items late.
        if item is None or ("forget_at" in item and int(item["forget_at"]["N"]) <= now):
            return None
        return ErasureStatus(
            kind=item["kind"]["S"],
            state=item["state"]["S"],
            requested_at=int(item["requested_at"]["N"]),
            starts_at=int(item["starts_at"]["N"]),
            due_at=int(item["due_at"]["N"]),
            receipt=ErasureReceipt.from_json(item["document"]["S"]) if "document" in item else None,
        )

    def all(self) -> Iterator[ErasureReceipt]:
        """All receipts, in no order, for checking the chain."""
        items = found(self._client.scan, TableName=self._table, ConsistentRead=True)
        return (ErasureReceipt.from_json(each["document"]["S"]) for each in items if "document" in each)

    def head(self) -> tuple[int, str]:
        """Number and hash of the last receipt; 0 and FIRST if there is none."""
        item = self._item(HEAD)
        return (int(item["number"]["N"]), item["hash"]["S"]) if item else (0, FIRST)

    def stands(self, erasure: Erasure, forget_at: int | None = None) -> Item:
        """The status of an erasure without a receipt, as an item of TransactWriteItems."""
        numbers = {
            "requested_at": erasure.requested_at,
            "starts_at": erasure.starts_at,
            "due_at": erasure.due_at,
            "forget_at": forget_at,
        }
        return {
            "Put": {
                "TableName": self._table,
                "Item": {
                    "receipt": {"S": name_of(erasure.erasure_id)},
                    "kind": {"S": erasure.kind},
                    "state": {"S": erasure.state},
                    **{name: {"N": str(each)} for name, each in numbers.items() if each is not None},
                },
                "ConditionExpression": NO_RECEIPT,
            }
        }

    def added(self, erasure_id: str, receipt: ErasureReceipt) -> list[Item]:
        """Add the receipt of a verified erasure to the chain; fails unless it follows the last one."""
        return [self._verified(erasure_id, receipt), self._step(receipt)]

    def _verified(self, erasure_id: str, receipt: ErasureReceipt) -> Item:
        return {
            "Update": {
                "TableName": self._table,
                "Key": {"receipt": {"S": name_of(erasure_id)}},
                "UpdateExpression": "SET #state = :state, document = :document",
                "ConditionExpression": f"attribute_exists(receipt) AND {NO_RECEIPT}",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {
                    ":state": {"S": VERIFIED},
                    ":document": {"S": receipt.canonical()},
                },
            }
        }

    def _step(self, receipt: ErasureReceipt) -> Item:
        first = receipt.number == 1
        values: Item = {":number": {"N": str(receipt.number)}, ":hash": {"S": receipt.hash}}
        return {
            "Update": {
                "TableName": self._table,
                "Key": {"receipt": {"S": HEAD}},
                "UpdateExpression": "SET #number = :number, #hash = :hash",
                "ConditionExpression": "attribute_not_exists(#hash)" if first else "#hash = :previous",
                "ExpressionAttributeNames": {"#hash": "hash", "#number": "number"},
                "ExpressionAttributeValues": values
                if first
                else {**values, ":previous": {"S": receipt.previous}},
            }
        }

    def _item(self, name: str) -> Item | None:
        with answered():
            answer = self._client.get_item(
                TableName=self._table, Key={"receipt": {"S": name}}, ConsistentRead=True
            )
        item: Item | None = answer.get("Item")
        return item
