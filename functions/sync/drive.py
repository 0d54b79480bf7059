"""The protocol: one batch, from the ledger to its end.

Order is everything: leased, probed if it was sealed before, fetched, sealed, inserted, probed again if it was
sealed before, marked done, deleted.
A crash between any two leaves what the next delivery needs to go on (docs/architecture.md).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from functions.shared import journal
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.warehouse import OutcomeUnknownError, WarehouseRefusedError
from functions.sync.ledger import DONE, REPLACED, SEALED, Batch, Lease, Ledger
from functions.sync.load import Loader, Staged
from functions.sync.notifications import StagedObject
from functions.sync.plan import function_of
from functions.sync.set_aside import REFUSED_ROWS, SetAside

MAX_SUCCESSORS = 10


class UnsettledError(RetryableError):
    """The batch changed under our hands; the next delivery finds it as it is now."""


@dataclass(frozen=True, slots=True)
class Time:
    """What an invocation has: `left` tells the seconds until it is stopped; a batch needs `a_batch`."""

    left: Callable[[], float]
    a_batch: float

    @property
    def runs_low(self) -> bool:
        return self.left() < self.a_batch

    def end_if_over(self) -> None:
        """Stop a thread that was abandoned by its invocation, and would insert under nobody's lease.

        Raises
        ------
        UnsettledError
        """
        if self.left() <= 0:
            raise UnsettledError("the invocation is over")

    @property
    def lease_seconds(self) -> float:
        """Longer than anything this invocation starts can last, its insert's own timeout included."""
        return self.left() + self.a_batch


class Driver:
    """Brings batches to their end, one at a time."""

    def __init__(self, ledger: Ledger, staged: Staged, loader: Loader) -> None:
        self._ledger = ledger
        self._staged = staged
        self._loader = loader
        self._set_aside = SetAside(staged, loader)

    def drive(
        self, batch_id: str, ours: list[StagedObject], time_given: Time, planned: Batch | None = None
    ) -> bool:
        """Bring the batch, or what stands for it now, to its end; False if it has to wait.

        On True the rows of `ours` are in the warehouse, or set aside, and the objects are deleted.
        `planned`: the batch as this process has just written it down, if it has.
        """
        lease = self._ledger.lease(batch_id, str(uuid4()), time_given.lease_seconds)
        if lease is None:
            return self._drive_unleased(batch_id, ours, time_given)
        batch = self._load_leased(lease, planned, time_given)
        if batch.state == REPLACED:
            return not time_given.runs_low and self.drive(batch_id, ours, time_given)
        self._staged.delete(list(dict.fromkeys([*batch.members, *ours])))
        return True

    def discard(self, objects: list[StagedObject]) -> None:
        """Delete staged objects that belong to no batch and are not to be loaded."""
        self._staged.delete(objects)

    def _drive_unleased(self, batch_id: str, ours: list[StagedObject], time_given: Time) -> bool:
        """What there is to do for a batch that cannot be leased: it is at its end, or another has it."""
        batch = self._last(self._ledger.batch(batch_id))
        if batch.state == DONE:
            self._staged.delete(ours)
            return True
        return batch.batch_id != batch_id and self.drive(batch.batch_id, ours, time_given)

    def _last(self, batch: Batch) -> Batch:
        """The batch that stands for `batch` now."""
        for _ in range(MAX_SUCCESSORS):
            if batch.state != REPLACED:
                return batch
            batch = self._ledger.batch(batch.successor)
        raise UnsettledError("too many batches stand for one another")

    def _load_leased(self, lease: Lease, planned: Batch | None, time_given: Time) -> Batch:
        """Load, and give the lease back on failure, unless an insert of ours may still be under way."""
        try:
            return self._load(self._as_it_is(lease, planned), lease, time_given)
        except OutcomeUnknownError:
            raise
        except (RetryableError, PermanentError):
            self._ledger.release(lease)
            raise

    def _as_it_is(self, lease: Lease, planned: Batch | None) -> Batch:
        """The leased batch: read under the lease, so that no attempt of another goes unnoticed.

        The first to lease a batch need not read what it has just written.
        """
        if planned and lease.attempt == 1:
            return planned
        return self._ledger.complete(self._ledger.batch(lease.batch_id))

    def _load(self, batch: Batch, lease: Lease, time_given: Time) -> Batch:
        """The batch as it is afterwards: done, or replaced because it could not be loaded as it was."""
        began = time.monotonic()
        if batch.state == SEALED:
            found = self._loader.count(batch)
            if found == batch.rows:
                return self._done(batch)
            if found:
                return self._repaired(batch, found)
        fetched = self._staged.fetch(batch.members)
        if batch.state == SEALED and fetched.gone:
            return self._without(batch, fetched.gone)
        sealed = self._ledger.seal(batch, fetched.gone)
        if len(sealed.members) != len(batch.members) - len(fetched.gone):
            raise UnsettledError("another sealed the batch")
        try:
            if sealed.members:
                time_given.end_if_over()
                self._loader.insert(sealed, fetched.frames)
        except WarehouseRefusedError as refusal:
            return self._sifted(sealed, refusal, time_given)
        if batch.state == SEALED and self._loader.swallowed(sealed):
            return self._repaired(sealed, 0)
        _measure(sealed, lease, len(fetched.frames), time.monotonic() - began)
        return self._done(sealed)

    def _done(self, batch: Batch) -> Batch:
        self._ledger.done(batch)
        return Batch(batch.manifest, batch.batch_id, DONE, batch.members)

    def _replaced(self, batch: Batch, members: list[StagedObject]) -> Batch:
        successor = self._ledger.replace(batch, members)
        return Batch(batch.manifest, batch.batch_id, REPLACED, batch.members, successor.batch_id)

    def _sifted(self, batch: Batch, refusal: WarehouseRefusedError, time_given: Time) -> Batch:
        """Set aside the rows that the warehouse refuses; if it is not rows that it refuses, so be it."""
        if refusal.engine_code not in REFUSED_ROWS:
            raise refusal
        members = self._set_aside.sifted(batch, refusal.engine_code, time_given.end_if_over)
        if members == list(batch.members):
            raise refusal
        return self._replaced(batch, members)

    def _repaired(self, batch: Batch, found: int) -> Batch:
        """Some rows are there, or none though they were taken: erase them, load all under another name."""
        journal.measure(
            _function(batch),
            {"BrokenBatches": (1, "Count")},
            batch_id=batch.batch_id,
            rows_found=found,
            rows_expected=batch.rows,
        )
        if found:
            self._loader.erase(batch)
        return self._replaced(batch, list(batch.members))

    def _without(self, batch: Batch, gone: frozenset[str]) -> Batch:
        """Staged objects vanished between two attempts, as an erasure makes them: load what is left."""
        journal.measure(_function(batch), {"VanishedObjects": (len(gone), "Count")}, batch_id=batch.batch_id)
        return self._replaced(batch, [each for each in batch.members if each.key not in gone])


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
