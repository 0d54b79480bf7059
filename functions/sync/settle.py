"""The protocol: from objects that S3 told of to rows that are in the warehouse once.

Order is everything: written down, leased, fetched, sealed, probed if tried before, inserted, marked done,
deleted. A crash between any two leaves what the next delivery needs to go on (docs/architecture.md).
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import uuid4

from functions.shared import journal
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.warehouse import OutcomeUnknownError
from functions.sync.ledger import DONE, SEALED, Batch, Lease, Ledger
from functions.sync.load import Loader, Staged
from functions.sync.notifications import StagedObject
from functions.sync.plan import plan


class BatchBrokenError(PermanentError):
    """The warehouse holds some of a batch's rows, but not all: a promise is broken; people must look."""


class BatchUnloadableError(PermanentError):
    """A sealed batch lacks a staged object, and its rows are not in the warehouse."""


@dataclass(frozen=True, slots=True)
class Time:
    """What an invocation has: `left` tells the seconds until it is stopped; a batch needs `a_batch`."""

    left: Callable[[], float]
    a_batch: float

    @property
    def runs_low(self) -> bool:
        return self.left() < self.a_batch

    @property
    def lease_seconds(self) -> float:
        """Longer than anything this invocation starts can last, its insert's own timeout included."""
        return self.left() + self.a_batch


class Settler:
    """Settles objects: an object is settled once its batch is done and the object is deleted."""

    def __init__(self, ledger: Ledger, staged: Staged, loader: Loader) -> None:
        self._ledger = ledger
        self._staged = staged
        self._loader = loader

    def settle(self, objects: Iterable[StagedObject], time_given: Time) -> set[str]:
        """Do what can be done for `objects` now; return the keys that are settled.

        What fails is written to the journal and left: the queue brings it back.
        """
        settled: set[str] = set()
        for batch_id, ours in self._batches({each.key: each for each in objects}).items():
            if time_given.runs_low:
                break
            try:
                if self._drive(batch_id, ours, time_given):
                    settled |= {each.key for each in ours}
            except (RetryableError, PermanentError) as fault:
                _tell_failure(batch_id, fault)
        return settled

    def _batches(self, by_key: dict[str, StagedObject]) -> dict[str, list[StagedObject]]:
        """The objects by the batch each belongs to, newly planned batches included."""
        batches: dict[str, list[StagedObject]] = defaultdict(list)
        claimed = self._ledger.claims(by_key)
        for key, batch_id in claimed.items():
            batches[batch_id].append(by_key[key])
        for manifest in plan(each for key, each in by_key.items() if key not in claimed):
            batch = self._ledger.write_down(manifest)
            if batch:
                batches[batch.batch_id].extend(batch.members)
        return batches

    def _drive(self, batch_id: str, ours: list[StagedObject], time_given: Time) -> bool:
        """Bring one batch to its end; False while another has it."""
        batch = self._ledger.batch(batch_id)
        if batch.state == DONE:
            self._staged.delete(ours)
            return True
        lease = self._ledger.lease(batch_id, str(uuid4()), time_given.lease_seconds)
        if lease is None:
            return False
        loaded = self._load_leased(batch, lease)
        self._staged.delete(loaded.members)
        return True

    def _load_leased(self, batch: Batch, lease: Lease) -> Batch:
        """Load, and give the lease back on failure, unless an insert of ours may still be under way."""
        try:
            return self._load(self._ledger.complete(batch), lease)
        except OutcomeUnknownError:
            raise
        except (RetryableError, PermanentError):
            self._ledger.release(lease)
            raise

    def _load(self, batch: Batch, lease: Lease) -> Batch:
        began = time.monotonic()
        if batch.state == SEALED and self._is_loaded(batch):
            self._ledger.done(batch)
            return batch
        fetched = self._staged.fetch(batch.members)
        sealed = self._ledger.seal(batch, fetched.gone)
        if len(sealed.members) != len(batch.members) - len(fetched.gone):
            raise BatchUnloadableError(
                "a sealed batch lacks staged objects, and its rows are not in the warehouse"
            )
        if sealed.members:
            self._loader.insert(sealed, fetched.frames)
        self._ledger.done(sealed)
        _measure(sealed, lease, len(fetched.frames), time.monotonic() - began)
        return sealed

    def _is_loaded(self, batch: Batch) -> bool:
        """Whether an earlier attempt's insert took place: the warehouse has all of the rows, or none."""
        found = self._loader.count(batch)
        if found not in (0, batch.rows):
            journal.measure(
                "sync",
                {"BrokenBatches": (1, "Count")},
                batch_id=batch.batch_id,
                rows_found=found,
                rows_expected=batch.rows,
            )
            raise BatchBrokenError("the warehouse holds some of a batch's rows, but not all")
        return found == batch.rows


def _tell_failure(batch_id: str, fault: Exception) -> None:
    journal.measure(
        "sync",
        {"FailedBatches": (1, "Count")},
        batch_id=batch_id,
        error_type=type(fault).__name__,
        engine_code=getattr(fault, "engine_code", 0),
    )


def _measure(batch: Batch, lease: Lease, size_bytes: int, seconds: float) -> None:
    journal.measure(
        "sync",
        {
            "LoadedRows": (batch.rows, "Count"),
            "LoadedObjects": (len(batch.members), "Count"),
            "LoadedBytes": (size_bytes, "Bytes"),
            "LoadMs": (round(seconds * 1000), "Milliseconds"),
        },
        batch_id=batch.batch_id,
        attempt=lease.attempt,
    )
