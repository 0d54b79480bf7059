"""The ledger as billing reads it: done batches, the rows they stored, and whether those are counted.

Uncounted batches are in the sparse index `unmetered`: sync adds a batch to it in the write that marks the
batch as done (functions/sync/ledger.py), and the last mark removes it. The index is slightly behind its
table, so its batches are read again from the table.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from functions.billing.usage.count_transactions import CountedMark, UncountedBatch
from functions.shared.batch_usage import SHARDS, UsageShare, unpacked
from functions.shared.dynamo.answers import answered, open_client
from functions.shared.tenancy import owner_of

INDEX = "unmetered"
READS_A_CALL = 100
_BATCH = "batch#"
_FIELDS = "entry, destination, #usage, metered, unmetered"

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WaitingBatch:
    """A batch in the index; `done_at` is RFC 3339 in UTC and sorts as text."""

    batch_id: str
    done_at: str


class DoneBatches:
    """Every read raises functions.shared.dynamo.answers.StoreUnavailableError when DynamoDB fails."""

    def __init__(self, ledger_table: str, client: Any = None) -> None:
        self._table = ledger_table
        self._client = client or open_client()

    def waiting(self) -> Iterator[WaitingBatch]:
        """The batches in the index, oldest first within each shard; the shards in random order.

        A run counts a limited number of batches, so it should not always skip the same shards.
        """
        for shard in random.sample(SHARDS, len(SHARDS)):
            yield from self._shard(shard)

    def read(self, batch_ids: Sequence[str]) -> list[UncountedBatch]:
        """Those of up to READS_A_CALL batches that are still uncounted, in their current state and in that
        order."""
        keys = [{"entry": {"S": _BATCH + each}} for each in batch_ids]
        found = {item["entry"]["S"].removeprefix(_BATCH): item for item in self._items(keys)}
        waiting = (found[each] for each in batch_ids if each in found)
        return [_uncounted(item) for item in waiting if "unmetered" in item]

    def shares(self, batch_ids: Sequence[str]) -> dict[str, tuple[UsageShare, ...]]:
        """The shares stored by each of `batch_ids`, by batch id; without expired and unfinished batches."""
        found: dict[str, tuple[UsageShare, ...]] = {}
        for start in range(0, len(batch_ids), READS_A_CALL):
            keys = [{"entry": {"S": _BATCH + each}} for each in batch_ids[start : start + READS_A_CALL]]
            for item in self._items(keys):
                if "usage" in item:
                    found[item["entry"]["S"].removeprefix(_BATCH)] = unpacked(item["usage"]["S"])
        return found

    def marked(self, mark: CountedMark) -> Item:
        """`mark` as an item of TransactWriteItems, on condition that no other process has counted since."""
        update = {
            "TableName": self._table,
            "Key": {"entry": {"S": _BATCH + mark.batch_id}},
            "UpdateExpression": "SET metered = :after" + (" REMOVE unmetered" if mark.last else ""),
            "ConditionExpression": "attribute_exists(unmetered) AND attribute_not_exists(metered)",
            "ExpressionAttributeValues": {":after": {"N": str(mark.after)}},
        }
        if mark.before:
            update["ConditionExpression"] = "attribute_exists(unmetered) AND metered = :before"
            update["ExpressionAttributeValues"] = {
                ":after": {"N": str(mark.after)},
                ":before": {"N": str(mark.before)},
            }
        return {"Update": update}

    def _shard(self, shard: str) -> Iterator[WaitingBatch]:
        start: Item = {}
        while True:
            with answered():
                page = self._client.query(
                    TableName=self._table,
                    IndexName=INDEX,
                    KeyConditionExpression="unmetered = :shard",
                    ExpressionAttributeValues={":shard": {"S": shard}},
                    **start,
                )
            for item in page["Items"]:
                yield WaitingBatch(item["entry"]["S"].removeprefix(_BATCH), item["done_at"]["S"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _items(self, keys: list[Item]) -> Iterator[Item]:
        """The existing items of `keys`, read strongly consistent; DynamoDB returns at most 16 MB per call."""
        while keys:
            asked = {
                "Keys": keys,
                "ConsistentRead": True,
                "ProjectionExpression": _FIELDS,
                "ExpressionAttributeNames": {"#usage": "usage"},
            }
            with answered():
                answer = self._client.batch_get_item(RequestItems={self._table: asked})
            yield from answer["Responses"].get(self._table, [])
            keys = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])


def _uncounted(item: Item) -> UncountedBatch:
    return UncountedBatch(
        batch_id=item["entry"]["S"].removeprefix(_BATCH),
        shares=unpacked(item["usage"]["S"]),
        counted=int(item.get("metered", {"N": "0"})["N"]),
        own=owner_of(item["destination"]["S"]) is not None,
    )
