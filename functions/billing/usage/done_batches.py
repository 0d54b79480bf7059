"""The ledger as billing reads it: done batches, the rows they stored, and whether those are counted.

Entries with uncounted batches are in the sparse index `unmetered`: pages of the commit log, which sync adds
in the write that commits a batch (functions/sync/commit_log.py), and single batches that an earlier version
has made done. The last mark removes an entry. The index is slightly behind its table, so its entries are read
again from the table.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action

from functions.billing.usage.count_transactions import CountedMark, CountedPart, UncountedEntry
from functions.shared.batch_usage import SHARDS, UsageShare, unpacked
from functions.shared.tables.ledger import (
    LOG,
    UNMETERED_INDEX,
    LedgerItem,
    batch_entry,
    batch_id_of,
    destination_of,
)
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write
from functions.shared.tenancy import owner_of

_OF_ENTRY = (
    "entry", "forget_at", "commits", "destination", "usage", "metered", "metered_shares", "unmetered",
)  # fmt: skip
_OF_BATCH = ("entry", "forget_at", "usage", "page")


@dataclass(frozen=True, slots=True)
class WaitingEntry:
    """An entry in the index; `done_at` of its first uncounted batch is RFC 3339 in UTC and sorts as text."""

    entry: str
    done_at: str


class DoneBatches:
    """Every read raises StoreUnavailableError when DynamoDB fails."""

    def __init__(self, ledger_table: str, client: Any = None) -> None:
        self._table = Table(LedgerItem, ledger_table, client)

    def waiting(self) -> Iterator[WaitingEntry]:
        """The entries in the index, oldest first within each shard; the shards in random order.

        A run counts a limited number of entries, so it should not always skip the same shards.
        """
        for shard in random.sample(SHARDS, len(SHARDS)):
            for item in self._table.query(shard, index=UNMETERED_INDEX):
                yield WaitingEntry(item.entry, item.done_at)

    def read(self, entries: Sequence[str]) -> list[UncountedEntry]:
        """Those of the entries that still have uncounted batches, as they are now, in the given order."""
        items = {item.entry: item for item in self._table.read(entries, _OF_ENTRY)}
        waiting = [items[each] for each in entries if each in items and items[each].unmetered is not None]
        batches = self._committed([batch_id for item in waiting for batch_id in _uncounted_ids(item)])
        return [_uncounted(item, batches) for item in waiting]

    def shares(self, batch_ids: Sequence[str]) -> dict[str, tuple[UsageShare, ...]]:
        """The shares of each of `batch_ids`, by batch id; without expired batches and replaced ones.

        A batch whose rows are stored and which is about to be committed is among them.
        """
        return {batch_id_of(item): unpacked(item.usage) for item in self._read(batch_ids) if item.usage}

    def marked(self, mark: CountedMark) -> Write:
        """`mark` as a write of a transaction, on condition that no other process has counted since, and that
        no batch was added if it is the last."""
        of = _of_page(mark) if mark.entry.startswith(LOG) else _of_batch(mark)
        waits, done_at = LedgerItem.unmetered, LedgerItem.done_at
        ends = [waits.remove(), done_at.remove()] if mark.last else []
        return self._table.write_of_update(
            mark.entry, *of.changes, *ends, condition=waits.exists() & of.is_unchanged
        )

    def _committed(self, batch_ids: Sequence[str]) -> dict[str, tuple[UsageShare, ...]]:
        """The shares by batch id, without batches that wait to be counted by entries of their own."""
        found = [item for item in self._read(batch_ids) if item.page is not None]
        return {batch_id_of(item): unpacked(item.usage or "[]") for item in found}

    def _read(self, batch_ids: Sequence[str]) -> list[LedgerItem]:
        return self._table.read([batch_entry(each) for each in batch_ids], _OF_BATCH)


@dataclass(frozen=True, slots=True)
class _Marking:
    changes: list[Action]
    is_unchanged: Condition


def _of_page(mark: CountedMark) -> _Marking:
    """A page records whole batches, and shares of the next one."""
    batches, shares, commits = LedgerItem.metered, LedgerItem.metered_shares, LedgerItem.commits
    is_unchanged = _is(batches, mark.before.batches) & _is(shares, mark.before.shares)
    if mark.last:
        is_unchanged &= size(commits) == mark.after.batches
    return _Marking([batches.set(mark.after.batches), shares.set(mark.after.shares)], is_unchanged)


def _of_batch(mark: CountedMark) -> _Marking:
    """A batch of an earlier version records its counted shares."""
    shares = LedgerItem.metered
    return _Marking([] if mark.last else [shares.set(mark.after.shares)], _is(shares, mark.before.shares))


def _is(number: Any, value: int) -> Condition:
    """Whether the attribute `number` has this value; 0 if it is missing."""
    equal: Condition = number == value
    return equal if value else number.does_not_exist() | equal


def _uncounted_ids(item: LedgerItem) -> list[str]:
    """The batches of a page that are not wholly counted."""
    return [str(each) for each in (item.commits or [])[item.metered or 0 :]]


def _uncounted(item: LedgerItem, batches: Mapping[str, tuple[UsageShare, ...]]) -> UncountedEntry:
    if not item.entry.startswith(LOG):
        counted = CountedPart(0, item.metered or 0)
        is_own = owner_of(item.destination) is not None
        return UncountedEntry(item.entry, (unpacked(item.usage),), counted, is_own)
    return UncountedEntry(
        item.entry,
        tuple(batches.get(each, ()) for each in _uncounted_ids(item)),
        CountedPart(item.metered or 0, item.metered_shares or 0),
        owner_of(destination_of(item)) is not None,
    )
