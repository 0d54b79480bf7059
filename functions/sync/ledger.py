"""The ledger in DynamoDB: the decisions and the state of every staged object; makes delivery exactly-once.

Two kinds of entries:

- `object#<key>` is a claim: the batch that the object belongs to. Written once, never changed.
- `batch#<id>` is a batch: its candidates in order, and its state (see `Batch`). Once it is done, its usage
  replaces its candidates, and it stays in the index `unmetered` until billing has counted it (docs/adr/0012).

A batch of up to 99 objects is written in one transaction with all its claims. A larger batch is written with
its first 99 objects, then the rest, transaction by transaction. If another batch claims one of them in
between, the object belongs to that batch. Claims are write-once: every process that completes a batch,
whether it planned the batch or found it half-written, ends with the same members.
"""

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, TypeVar

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException, TransactWriteError, UpdateError
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from functions.shared.batch_usage import packed, shard_of
from functions.shared.errors import PermanentError, RetryableError
from functions.sync.notifications import StagedObject
from functions.sync.plan import Manifest, rows_of
from functions.sync.usage_shares import usage_of

CLAIMS_A_TRANSACTION = 99
READS_A_CALL = 100
FORGET_AFTER_DAYS = 45
"""Longer than any message can live: 14 days in a queue, 14 more in its dead-letter queue, and a redrive."""

PLANNED, SEALED, DONE, REPLACED = "planned", "sealed", "done", "replaced"

_MAX_CONFLICTS = 8
_SECONDS_A_DAY = 86_400

T = TypeVar("T")


class LedgerUnavailableError(RetryableError):
    """DynamoDB did not answer, or concurrent writes conflicted too many times."""


class UnknownBatchError(PermanentError):
    """A claim names a batch that is not in the ledger."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as stored in the ledger.

    `state`: planned (members may still be claimed, no insert was tried), sealed (`members` is final; an
    insert may have been tried), done (its rows are in ClickHouse), replaced (none of its rows is or will be
    in ClickHouse; the batch `successor` replaces it).
    `members`: the objects of the manifest, except those that other batches claimed and those that were gone
    when the batch was sealed; empty once the batch is done.
    """

    manifest: Manifest
    batch_id: str
    state: str
    members: tuple[StagedObject, ...]
    successor: str = ""

    @property
    def rows(self) -> int:
        return rows_of(self.members)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a batch for a limited time; `attempt` counts from 1."""

    batch_id: str
    owner: str
    attempt: int


class _Entry(Model):
    entry = UnicodeAttribute(hash_key=True)
    forget_at = NumberAttribute()
    batch_id = UnicodeAttribute(null=True)
    destination = UnicodeAttribute(null=True)
    expires_on = UnicodeAttribute(null=True)
    candidates = UnicodeAttribute(null=True)
    excluded = UnicodeAttribute(null=True)
    state = UnicodeAttribute(null=True)
    after = UnicodeAttribute(null=True)
    successor = UnicodeAttribute(null=True)
    attempts = NumberAttribute(null=True)
    lease_owner = UnicodeAttribute(null=True)
    lease_until = NumberAttribute(null=True)
    usage = UnicodeAttribute(null=True)
    unmetered = UnicodeAttribute(null=True)
    done_at = UnicodeAttribute(null=True)


class Ledger:
    """The ledger's entries. Every method raises LedgerUnavailableError when DynamoDB fails.

    Parameters
    ----------
    table: the DynamoDB table; its partition key is `entry`.
    clock: seconds since 1970.
    """

    def __init__(self, table: str, clock: Callable[[], float] = time.time) -> None:
        self._entries: Any = type("_Entry", (_Entry,), {"Meta": type("Meta", (), {"table_name": table})})
        self._connection = Connection()
        self._clock = clock

    def claims(self, keys: Iterable[str]) -> dict[str, str]:
        """The batch id of each of `keys` that a batch has claimed."""
        found = self._read([_object_entry(key) for key in keys])
        return {item.entry.removeprefix("object#"): item.batch_id for item in found}

    def batch(self, batch_id: str) -> Batch:
        """The batch with this id.

        Raises
        ------
        UnknownBatchError: there is none.
        """
        items = self._read([_batch_entry(batch_id)])
        if not items:
            raise UnknownBatchError(f"no batch {batch_id}")
        return _batch(batch_id, items[0])

    def create_batch(self, manifest: Manifest) -> Batch | None:
        """Write `manifest` as a batch, without objects that other batches claimed; None if none is left."""
        for _ in range(_MAX_CONFLICTS):
            if not manifest.objects:
                return None
            if self._transact(manifest, manifest.objects[:CLAIMS_A_TRANSACTION], with_batch=True):
                return self.complete(_fresh(manifest), claimed=CLAIMS_A_TRANSACTION)
            if manifest.batch_id in self.claims(each.key for each in manifest.objects).values():
                return self.complete(self.batch(manifest.batch_id))
            manifest = manifest.without(frozenset(self.claims(each.key for each in manifest.objects)))
        raise LedgerUnavailableError("others keep claiming the same objects")

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
        entries = self._entries
        now = self._clock()
        item = entries(_batch_entry(batch_id))
        free = entries.lease_until.does_not_exist() | (entries.lease_until < now)
        taken = self._conditional(
            lambda: item.update(
                actions=[
                    entries.lease_owner.set(owner),
                    entries.lease_until.set(now + seconds),
                    entries.attempts.set((entries.attempts | 0) + 1),
                ],
                condition=entries.state.is_in(PLANNED, SEALED) & free,
            )
        )
        return Lease(batch_id, owner, int(item.attempts)) if taken else None

    def release(self, lease: Lease) -> None:
        """Release the lease early; only when none of our inserts can still be running."""
        entries = self._entries
        self._conditional(
            lambda: entries(_batch_entry(lease.batch_id)).update(
                actions=[entries.lease_until.set(0)], condition=entries.lease_owner == lease.owner
            )
        )

    def seal(self, batch: Batch, gone: frozenset[str]) -> Batch:
        """Make the members final, without `gone`, before the first insert; a sealed batch is not changed."""
        if batch.state != PLANNED:
            return batch
        entries = self._entries
        kept = tuple(each for each in batch.members if each.key not in gone)
        excluded = sorted({each.key for each in batch.manifest.objects} - {each.key for each in kept})
        sealed = self._conditional(
            lambda: entries(_batch_entry(batch.batch_id)).update(
                actions=[entries.state.set(SEALED), entries.excluded.set(json.dumps(excluded))],
                condition=entries.state == PLANNED,
            )
        )
        return replace(batch, state=SEALED, members=kept) if sealed else self.batch(batch.batch_id)

    def done(self, batch: Batch) -> None:
        """Record that the batch's rows are in ClickHouse and are to be metered. Only the first call counts.

        Its candidates are removed: they are no longer needed, and each later write would pay for them.
        """
        entries = self._entries
        usage = usage_of(batch.manifest.destination, batch.members)
        waits = [entries.unmetered.set(shard_of(batch.batch_id))] if usage else []
        self._conditional(
            lambda: entries(_batch_entry(batch.batch_id)).update(
                actions=[
                    entries.state.set(DONE),
                    entries.forget_at.set(self._forget_at()),
                    entries.done_at.set(self._moment()),
                    entries.usage.set(packed(usage)),
                    *waits,
                    entries.candidates.remove(),
                    entries.excluded.remove(),
                ],
                condition=entries.state != DONE,
            )
        )

    def _read(self, entries: Sequence[str]) -> list[Any]:
        """Those of `entries` that exist, in no order, strongly consistent."""

        def read(some: Sequence[str]) -> list[Any]:
            return list(self._entries.batch_get(list(some), consistent_read=True))

        return [item for some in _parts(entries, READS_A_CALL) for item in self._guarded(partial(read, some))]

    def replace(self, batch: Batch, members: Sequence[StagedObject]) -> Batch:
        """Replace the sealed `batch` by a new batch of `members`, and return the new batch.

        Only for a batch none of whose rows is or will be in ClickHouse. Members that the batch does not have
        are claimed for the new one. One transaction writes all of it, or nothing.
        """
        manifest = Manifest(
            batch.manifest.destination, batch.manifest.expires_on, tuple(members), after=batch.batch_id
        )
        entries, had = self._entries, {each.key for each in batch.members}
        absent = entries.entry.does_not_exist()
        successor = _item(entries, manifest, self._forget_at(), SEALED)
        try:
            with TransactWrite(connection=self._connection) as transaction:
                transaction.update(
                    entries(_batch_entry(batch.batch_id)),
                    actions=[entries.state.set(REPLACED), entries.successor.set(manifest.batch_id)],
                    condition=entries.state == SEALED,
                )
                transaction.save(successor, condition=absent)
                for each in (each for each in members if each.key not in had):
                    claim = entries(
                        _object_entry(each.key), batch_id=manifest.batch_id, forget_at=self._forget_at()
                    )
                    transaction.save(claim, condition=absent)
        except PynamoDBException as fault:
            raise _unavailable(fault) from None
        return Batch(manifest, manifest.batch_id, SEALED, manifest.objects)

    def _claimed(
        self, batch: Batch, objects: Sequence[StagedObject], claims: Mapping[str, str]
    ) -> list[StagedObject]:
        """Claim those of `objects` that are not in `claims`; return those that then belong to `batch`."""
        for _ in range(_MAX_CONFLICTS):
            unclaimed = [each for each in objects if each.key not in claims]
            if not unclaimed or self._transact(batch.manifest, unclaimed, with_batch=False):
                return [each for each in objects if claims.get(each.key, batch.batch_id) == batch.batch_id]
            claims = self.claims(each.key for each in objects)
        raise LedgerUnavailableError("others keep claiming the same objects")

    def _transact(self, manifest: Manifest, claims: Sequence[StagedObject], *, with_batch: bool) -> bool:
        """Write claims, and the batch itself, all or none; False when one exists or a write conflicts."""
        entries, forget_at, batch_id = self._entries, self._forget_at(), manifest.batch_id
        try:
            with TransactWrite(connection=self._connection) as transaction:
                if with_batch:
                    transaction.save(
                        _item(entries, manifest, forget_at, PLANNED), condition=entries.entry.does_not_exist()
                    )
                for each in claims:
                    claim = entries(_object_entry(each.key), batch_id=batch_id, forget_at=forget_at)
                    transaction.save(claim, condition=entries.entry.does_not_exist())
        except TransactWriteError as fault:
            codes = {reason.code for reason in fault.cancellation_reasons if reason}
            if codes and codes <= {"ConditionalCheckFailed", "TransactionConflict"}:
                time.sleep(random.uniform(0, 0.05) if "TransactionConflict" in codes else 0)  # noqa: S311
                return False
            raise _unavailable(fault) from None
        except PynamoDBException as fault:
            raise _unavailable(fault) from None
        return True

    def _moment(self) -> str:
        """Now, as text that sorts by time."""
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")

    def _forget_at(self) -> int:
        return int(self._clock()) + FORGET_AFTER_DAYS * _SECONDS_A_DAY

    def _conditional(self, call: Callable[[], object]) -> bool:
        """Run an update; False when its condition did not hold."""
        try:
            call()
        except UpdateError as fault:
            if fault.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise _unavailable(fault) from None
        except PynamoDBException as fault:
            raise _unavailable(fault) from None
        return True

    @staticmethod
    def _guarded(call: Callable[[], T]) -> T:
        try:
            return call()
        except PynamoDBException as fault:
            raise _unavailable(fault) from None


def _unavailable(fault: PynamoDBException) -> LedgerUnavailableError:
    return LedgerUnavailableError(f"DynamoDB: {fault.cause_response_code or type(fault).__name__}")


def _object_entry(key: str) -> str:
    return f"object#{key}"


def _batch_entry(batch_id: str) -> str:
    return f"batch#{batch_id}"


def _fresh(manifest: Manifest) -> Batch:
    return Batch(manifest, manifest.batch_id, PLANNED, manifest.objects)


def _item(entries: Any, manifest: Manifest, forget_at: int, state: str) -> Any:
    return entries(
        _batch_entry(manifest.batch_id),
        destination=manifest.destination,
        expires_on=manifest.expires_on.isoformat(),
        candidates=json.dumps([[each.key, each.etag, each.size_bytes] for each in manifest.objects]),
        state=state,
        after=manifest.after,
        attempts=0,
        forget_at=forget_at,
    )


def _batch(batch_id: str, item: Any) -> Batch:
    objects = tuple(StagedObject(*each) for each in json.loads(item.candidates or "[]"))
    excluded = frozenset(json.loads(item.excluded or "[]"))
    manifest = Manifest(item.destination, date.fromisoformat(item.expires_on), objects, item.after or "")
    return Batch(manifest, batch_id, item.state, manifest.without(excluded).objects, item.successor or "")


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
