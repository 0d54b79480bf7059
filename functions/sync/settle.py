"""From objects that S3 told of to settled ones: which batches they belong to, and each brought to its end."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from functions.shared import journal
from functions.shared.errors import AstralogError, PermanentError, RetryableError
from functions.shared.staging import StagedKey
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import WarehouseDownError
from functions.sync.drive import Driver, Time
from functions.sync.ledger import Batch, Ledger
from functions.sync.notifications import StagedObject
from functions.sync.plan import MANAGED, function_of, plan


@dataclass(slots=True)
class _Work:
    """The objects we were told of that belong to one batch, and the batch if it was written down just now."""

    ours: list[StagedObject] = field(default_factory=list)
    planned: Batch | None = None


class Settler:
    """Settles objects: an object is settled once its batch is done and the object is deleted.

    Parameters
    ----------
    destination: where all of them go.
    heard: is told of each failure, and says whether another batch is worth trying now.
    buried: whether a tenant was erased; what no batch has claimed of its objects is deleted, not loaded.
    """

    def __init__(
        self,
        ledger: Ledger,
        driver: Driver,
        destination: str = MANAGED,
        heard: Callable[[AstralogError], bool] = lambda fault: not isinstance(fault, WarehouseDownError),
        buried: Callable[[TenantId], bool] = lambda _tenant: False,
    ) -> None:
        self._ledger = ledger
        self._driver = driver
        self._destination = destination
        self._heard = heard
        self._buried = buried

    def settle(self, objects: Iterable[StagedObject], time_given: Time) -> set[str]:
        """Do what can be done for `objects` now; return the keys that are settled.

        What fails is written to the journal and left: the queue brings it back.
        """
        by_key = {each.key: each for each in objects}
        claimed = self._ledger.claims(by_key)
        settled = self._dropped([each for key, each in by_key.items() if key not in claimed])
        for batch_id, work in self._batches(by_key, claimed, settled).items():
            if time_given.runs_low:
                break
            try:
                if self._driver.drive(batch_id, work.ours, time_given, work.planned):
                    settled |= {each.key for each in work.ours}
            except (RetryableError, PermanentError) as fault:
                _tell_failure(batch_id, fault, self._destination)
                if not self._heard(fault):
                    break  # it would fail for the others too
        return settled

    def _dropped(self, unclaimed: list[StagedObject]) -> set[str]:
        """Delete what came of erased tenants afterwards; their keys.

        What a batch has claimed goes on with it: other tenants' rows are in it too, and the erasure, which
        waits for what is staged, removes these rows with the others.
        """
        late = [each for each in unclaimed if self._buried(StagedKey.parse(each.key).tenant)]
        if late:
            self._driver.discard(late)
            journal.write("erased_tenant_dropped", objects=len(late))
        return {each.key for each in late}

    def _batches(
        self, by_key: dict[str, StagedObject], claimed: dict[str, str], dropped: set[str]
    ) -> dict[str, _Work]:
        """The objects by the batch each belongs to, newly planned batches included; none of `dropped`."""
        batches: dict[str, _Work] = defaultdict(_Work)
        for key, batch_id in claimed.items():
            batches[batch_id].ours.append(by_key[key])
        new = [each for key, each in by_key.items() if key not in claimed and key not in dropped]
        for manifest in plan(new, self._destination):
            batch = self._ledger.write_down(manifest)
            if batch:
                work = batches[batch.batch_id]
                work.ours.extend(batch.members)
                work.planned = batch
        return batches


def _tell_failure(batch_id: str, fault: Exception, destination: str) -> None:
    journal.measure(
        function_of(destination),
        {"FailedBatches": (1, "Count")},
        batch_id=batch_id,
        error_type=type(fault).__name__,
        engine_code=getattr(fault, "engine_code", 0),
    )
