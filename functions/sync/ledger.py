"""The ledger in DynamoDB: the decisions and the state of every staged object; makes delivery exactly-once.

Four kinds of entries:

- `object#<key>` is a claim: the batch that the object belongs to. Written once, never changed.
- `batch#<id>` is a batch: its state (see `Batch`), its usage, and its candidates in order if they are few.
- `manifest#<id>` has the candidates of a larger batch, so that its retries do not pay for them.
- `log#<destination>#<n>` is a page of the commit log. A batch is done once it is in there.

A batch is written in this order: its manifest, the batch with its lease, the claims, each by a write of its
own. If another batch claims an object first, it belongs to that batch. Claims are write-once: every process
that completes a batch, whether it planned the batch or found it half-written, ends with the same members. A
batch that no claim names is never loaded. Most batches are never written again: the append to the log commits
them. docs/adr/0053 and docs/adr/0064 have the reasons, and what earlier versions wrote.
"""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from functions.shared.batch_usage import packed
from functions.shared.errors import PermanentError
from functions.shared.tables.ledger import (
    OBJECT,
    Claim,
    LedgerItem,
    batch_entry,
    manifest_entry,
    object_entry,
)
from functions.shared.tables.store_errors import ConditionFailedError, StoreUnavailableError
from functions.shared.tables.table import NewItem, Table
from functions.shared.tables.transaction import open_client, write_once
from functions.sync.commit_log import CommitLog
from functions.sync.notifications import StagedObject
from functions.sync.packed_manifest import pack, unpack
from functions.sync.plan import Manifest, rows_of
from functions.sync.usage_shares import usage_of

INLINE_BYTES = 4_000
"""Up to here a manifest is in the item of its batch: one write less. Each retry of the batch pays for it."""

REMEMBERED_PAGES = 100
"""A batch that is read again records how far the log was read, when that was so many pages or more."""

FORGET_AFTER_DAYS = 45
"""Longer than any message can live: 14 days in a queue, 14 more in its dead-letter queue, and a redrive."""

PLANNED, SEALED, DONE, REPLACED = "planned", "sealed", "done", "replaced"

_STORED = {PLANNED: "planned-3", SEALED: "sealed-3"}
_STORED_EARLIER = {PLANNED: "planned-2", SEALED: "sealed-2"}
"""States of open batches in the table. The earlier version leases batches in its own states only: none of the
form of today, which it would commit in another way."""

_LOGICAL = {stored: state for names in (_STORED, _STORED_EARLIER) for state, stored in names.items()}

_CLAIM_ROUNDS = 4
_ABSENT = LedgerItem.entry.does_not_exist()
_SECONDS_A_DAY = 86_400


class UnknownBatchError(PermanentError):
    """A claim names a batch that is not in the ledger."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as stored in the ledger.

    `state`: planned (members may still be claimed, no insert was tried), `sealed` (`members` is final; an
    insert may have been tried), done (its rows are in ClickHouse), replaced (none of its rows is or will be
    in ClickHouse; the batch `successor` replaces it).
    `members`: the objects of the manifest, except those that other batches claimed and those that were gone
    at the first insert.
    `attempts`: how often it was leased. `page`: earlier pages of the commit log do not have it.
    `lease`: the one under which it was written.
    `has_earlier_form`: the earlier version wrote it. It stays readable for that version.
    """

    manifest: Manifest
    batch_id: str
    state: str
    members: tuple[StagedObject, ...]
    successor: str = ""
    attempts: int = field(default=0, compare=False)
    page: int = field(default=0, compare=False)
    lease: "Lease | None" = field(default=None, compare=False)
    has_earlier_form: bool = False

    @property
    def is_open(self) -> bool:
        return self.state in (PLANNED, SEALED)

    @property
    def rows(self) -> int:
        return rows_of(self.members)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a batch for a limited time; `attempt` counts from 1. `page` as in the table."""

    batch_id: str
    owner: str
    attempt: int
    page: int = 0


class Ledger:
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
        self._commits = CommitLog(self._table, self._client, clock)

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
        apart = item.state in _LOGICAL and item.manifest is None
        batch = _batch(batch_id, item, self._table.get(manifest_entry(batch_id)) if apart else item)
        if not batch.is_open or batch.has_earlier_form:
            return batch
        log = self._commits.search(batch.manifest.destination, batch_id, batch.page)
        return replace(batch, state=DONE if log.found else batch.state, page=log.page)

    def create_batch(self, manifest: Manifest, owner: str = "", seconds: float = 0) -> Batch | None:
        """Write `manifest` as a batch, without objects that other batches claimed; None if none is left.

        `owner` has leased the new batch for `seconds`. Without an owner, or if the batch exists already, the
        batch has no lease.
        """
        lease = Lease(manifest.batch_id, owner, 1) if owner else None
        batch = Batch(
            manifest,
            manifest.batch_id,
            PLANNED,
            manifest.objects,
            attempts=1 if lease else 0,
            page=self._commits.page(manifest.destination),
            lease=lease,
        )
        try:
            self._table.put(self._put_manifest(batch, seconds), _ABSENT)
        except ConditionFailedError:
            batch = self.complete(self.batch(batch.batch_id))
        else:
            batch = self._claim_new(batch)
        return None if batch.state == PLANNED and not batch.members else batch

    def complete(self, batch: Batch) -> Batch:
        """Claim what a planned batch has not claimed yet; only vanished objects then change its members.

        It may be `sealed` then: a process that had a lease before inserts all candidates without a further
        write to the batch. If some of them are not members, it seals the batch first.
        """
        if batch.state != PLANNED:
            return batch
        batch = self._claim(batch, self.claims(each.key for each in batch.manifest.objects))
        is_final = not batch.has_earlier_form and batch.attempts > 1 and _has_all(batch, batch.members)
        return replace(batch, state=SEALED) if is_final else batch

    def resume(self, lease: Lease) -> Batch:
        """The leased batch, completed; a batch found in the log is marked as done."""
        batch_id = lease.batch_id
        batch = self.complete(self.batch(batch_id))
        changes = [LedgerItem.state.set(DONE)] if batch.state == DONE else []
        if batch.page >= lease.page + REMEMBERED_PAGES:
            changes.append(LedgerItem.page.set(batch.page))
        if changes:
            self._table.update(
                batch_entry(batch_id), *changes, condition=LedgerItem.lease_owner == lease.owner
            )
        return batch

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
                LedgerItem.forget_at.set(self._forget_at()),
                condition=LedgerItem.state.is_in(*_LOGICAL) & free,
            )
        except ConditionFailedError:
            return None
        return Lease(batch_id, owner, item.attempts, item.page or 0)

    def release(self, lease: Lease) -> None:
        """Release the lease early; only when none of our inserts can still be running."""
        with suppress(ConditionFailedError):
            self._table.update(
                batch_entry(lease.batch_id),
                LedgerItem.lease_until.set(0),
                condition=LedgerItem.lease_owner == lease.owner,
            )

    def seal(self, batch: Batch, gone: frozenset[str]) -> Batch:
        """Make the members final, without `gone`, before the first insert; a `sealed` batch is unchanged.

        Nothing is written if every candidate is a member: claims say that as well.
        """
        if batch.state != PLANNED:
            return batch
        kept = tuple(each for each in batch.members if each.key not in gone)
        if batch.has_earlier_form or not _has_all(batch, kept):
            usage = usage_of(batch.manifest.destination, kept)
            try:
                self._table.update(
                    batch_entry(batch.batch_id),
                    LedgerItem.state.set(_stored(batch, SEALED)),
                    LedgerItem.excluded.set(_excluded(batch, kept)),
                    *([] if batch.has_earlier_form else [LedgerItem.usage.set(packed(usage))]),
                    condition=(LedgerItem.state == _stored(batch, PLANNED))
                    & (LedgerItem.attempts == batch.attempts),
                )
            except ConditionFailedError:
                return self.batch(batch.batch_id)
        return replace(batch, state=SEALED, members=kept)

    def done(self, batch: Batch) -> None:
        """Commit the batch, whose rows are in ClickHouse: now they are metered and shown, once."""
        entry, changes = batch_entry(batch.batch_id), [LedgerItem.state.set(DONE)]
        if not batch.members:
            with suppress(ConditionFailedError):
                self._table.update(entry, *changes, condition=LedgerItem.state != DONE)
            return
        beside, page = [], batch.page
        if batch.has_earlier_form:
            page = self._commits.page(batch.manifest.destination)
            usage = packed(usage_of(batch.manifest.destination, batch.members))
            changes += [LedgerItem.usage.set(usage), LedgerItem.page.set(page)]
            beside = [
                self._table.write_of_update(
                    entry, *changes, condition=LedgerItem.state.is_in(*_STORED_EARLIER.values())
                )
            ]
        try:
            self._commits.append(batch.manifest.destination, batch.batch_id, page, beside)
        except ConditionFailedError:
            if self.batch(batch.batch_id).state != DONE:
                raise StoreUnavailableError("another process has changed the batch") from None

    def replace(self, batch: Batch, members: Sequence[StagedObject]) -> Batch:
        """Replace the `sealed` batch `batch` by a new batch of `members`, and return the new batch.

        Only for a batch none of whose rows is or will be in ClickHouse. Members that the batch does not have
        are claimed for the new one. One transaction writes all of it but the manifest, or nothing: a claim of
        the new batch beside an old batch that is not replaced would load both.
        """
        manifest = Manifest(
            batch.manifest.destination, batch.manifest.expires_on, tuple(members), after=batch.batch_id
        )
        page = self._commits.page(manifest.destination)
        successor = Batch(manifest, manifest.batch_id, SEALED, manifest.objects, page=page)
        had = {each.key for each in batch.members}
        new: list[NewItem] = [
            self._put_manifest(successor),
            *self._claims(successor.batch_id, [each for each in members if each.key not in had]),
        ]
        open_states = _STORED_EARLIER if batch.has_earlier_form else _STORED
        writes = [
            self._table.write_of_update(
                batch_entry(batch.batch_id),
                LedgerItem.state.set(REPLACED),
                LedgerItem.successor.set(successor.batch_id),
                LedgerItem.usage.remove(),
                condition=LedgerItem.state.is_in(*open_states.values()),
            ),
            *(self._table.write_of_put(each, _ABSENT) for each in new),
        ]
        try:
            write_once(self._client, writes)
        except ConditionFailedError:
            raise StoreUnavailableError("another process has replaced the batch") from None
        return successor

    def _put_manifest(self, batch: Batch, seconds: float = 0) -> LedgerItem:
        """The item of a new batch, leased for `seconds`; a large manifest is first written to its own item.

        It is written again with each attempt, so that it expires no earlier than the batch.
        """
        item = LedgerItem(
            batch_entry(batch.batch_id),
            destination=batch.manifest.destination,
            expires_on=batch.manifest.expires_on.isoformat(),
            state=_STORED[batch.state],
            after=batch.manifest.after,
            attempts=batch.attempts,
            page=batch.page,
            usage=packed(usage_of(batch.manifest.destination, batch.members)),
            forget_at=self._forget_at(),
        )
        if batch.lease:
            item.lease_owner, item.lease_until = batch.lease.owner, self._clock() + seconds
        manifest = pack(batch.manifest.objects)
        if len(manifest) <= INLINE_BYTES:
            item.manifest = manifest
        else:
            entry = manifest_entry(batch.batch_id)
            self._table.put(LedgerItem(entry, manifest=manifest, forget_at=item.forget_at))
        return item

    def _claim_new(self, batch: Batch) -> Batch:
        """`batch` with its claims; if they cannot be written, its lease is released."""
        try:
            return self._claim(batch, {})
        except StoreUnavailableError:
            if batch.lease:
                with suppress(StoreUnavailableError):
                    self.release(batch.lease)
            raise

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

    def _forget_at(self) -> int:
        return int(self._clock()) + FORGET_AFTER_DAYS * _SECONDS_A_DAY


def _stored(batch: Batch, state: str) -> str:
    """The state of an open batch as the table has it."""
    return (_STORED_EARLIER if batch.has_earlier_form else _STORED)[state]


def _has_all(batch: Batch, members: Sequence[StagedObject]) -> bool:
    """Whether every candidate is among `members`."""
    return len(members) == len(batch.manifest.objects)


def _excluded(batch: Batch, kept: Sequence[StagedObject]) -> str:
    """The positions of the candidates that are not kept."""
    keys = {each.key for each in kept}
    return json.dumps([at for at, each in enumerate(batch.manifest.objects) if each.key not in keys])


def _batch(batch_id: str, item: LedgerItem, manifest_item: LedgerItem | None) -> Batch:
    if manifest_item is None:
        raise UnknownBatchError(f"no manifest of batch {batch_id}")
    objects = unpack(manifest_item.manifest) if manifest_item.manifest else ()
    excluded = frozenset(json.loads(item.excluded or "[]"))
    return Batch(
        Manifest(item.destination, date.fromisoformat(item.expires_on), objects, item.after or ""),
        batch_id,
        _LOGICAL.get(item.state, item.state),
        tuple(each for position, each in enumerate(objects) if position not in excluded),
        item.successor or "",
        attempts=item.attempts or 0,
        page=item.page or 0,
        has_earlier_form=item.page is None,
    )
