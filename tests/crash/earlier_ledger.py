"""The ledger as the version before docs/adr/0064 had it: its code, for upgrades and rollbacks in tests.

It is not kept up to date: what it wrote and what it did are facts.
"""

import json
import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

from pynamodb.expressions.condition import size

from functions.shared.batch_usage import packed, shard_of
from functions.shared.tables.ledger import (
    COMMITS_A_PAGE,
    OBJECT,
    Claim,
    LedgerItem,
    batch_entry,
    log_entry,
    manifest_entry,
    object_entry,
    tip_entry,
)
from functions.shared.tables.store_errors import (
    ConditionFailedError,
    StoreUnavailableError,
    WriteConflictError,
)
from functions.shared.tables.table import NewItem, Table
from functions.shared.tables.transaction import Write, open_client, write_once
from functions.sync.ledger import Batch, Lease, UnknownBatchError
from functions.sync.notifications import StagedObject
from functions.sync.packed_manifest import pack, unpack
from functions.sync.plan import Manifest
from functions.sync.usage_shares import usage_of

INLINE_BYTES = 600
"""Up to here a manifest is in the item of its batch, which then stays below 1 KB, one write unit."""

FORGET_AFTER_DAYS = 45
"""Longer than any message can live: 14 days in a queue, 14 more in its dead-letter queue, and a redrive."""

PLANNED, SEALED, DONE, REPLACED = "planned", "sealed", "done", "replaced"

_STORED = {PLANNED: "planned-2", SEALED: "sealed-2"}
"""States of open batches in the table. Earlier versions lease batches in the states at the left only: none of
the form of today, whose members they cannot read."""

_LOGICAL = {stored: state for state, stored in _STORED.items()}
_OPEN = (*_STORED, *_LOGICAL)

_CLAIM_ROUNDS = 4
_ABSENT = LedgerItem.entry.does_not_exist()
_SECONDS_A_DAY = 86_400


def earlier_id(manifest: Manifest) -> str:
    """The batch id of a manifest."""
    members = "\n".join(f"{each.key} {each.etag}" for each in manifest.objects)
    named = f"2|{manifest.destination}|{manifest.expires_on}|{manifest.after}|{members}"
    return sha256(named.encode()).hexdigest()[:32]


class EarlierLedger:
    """The ledger's entries. Every method raises StoreUnavailableError when DynamoDB fails or conflicts last.

    Parameters
    ----------
    table: the DynamoDB table; its partition key is `entry`.
    clock: seconds since 1970.
    client: a boto3 client for DynamoDB, or a DirectClient; None to create one of boto3.
    """

    def __init__(self, table: str, clock: Callable[[], float] = time.time, client: Any = None) -> None:
        self._client = client or open_client()
        self._table = Table(LedgerItem, table, self._client)
        self._clock = clock
        self._commits = EarlierCommitLog(self._table, self._client, clock)

    def claims(self, keys: Iterable[str]) -> dict[str, str]:
        """The batch id of each of `keys` that a batch has claimed."""
        found = self._table.read([object_entry(key) for key in keys])
        return {item.entry.removeprefix(OBJECT): item.batch_id for item in found}

    def batch(self, batch_id: str) -> Batch:
        """The batch with this id. While it is planned, some members may be claimed by others: see `complete`.

        Raises
        ------
        UnknownBatchError: there is none.
        """
        item = self._table.get(batch_entry(batch_id))
        if item is None:
            raise UnknownBatchError(f"no batch {batch_id}")
        if item.state in _LOGICAL and item.manifest is None:
            return _batch(batch_id, item, self._table.get(manifest_entry(batch_id)))
        return _batch(batch_id, item, item)

    def resume(self, lease: Lease) -> Batch:
        """As the earlier processor read a leased batch."""
        return self.complete(self.batch(lease.batch_id))

    def create_batch(self, manifest: Manifest, *_lease: Any) -> Batch | None:
        """Write `manifest` as a batch, without objects that other batches claimed; None if none is left."""
        batch = Batch(manifest, earlier_id(manifest), PLANNED, manifest.objects)
        try:
            self._table.put(self._put_manifest(batch), _ABSENT)
        except ConditionFailedError:
            batch = self.complete(self.batch(batch.batch_id))
        else:
            batch = self._claim(batch, {})
        return None if batch.state == PLANNED and not batch.members else batch

    def complete(self, batch: Batch) -> Batch:
        """Claim what a planned batch has not claimed yet; only vanished objects then change its members."""
        if batch.state != PLANNED:
            return batch
        return self._claim(batch, self.claims(each.key for each in batch.manifest.objects))

    def lease(self, batch_id: str, owner: str, seconds: float) -> Lease | None:
        """Lease the batch for `seconds`; None while another process has it, or once it is at its end."""
        now = self._clock()
        free = LedgerItem.lease_until.does_not_exist() | (LedgerItem.lease_until < now)
        try:
            item = self._table.update_and_get(
                batch_entry(batch_id),
                LedgerItem.lease_owner.set(owner),
                LedgerItem.lease_until.set(now + seconds),
                LedgerItem.attempts.set((LedgerItem.attempts | 0) + 1),
                condition=LedgerItem.state.is_in(*_OPEN) & free,
            )
        except ConditionFailedError:
            return None
        return Lease(batch_id, owner, item.attempts)

    def release(self, lease: Lease) -> None:
        """Release the lease early; only when none of our inserts can still be running."""
        with suppress(ConditionFailedError):
            self._table.update(
                batch_entry(lease.batch_id),
                LedgerItem.lease_until.set(0),
                condition=LedgerItem.lease_owner == lease.owner,
            )

    def seal(self, batch: Batch, gone: frozenset[str]) -> Batch:
        """Make the members final, without `gone`, before the first insert; a `sealed` batch is unchanged."""
        if batch.state != PLANNED:
            return batch
        kept = tuple(each for each in batch.members if each.key not in gone)
        try:
            self._table.update(
                batch_entry(batch.batch_id),
                LedgerItem.state.set(_stored(batch, SEALED)),
                LedgerItem.excluded.set(_excluded(batch, frozenset(each.key for each in kept))),
                condition=LedgerItem.state == _stored(batch, PLANNED),
            )
        except ConditionFailedError:
            return self.batch(batch.batch_id)
        return replace(batch, state=SEALED, members=kept)

    def done(self, batch: Batch) -> None:
        """Record that the batch's rows are in ClickHouse and are to be metered. Only the first call counts.

        The same transaction appends a batch with rows to the commit log of its destination.

        Its candidates are removed: they are no longer needed, and each later write would pay for them. A
        manifest in an item of its own expires: to delete it would cost as much as to keep it.
        """
        usage = usage_of(batch.manifest.destination, batch.members)
        waits = [LedgerItem.unmetered.set(shard_of(batch.batch_id))] if usage else []
        changes = [
            LedgerItem.state.set(DONE),
            LedgerItem.forget_at.set(self._forget_at()),
            LedgerItem.done_at.set(self._moment()),
            LedgerItem.usage.set(packed(usage)),
            *waits,
            LedgerItem.manifest.remove(),
            LedgerItem.excluded.remove(),
        ]
        entry, unfinished = batch_entry(batch.batch_id), LedgerItem.state != DONE
        if usage:
            done = self._table.write_of_update(entry, *changes, condition=unfinished)
            self._commits.append(
                batch.manifest.destination, batch.batch_id, done, lambda: self._is_done(batch.batch_id)
            )
            return
        with suppress(ConditionFailedError):
            self._table.update(entry, *changes, condition=unfinished)

    def _is_done(self, batch_id: str) -> bool:
        item = self._table.get(batch_entry(batch_id), ["entry", "forget_at", "state"])
        return item is not None and item.state == DONE

    def replace(self, batch: Batch, members: Sequence[StagedObject]) -> Batch:
        """Replace the `sealed` batch `batch` by a new batch of `members`, and return the new batch.

        Only for a batch none of whose rows is or will be in ClickHouse. Members that the batch does not have
        are claimed for the new one. One transaction writes all of it but the manifest, or nothing: a claim of
        the new batch beside an old batch that is not replaced would load both.
        """
        manifest = Manifest(
            batch.manifest.destination, batch.manifest.expires_on, tuple(members), after=batch.batch_id
        )
        successor = Batch(manifest, earlier_id(manifest), SEALED, manifest.objects)
        had = {each.key for each in batch.members}
        new: list[NewItem] = [
            self._put_manifest(successor),
            *self._claims(successor.batch_id, [each for each in members if each.key not in had]),
        ]
        writes = [
            self._table.write_of_update(
                batch_entry(batch.batch_id),
                LedgerItem.state.set(REPLACED),
                LedgerItem.successor.set(successor.batch_id),
                condition=LedgerItem.state == _stored(batch, SEALED),
            ),
            *(self._table.write_of_put(each, _ABSENT) for each in new),
        ]
        try:
            write_once(self._client, writes)
        except ConditionFailedError:
            raise StoreUnavailableError("another process has replaced the batch") from None
        return successor

    def _put_manifest(self, batch: Batch) -> LedgerItem:
        """The item of a new batch; a large manifest is written to an item of its own first.

        It is written again with each attempt, so that it expires no earlier than the batch.
        """
        item = LedgerItem(
            batch_entry(batch.batch_id),
            destination=batch.manifest.destination,
            expires_on=batch.manifest.expires_on.isoformat(),
            state=_STORED[batch.state],
            after=batch.manifest.after,
            attempts=0,
            forget_at=self._forget_at(),
        )
        packed = pack(batch.manifest.objects)
        if len(packed) <= INLINE_BYTES:
            item.manifest = packed
        else:
            entry = manifest_entry(batch.batch_id)
            self._table.put(LedgerItem(entry, manifest=packed, forget_at=item.forget_at))
        return item

    def _claim(self, batch: Batch, claims: dict[str, str]) -> Batch:
        """`batch` with the members that it has once every candidate is claimed; `claims` are those so far."""
        keys = [each.key for each in batch.manifest.objects]
        for _ in range(_CLAIM_ROUNDS):
            unclaimed = [each for each in batch.manifest.objects if each.key not in claims]
            if not unclaimed:
                ours = (each for each in batch.manifest.objects if claims[each.key] == batch.batch_id)
                return replace(batch, members=tuple(ours))
            existing = self._table.insert_missing(self._claims(batch.batch_id, unclaimed))
            theirs = {each.entry.removeprefix(OBJECT) for each in existing}
            claims = {key: claims.get(key, batch.batch_id) for key in keys if key not in theirs}
            claims |= self.claims(theirs)
        raise StoreUnavailableError("claims disappear while they are read")

    def _claims(self, batch_id: str, objects: Sequence[StagedObject]) -> list[Claim]:
        """The write-once claims of `objects` for a batch."""
        forget_at = self._forget_at()
        return [Claim(object_entry(each.key), batch_id, forget_at) for each in objects]

    def _moment(self) -> str:
        """Now, as text that sorts by time."""
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")

    def _forget_at(self) -> int:
        return int(self._clock()) + FORGET_AFTER_DAYS * _SECONDS_A_DAY


def _stored(_batch: Batch, state: str) -> str:
    """The state of an open batch as the table has it."""
    return _STORED[state]


def _excluded(batch: Batch, kept: frozenset[str]) -> str:
    """The candidates that are not members, as positions."""
    objects = enumerate(batch.manifest.objects)
    return json.dumps([position for position, each in objects if each.key not in kept])


def _batch(batch_id: str, item: LedgerItem, manifest_item: LedgerItem | None) -> Batch:
    if manifest_item is None:
        raise UnknownBatchError(f"no manifest of batch {batch_id}")
    objects = unpack(manifest_item.manifest) if manifest_item.manifest else ()
    excluded = frozenset(json.loads(item.excluded or "[]"))
    members = tuple(each for position, each in enumerate(objects) if position not in excluded)
    manifest = Manifest(item.destination, date.fromisoformat(item.expires_on), objects, item.after or "")
    return Batch(manifest, batch_id, _LOGICAL.get(item.state, item.state), members, item.successor or "")


PAGE_DAYS, TIP_DAYS = 45, 90
MAX_TRIES = 40
_WAIT_SECONDS = 0.05


class EarlierCommitLog:
    """Appends to the logs in `table`, the ledger. Raises StoreUnavailableError when DynamoDB fails."""

    def __init__(self, table: Table[LedgerItem], client: Any, clock: Callable[[], float]) -> None:
        self._table = table
        self._client = client
        self._clock = clock
        self._pages: dict[str, int] = {}

    def append(self, destination: str, batch_id: str, done: Write, is_done: Callable[[], bool]) -> None:
        """Run `done`, whose condition holds once, and append the batch, both or neither.

        `is_done`: whether `done` took place before, in which case the batch is in the log.
        """
        page = self._page(destination)
        for _ in range(MAX_TRIES):
            try:
                write_once(self._client, [done, self._write(destination, page, batch_id)])
            except WriteConflictError:
                time.sleep(random.uniform(0, _WAIT_SECONDS))
            except ConditionFailedError:
                if is_done():
                    return
                page = self._after_full(destination, page)
            else:
                self._pages[destination] = page
                return
        raise StoreUnavailableError("others keep writing the commit log")

    def _write(self, destination: str, page: int, batch_id: str) -> Write:
        commits = LedgerItem.commits
        return self._table.write_of_update(
            log_entry(destination, page),
            commits.set((commits | []).append([batch_id])),
            LedgerItem.forget_at.set(self._days_from_now(PAGE_DAYS)),
            condition=commits.does_not_exist() | (size(commits) < COMMITS_A_PAGE),
        )

    def _page(self, destination: str) -> int:
        """The page that this process wrote last; of a new process that of the tip, which it extends."""
        page = self._pages.get(destination)
        if page is None:
            page = self._tip(destination)
            self._set_tip(destination, page)
        return page

    def _after_full(self, destination: str, page: int) -> int:
        """The page to try after the full page `page`: the next one, or a later one that the tip names."""
        page = max(page + 1, self._tip(destination))
        self._set_tip(destination, page)
        return page

    def _tip(self, destination: str) -> int:
        item = self._table.get(tip_entry(destination))
        return (item.page or 0) if item else 0

    def _set_tip(self, destination: str, page: int) -> None:
        """Move the tip to `page`, never back, and extend its life."""
        tip = LedgerItem.page
        try:
            self._table.update(
                tip_entry(destination),
                tip.set(page),
                LedgerItem.forget_at.set(self._days_from_now(TIP_DAYS)),
                condition=tip.does_not_exist() | (tip <= page),
            )
        except ConditionFailedError:
            return

    def _days_from_now(self, days: int) -> int:
        return int(self._clock()) + days * _SECONDS_A_DAY
