"""The load protocol: one batch, from the ledger to its end state.

The order of the steps is essential: lease, probe if the batch is `sealed`, fetch, seal, insert, probe
again if it was `sealed` before, commit, delete.
A crash between two steps leaves what the next delivery needs to continue (docs/architecture.md).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from secrets import token_hex

from functions.shared import journal
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.warehouse import OutcomeUnknownError, WarehouseRefusedError
from functions.sync.ledger import DONE, REPLACED, SEALED, Batch, Lease, Ledger
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.notifications import StagedObject
from functions.sync.plan import Manifest, function_of
from functions.sync.row_quarantine import REFUSED_ROWS, RowQuarantine

MAX_SUCCESSORS = 10

OWNER_BYTES = 8
"""The length of the random name of a lease's owner."""


class UnsettledError(RetryableError):
    """The batch changed during the work on it; the next delivery reads its current state."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Time of an invocation: `left` returns the seconds until it is stopped; a batch needs `a_batch`."""

    left: Callable[[], float]
    a_batch: float

    @property
    def runs_low(self) -> bool:
        return self.left() < self.a_batch

    def raise_if_over(self) -> None:
        """Stop a thread that its invocation abandoned, before it inserts without a lease.

        Raises
        ------
        UnsettledError
        """
        if self.left() <= 0:
            raise UnsettledError("the invocation is over")

    @property
    def lease_seconds(self) -> float:
        """Longer than any work that this invocation starts, including the timeout of its insert."""
        return self.left() + self.a_batch


class BatchProcessor:
    """Brings batches to their end state, one at a time."""

    def __init__(self, ledger: Ledger, staged: StagingBucket, loader: EventsTable) -> None:
        self._ledger = ledger
        self._staged = staged
        self._loader = loader
        self._row_quarantine = RowQuarantine(staged, loader)

    def drive(self, batch_id: str, ours: list[StagedObject], deadline: Deadline) -> bool:
        """Bring the batch, or the batch that replaced it, to its end state; False if it has to wait.

        On True the rows of `ours` are in ClickHouse or quarantined, and the objects are deleted.
        """
        lease = self._ledger.lease(batch_id, token_hex(OWNER_BYTES), deadline.lease_seconds)
        if lease is None:
            return self._drive_unleased(batch_id, ours, deadline)
        return self._drive_leased(lease, None, ours, deadline)

    def drive_new(self, manifest: Manifest, deadline: Deadline) -> list[StagedObject]:
        """Write `manifest` as a batch, and bring it to its end state; returns its objects if that is reached.

        They are settled as `ours` of `drive`. Objects that other batches have claimed are not among them.
        """
        batch = self._ledger.create_batch(manifest, token_hex(OWNER_BYTES), deadline.lease_seconds)
        if batch is None:
            return []
        ours = list(batch.members)
        is_at_end = (
            self._drive_leased(batch.lease, batch, ours, deadline)
            if batch.lease
            else self.drive(batch.batch_id, ours, deadline)
        )
        return ours if is_at_end else []

    def discard(self, objects: list[StagedObject]) -> None:
        """Delete staged objects that no batch has claimed and that must not be loaded."""
        self._staged.delete(objects)

    def _drive_leased(
        self, lease: Lease, new: Batch | None, ours: list[StagedObject], deadline: Deadline
    ) -> bool:
        """`new`: the batch as this process has just written it, if it has."""
        batch = self._load_leased(lease, new, deadline)
        if batch.state == REPLACED:
            return not deadline.runs_low and self.drive(lease.batch_id, ours, deadline)
        self._staged.delete(list(dict.fromkeys([*batch.members, *ours])))
        return True

    def _drive_unleased(self, batch_id: str, ours: list[StagedObject], deadline: Deadline) -> bool:
        """Handle a batch that cannot be leased: it is in its end state, or another process has the lease."""
        batch = self._last(self._ledger.batch(batch_id))
        if batch.state == DONE:
            self._staged.delete(ours)
            return True
        return batch.batch_id != batch_id and self.drive(batch.batch_id, ours, deadline)

    def _last(self, batch: Batch) -> Batch:
        """The batch that has replaced `batch`, or `batch` itself."""
        for _ in range(MAX_SUCCESSORS):
            if batch.state != REPLACED:
                return batch
            batch = self._ledger.batch(batch.successor)
        raise UnsettledError("too many batches stand for one another")

    def _load_leased(self, lease: Lease, new: Batch | None, deadline: Deadline) -> Batch:
        """Load; on failure release the lease, unless our insert may still be running."""
        try:
            return self._load(new or self._ledger.resume(lease), lease, deadline)
        except OutcomeUnknownError:
            raise
        except (RetryableError, PermanentError):
            self._ledger.release(lease)
            raise

    def _load(self, batch: Batch, lease: Lease, deadline: Deadline) -> Batch:
        """Load and return the batch: done, or replaced because it could not be loaded as it was."""
        began = time.monotonic()
        if batch.state == DONE:
            return batch
        if batch.state == SEALED:
            found = self._loader.count(batch)
            if found == batch.rows:
                return self._mark_done(batch)
            if found:
                return self._repair(batch, found)
        fetched = self._staged.fetch(batch.members)
        if batch.state == SEALED and fetched.gone:
            return self._replace_without(batch, fetched.gone)
        sealed = self._ledger.seal(batch, fetched.gone)
        if len(sealed.members) != len(batch.members) - len(fetched.gone):
            raise UnsettledError("another process wrote the batch first")
        try:
            if sealed.members:
                deadline.raise_if_over()
                self._loader.insert(sealed, fetched.frames)
        except WarehouseRefusedError as refusal:
            return self._quarantine_rejected(sealed, refusal, deadline)
        if batch.state == SEALED and self._loader.swallowed(sealed):
            return self._repair(sealed, 0)
        _measure(sealed, lease, len(fetched.frames), time.monotonic() - began)
        return self._mark_done(sealed)

    def _mark_done(self, batch: Batch) -> Batch:
        self._ledger.done(batch)
        return replace(batch, state=DONE)

    def _replace(self, batch: Batch, members: list[StagedObject]) -> Batch:
        successor = self._ledger.replace(batch, members)
        return replace(batch, state=REPLACED, successor=successor.batch_id)

    def _quarantine_rejected(self, batch: Batch, refusal: WarehouseRefusedError, deadline: Deadline) -> Batch:
        """Quarantine the rows that ClickHouse rejects; reraise when the cause is not the rows."""
        if refusal.engine_code not in REFUSED_ROWS:
            raise refusal
        members = self._row_quarantine.quarantine_rejected(batch, refusal.engine_code, deadline.raise_if_over)
        if members == list(batch.members):
            raise refusal
        return self._replace(batch, members)

    def _repair(self, batch: Batch, found: int) -> Batch:
        """Only some rows are stored, or none although accepted: erase them, load all under a new batch id."""
        journal.measure(
            _function(batch),
            {"BrokenBatches": (1, "Count")},
            batch_id=batch.batch_id,
            rows_found=found,
            rows_expected=batch.rows,
        )
        if found:
            self._loader.erase(batch)
        return self._replace(batch, list(batch.members))

    def _replace_without(self, batch: Batch, gone: frozenset[str]) -> Batch:
        """Staged objects vanished between two attempts, for example by an erasure: load the others."""
        journal.measure(_function(batch), {"VanishedObjects": (len(gone), "Count")}, batch_id=batch.batch_id)
        return self._replace(batch, [each for each in batch.members if each.key not in gone])


def _function(batch: Batch) -> str:
    return function_of(batch.manifest.destination)


def _measure(batch: Batch, lease: Lease, size_bytes: int, seconds: float) -> None:
    journal.measure(
        _function(batch),
        {
            "LoadedRows": (batch.rows, "Count"),
            "LoadedObjects": (len(batch.members), "Count"),
            "LoadedBytes": (size_bytes, "Bytes"),
            "LoadMs": (round(seconds * 1000), "Milliseconds"),
        },
        batch_id=batch.batch_id,
        attempt=lease.attempt,
    )
