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
from functions.shared.tables.ledger import UNMETERED_INDEX, LedgerItem, batch_entry, batch_id_of
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write
from functions.shared.tenancy import owner_of

_ATTRIBUTES = ("entry", "destination", "usage", "metered", "unmetered")


@dataclass(frozen=True, slots=True)
class WaitingBatch:
    """A batch in the index; `done_at` is RFC 3339 in UTC and sorts as text."""

    batch_id: str
    done_at: str


class DoneBatches:
    """Every read raises StoreUnavailableError when DynamoDB fails."""

    def __init__(self, ledger_table: str, client: Any = None) -> None:
        self._table = Table(LedgerItem, ledger_table, client)

    def waiting(self) -> Iterator[WaitingBatch]:
        """The batches in the index, oldest first within each shard; the shards in random order.

        A run counts a limited number of batches, so it should not always skip the same shards.
        """
        for shard in random.sample(SHARDS, len(SHARDS)):
            for item in self._table.query(shard, index=UNMETERED_INDEX):
                yield WaitingBatch(batch_id_of(item), item.done_at)

    def read(self, batch_ids: Sequence[str]) -> list[UncountedBatch]:
        """Those of the batches that are still uncounted, in their current state and in that
        order."""
        found = {batch_id_of(item): item for item in self._read(batch_ids)}
        waiting = (found[each] for each in batch_ids if each in found)
        return [_uncounted(item) for item in waiting if item.unmetered is not None]

    def shares(self, batch_ids: Sequence[str]) -> dict[str, tuple[UsageShare, ...]]:
        """The shares stored by each of `batch_ids`, by batch id; without expired and unfinished batches."""
        items = self._read(batch_ids)
        return {batch_id_of(item): unpacked(item.usage) for item in items if item.usage is not None}

    def marked(self, mark: CountedMark) -> Write:
        """`mark` as a write of a transaction, on condition that no other process has counted since."""
        counted = LedgerItem.metered
        unchanged = counted == mark.before if mark.before else counted.does_not_exist()
        return self._table.write_of_update(
            batch_entry(mark.batch_id),
            counted.set(mark.after),
            *([LedgerItem.unmetered.remove()] if mark.last else []),
            condition=LedgerItem.unmetered.exists() & unchanged,
        )

    def _read(self, batch_ids: Sequence[str]) -> list[LedgerItem]:
        return self._table.read([batch_entry(each) for each in batch_ids], _ATTRIBUTES)


def _uncounted(item: LedgerItem) -> UncountedBatch:
    return UncountedBatch(
        batch_id=batch_id_of(item),
        shares=unpacked(item.usage),
        counted=item.metered or 0,
        own=owner_of(item.destination) is not None,
    )
