"""The ledger as the version before docs/adr/0053 had it: its code, for upgrades and rollbacks in tests.

It is not kept up to date: what it wrote and what it did are facts.
"""

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, TypeVar

from functions.shared.batch_usage import packed, shard_of
from functions.shared.tables.ledger import OBJECT, LedgerItem, batch_entry, object_entry
from functions.shared.tables.store_errors import (
    ConditionFailedError,
    StoreUnavailableError,
    WriteConflictError,
)
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write, open_client, write_once
from functions.sync.commit_log import CommitLog
from functions.sync.ledger import Batch, Lease, UnknownBatchError
from functions.sync.notifications import StagedObject
from functions.sync.plan import Manifest
from functions.sync.usage_shares import usage_of

CLAIMS_A_TRANSACTION = 99
FORGET_AFTER_DAYS = 45
"""Longer than any message can live: 14 days in a queue, 14 more in its dead-letter queue, and a redrive."""

PLANNED, SEALED, DONE, REPLACED = "planned", "sealed", "done", "replaced"

_MAX_CONFLICTS = 8
_ABSENT = LedgerItem.entry.does_not_exist()
_SECONDS_A_DAY = 86_400

T = TypeVar("T")


def earlier_id(manifest: Manifest) -> str:
    """The batch id of a manifest."""
    members = "\n".join(f"{each.key} {each.etag}" for each in manifest.objects)
    named = f"{manifest.destination}|{manifest.expires_on}|{manifest.after}|{members}"
    return sha256(named.encode()).hexdigest()[:32]


class EarlierLedger:
    """The ledger's entries. Every method raises StoreUnavailableError when DynamoDB fails or conflicts last.

    Parameters
    ----------
    table: the DynamoDB table; its partition key is `entry`.
    clock: seconds since 1970.
    client: a boto3 client for DynamoDB; None to create one.
    """

    def __init__(self, table: str, clock: Callable[[], float] = time.time, client: Any = None) -> None:
        self._client = client or open_client()
        self._table = Table(LedgerItem, table, self._client)
        self._clock = clock
        self._commits = CommitLog(self._table, self._client, clock)

    def claims(self, keys: Iterable[str]) -> dict[str, str]:
        """The batch id of each of `keys` that a batch has claimed."""
        found = self._table.read([object_entry(key) for key in keys])
        return {item.entry.removeprefix(OBJECT): item.batch_id for item in found}

    def batch(self, batch_id: str) -> Batch:
        """The batch with this id.

        Raises
        ------
        UnknownBatchError: there is none.
        """
        item = self._table.get(batch_entry(batch_id))
        if item is None:
            raise UnknownBatchError(f"no batch {batch_id}")
        return _batch(batch_id, item)

    def create_batch(self, manifest: Manifest) -> Batch | None:
        """Write `manifest` as a batch, without objects that other batches claimed; None if none is left."""
        for _ in range(_MAX_CONFLICTS):
            if not manifest.objects:
                return None
            if self._transact(manifest, manifest.objects[:CLAIMS_A_TRANSACTION], with_batch=True):
                return self.complete(_fresh(manifest), claimed=CLAIMS_A_TRANSACTION)
            if earlier_id(manifest) in self.claims(each.key for each in manifest.objects).values():
                return self.complete(self.batch(earlier_id(manifest)))
            manifest = manifest.without(frozenset(self.claims(each.key for each in manifest.objects)))
        raise StoreUnavailableError("others keep claiming the same objects")

    def complete(self, batch: Batch, claimed: int = 0) -> Batch:
        """Claim what a planned batch has not claimed yet; only vanished objects then change its members.

        With `claimed`, that many candidates have just been claimed, and the others had no claim.
        """
        candidates = batch.manifest.objects
        if batch.state != PLANNED or len(candidates) <= CLAIMS_A_TRANSACTION:
            return batch
        members = list(candidates[:claimed])
        for some in _parts(candidates[claimed:], CLAIMS_A_TRANSACTION):
            claims = {} if claimed else self.claims(each.key for each in some)
            members += self._claimed(batch, some, claims)
        return replace(batch, members=tuple(members))

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
                condition=LedgerItem.state.is_in(PLANNED, SEALED) & free,
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
        excluded = sorted({each.key for each in batch.manifest.objects} - {each.key for each in kept})
        try:
            self._table.update(
                batch_entry(batch.batch_id),
                LedgerItem.state.set(SEALED),
                LedgerItem.excluded.set(json.dumps(excluded)),
                condition=LedgerItem.state == PLANNED,
            )
        except ConditionFailedError:
            return self.batch(batch.batch_id)
        return replace(batch, state=SEALED, members=kept)

    def done(self, batch: Batch) -> None:
        """Record that the batch's rows are in ClickHouse and are to be metered. Only the first call counts.

        The same transaction appends a batch with rows to the commit log of its destination.

        Its candidates are removed: they are no longer needed, and each later write would pay for them.
        """
        usage = usage_of(batch.manifest.destination, batch.members)
        waits = [LedgerItem.unmetered.set(shard_of(batch.batch_id))] if usage else []
        changes = [
            LedgerItem.state.set(DONE),
            LedgerItem.forget_at.set(self._forget_at()),
            LedgerItem.done_at.set(self._moment()),
            LedgerItem.usage.set(packed(usage)),
            *waits,
            LedgerItem.candidates.remove(),
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
        are claimed for the new one. One transaction writes all of it, or nothing.
        """
        manifest = Manifest(
            batch.manifest.destination, batch.manifest.expires_on, tuple(members), after=batch.batch_id
        )
        had = {each.key for each in batch.members}
        writes = [
            self._table.write_of_update(
                batch_entry(batch.batch_id),
                LedgerItem.state.set(REPLACED),
                LedgerItem.successor.set(earlier_id(manifest)),
                condition=LedgerItem.state == SEALED,
            ),
            self._table.write_of_put(_item(manifest, self._forget_at(), SEALED), _ABSENT),
            *self._claims(manifest, [each for each in members if each.key not in had]),
        ]
        try:
            write_once(self._client, writes)
        except ConditionFailedError:
            raise StoreUnavailableError("another process has replaced the batch") from None
        return Batch(manifest, earlier_id(manifest), SEALED, manifest.objects)

    def _claimed(
        self, batch: Batch, objects: Sequence[StagedObject], claims: Mapping[str, str]
    ) -> list[StagedObject]:
        """Claim those of `objects` that are not in `claims`; return those that then belong to `batch`."""
        for _ in range(_MAX_CONFLICTS):
            unclaimed = [each for each in objects if each.key not in claims]
            if not unclaimed or self._transact(batch.manifest, unclaimed, with_batch=False):
                return [each for each in objects if claims.get(each.key, batch.batch_id) == batch.batch_id]
            claims = self.claims(each.key for each in objects)
        raise StoreUnavailableError("others keep claiming the same objects")

    def _transact(self, manifest: Manifest, claims: Sequence[StagedObject], *, with_batch: bool) -> bool:
        """Write claims, and the batch itself, all or none; False when one exists or a write conflicts."""
        writes = self._claims(manifest, claims)
        if with_batch:
            writes.append(self._table.write_of_put(_item(manifest, self._forget_at(), PLANNED), _ABSENT))
        try:
            write_once(self._client, writes)
        except ConditionFailedError:
            return False
        except WriteConflictError:
            time.sleep(random.uniform(0, 0.05))
            return False
        return True

    def _claims(self, manifest: Manifest, objects: Sequence[StagedObject]) -> list[Write]:
        """The write-once claims of `objects` for the batch of `manifest`."""
        batch_id, forget_at = earlier_id(manifest), self._forget_at()
        claims = (
            LedgerItem(object_entry(each.key), batch_id=batch_id, forget_at=forget_at) for each in objects
        )
        return [self._table.write_of_put(each, _ABSENT) for each in claims]

    def _moment(self) -> str:
        """Now, as text that sorts by time."""
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")

    def _forget_at(self) -> int:
        return int(self._clock()) + FORGET_AFTER_DAYS * _SECONDS_A_DAY


def _fresh(manifest: Manifest) -> Batch:
    return Batch(manifest, earlier_id(manifest), PLANNED, manifest.objects)


def _item(manifest: Manifest, forget_at: int, state: str) -> LedgerItem:
    return LedgerItem(
        batch_entry(earlier_id(manifest)),
        destination=manifest.destination,
        expires_on=manifest.expires_on.isoformat(),
        candidates=json.dumps([[each.key, each.etag, each.size_bytes] for each in manifest.objects]),
        state=state,
        after=manifest.after,
        attempts=0,
        forget_at=forget_at,
    )


def _batch(batch_id: str, item: LedgerItem) -> Batch:
    objects = tuple(StagedObject(*each) for each in json.loads(item.candidates or "[]"))
    excluded = frozenset(json.loads(item.excluded or "[]"))
    manifest = Manifest(item.destination, date.fromisoformat(item.expires_on), objects, item.after or "")
    return Batch(manifest, batch_id, item.state, manifest.without(excluded).objects, item.successor or "")


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
