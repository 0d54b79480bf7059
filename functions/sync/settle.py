"""Settle notified objects: find the batch of each, and bring each batch to its end state."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from functions.shared import journal
from functions.shared.errors import AstralogError, PermanentError, RetryableError
from functions.shared.events.staged_key import StagedKey
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import WarehouseDownError
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.ledger import Ledger
from functions.sync.notifications import StagedObject
from functions.sync.plan import MANAGED, Manifest, function_of, plan


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A batch in the ledger, and the notified objects that it has claimed."""

    batch_id: str
    ours: list[StagedObject]


class Settler:
    """Settles objects: an object is settled once its batch is done and the object is deleted.

    Parameters
    ----------
    destination: the destination of all objects.
    on_failure: receives each failure, and returns whether to try another batch now.
    is_deleted: whether a tenant was erased; its unclaimed objects are deleted, not loaded.
    today: the current day in UTC.
    """

    def __init__(
        self,
        ledger: Ledger,
        driver: BatchProcessor,
        destination: str = MANAGED,
        on_failure: Callable[[AstralogError], bool] = lambda fault: not isinstance(fault, WarehouseDownError),
        is_deleted: Callable[[TenantId], bool] = lambda _tenant: False,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._ledger = ledger
        self._driver = driver
        self._destination = destination
        self._on_failure = on_failure
        self._is_deleted = is_deleted
        self._today = today

    def settle(self, objects: Iterable[StagedObject], deadline: Deadline) -> set[str]:
        """Settle as many of `objects` as possible now; return the keys that are settled.

        Failures are written to the journal; the queue redelivers their messages.
        """
        by_key = {each.key: each for each in objects}
        claimed = self._ledger.claims(by_key)
        unwanted = [each for key, each in by_key.items() if key not in claimed and self._is_unwanted(each)]
        settled = self._delete_unwanted([by_key.pop(each.key) for each in unwanted])
        for batch in self._batches(by_key, claimed):
            if deadline.runs_low:
                break
            try:
                settled |= {each.key for each in self._drive(batch, deadline)}
            except (RetryableError, PermanentError) as fault:
                _log_failure(batch.batch_id, fault, self._destination)
                if not self._on_failure(fault):
                    break  # the other batches would fail too
        return settled

    def _drive(self, batch: _Claimed | Manifest, deadline: Deadline) -> list[StagedObject]:
        """Bring the batch to its end state if that is possible now; returns the objects that are settled.

        A new batch is written only now, with its lease: one that the invocation has no time for has no lease.
        """
        if isinstance(batch, Manifest):
            return self._driver.drive_new(batch, deadline)
        return batch.ours if self._driver.drive(batch.batch_id, batch.ours, deadline) else []

    def _is_unwanted(self, each: StagedObject) -> bool:
        """Whether an unclaimed object is to be deleted, not loaded.

        That applies to objects of an erased tenant, and to managed objects that expired before a batch
        claimed them: loading them would restore expired rows. In BYOC the customer decides what expires. A
        claimed object is loaded with its batch, which also has rows of other tenants: the erasure waits for
        staged objects and then deletes their rows with the others.
        """
        key = StagedKey.parse(each.key)
        return self._is_deleted(key.tenant) or (
            self._destination == MANAGED and key.expired_by(self._today())
        )

    def _delete_unwanted(self, unwanted: list[StagedObject]) -> set[str]:
        """Delete `unwanted`; return the keys of the deleted objects."""
        if not unwanted:
            return set()
        try:
            self._driver.discard(unwanted)
        except RetryableError as fault:
            _log_failure("", fault, self._destination)
            return set()
        expired = [each for each in unwanted if not self._is_deleted(StagedKey.parse(each.key).tenant)]
        if expired:
            journal.measure(function_of(self._destination), {"ExpiredObjects": (len(expired), "Count")})
        if len(unwanted) > len(expired):
            journal.write("erased_tenant_dropped", objects=len(unwanted) - len(expired))
        return {each.key for each in unwanted}

    def _batches(self, by_key: dict[str, StagedObject], claimed: dict[str, str]) -> list[_Claimed | Manifest]:
        """The objects by batch: those of existing batches, and manifests of new ones."""
        existing: dict[str, list[StagedObject]] = defaultdict(list)
        for key, batch_id in claimed.items():
            existing[batch_id].append(by_key[key])
        new = [each for key, each in by_key.items() if key not in claimed]
        return [*(_Claimed(*each) for each in existing.items()), *plan(new, self._destination)]


def _log_failure(batch_id: str, fault: Exception, destination: str) -> None:
    journal.measure(
        function_of(destination),
        {"FailedBatches": (1, "Count")},
        batch_id=batch_id,
        error_type=type(fault).__name__,
        engine_code=getattr(fault, "engine_code", 0),
    )
