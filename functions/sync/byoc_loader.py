"""Load one BYOC tenant's staged objects into its ClickHouse, and record failures of its destination.

The protocol is that of all batches (functions.sync.batch_processor). Around it: a slot and the circuit
(functions.shared.byoc.health), credentials that may have changed, a table that may not exist yet.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from functions.shared import journal
from functions.shared.byoc.destination_store import Destination
from functions.shared.byoc.health import HealthStore, Slot, SlotWait
from functions.shared.errors import AstralogError, PermanentError, RetryableError
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId, own_destination
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.faults import GARBLED, NO_ANSWER, NO_DESTINATION, NO_TABLE, Fault, classify_error
from functions.sync.ledger import Ledger
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.notifications import StagedObject
from functions.sync.plan import MAX_BYTES
from functions.sync.settle import Settler

FUNCTION = "sync-byoc"

MAX_BATCH_BYTES = 2 * MAX_BYTES
"""A plan has half of it, or one larger object: ingest accepts 4 MB, the customer may put any size there."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to a tenant's objects; objects whose keys are not in `settled` are still to be loaded.

    `wait_seconds`: until the destination may be tried again; None when each message has its own backoff.
    `left_to_sweeper`: no message needs redelivery, the sweeper finds what is left.
    `no_free_slot`: all slots are in use.
    """

    settled: frozenset[str] = frozenset()
    wait_seconds: float | None = None
    left_to_sweeper: bool = False
    no_free_slot: bool = False


class DestinationClients(Protocol):
    """See functions.shared.byoc.clients.ByocClients."""

    def destination(self, tenant: TenantId) -> Destination: ...
    def bucket(self, tenant: TenantId) -> Any: ...
    def warehouse(self, tenant: TenantId, timeout_seconds: int) -> Any: ...
    def evict(self, tenant: TenantId) -> None: ...


class PrepareTables(Protocol):
    """See functions.sync.byoc_schema.prepare_tables."""

    def __call__(self, destination: Destination, *, dropped: bool) -> bool: ...


@dataclass(frozen=True, slots=True)
class PreparedTables:
    """The tables of a destination, and whether they have the columns of the identity."""

    destination: Destination
    has_identity: bool


class ByocLoader:
    """Loads into BYOC destinations, each in a thread of its own.

    Parameters
    ----------
    prepare: brings the tables of a destination up to date, and returns whether they have the columns of the
        identity; called before its first batch in this process, after the destination has changed, and when
        ClickHouse does not know the table or a column.
    """

    def __init__(
        self,
        ledger: Ledger,
        health: HealthStore,
        byoc_clients: DestinationClients,
        prepare: PrepareTables,
        insert_timeout_seconds: int,
    ) -> None:
        self._ledger = ledger
        self._health = health
        self._byoc_clients = byoc_clients
        self._prepare = prepare
        self._insert_timeout_seconds = insert_timeout_seconds
        self._prepared: dict[TenantId, PreparedTables] = {}
        self._dropped: set[TenantId] = set()
        self._slots: dict[TenantId, Slot] = {}
        self._reached: set[str] = set()

    def work(self, tenant: TenantId, objects: Iterable[StagedObject], deadline: Deadline) -> Outcome:
        """Settle as many of `objects` as possible now. Raises no error that an outage explains."""
        owner = str(uuid4())
        try:
            slot = self._health.take(own_destination(tenant), owner, deadline.lease_seconds)
            if isinstance(slot, SlotWait):
                return self._waiting(slot)
            self._slots[tenant] = slot
            return self._work(tenant, slot, objects, deadline)
        except (RetryableError, PermanentError) as fault:
            # The health table itself failed: no circuit can be judged now.
            _count_failure(tenant, type(fault).__name__)
            return Outcome()
        finally:
            self._drop_slot(tenant, owner)

    def abandon(self, tenant: TenantId) -> None:
        """The thread for `tenant` has not finished in time, and may still be running.

        Its slot and its batch's lease expire; no other thread uses its clients.
        """
        slot = self._slots.get(tenant)
        self._byoc_clients.evict(tenant)
        if slot is None or slot.owner not in self._reached:
            return  # it waits for a service of our own
        _count_failure(tenant, NO_ANSWER)
        with suppress(StoreUnavailableError):
            self._health.record_failure(slot, NO_ANSWER, keeps_slot=True)

    def _drop_slot(self, tenant: TenantId, owner: str) -> None:
        """Remove this thread's slot, but not that of a later thread, should this one have been abandoned."""
        slot = self._slots.get(tenant)
        if slot and slot.owner == owner:
            del self._slots[tenant]
        self._reached.discard(owner)

    def _work(
        self, tenant: TenantId, slot: Slot, objects: Iterable[StagedObject], deadline: Deadline
    ) -> Outcome:
        faults_seen: list[Fault] = []

        def record_fault(error: AstralogError) -> bool:
            faults_seen.append(classify_error(error))
            return not faults_seen[-1].stops

        settled: set[str] = set()
        try:
            settled = self._settler(tenant, slot, record_fault).settle(objects, deadline)
        except (RetryableError, PermanentError) as error:
            record_fault(error)
        except Exception as error:  # noqa: BLE001 - the server may speak neither ClickHouse nor S3
            journal.write("unexpected_error", error_type=type(error).__name__, tenant_id=tenant)
            faults_seen.append(Fault(GARBLED, stops=True))
        return self._judged(tenant, slot, frozenset(settled), faults_seen)

    def _settler(
        self, tenant: TenantId, slot: Slot, record_fault: Callable[[AstralogError], bool]
    ) -> Settler:
        destination = self._byoc_clients.destination(tenant)
        self._reached.add(slot.owner)
        tables = self._prepared.get(tenant)
        if tables is None or tables.destination != destination:
            has_identity = self._prepare(destination, dropped=tenant in self._dropped)
            tables = self._prepared[tenant] = PreparedTables(destination, has_identity)
            self._dropped.discard(tenant)
        staged = StagingBucket(self._byoc_clients.bucket(tenant), MAX_BATCH_BYTES)
        warehouse = self._byoc_clients.warehouse(tenant, self._insert_timeout_seconds)
        loader = EventsTable(warehouse, with_identity=tables.has_identity)
        driver = BatchProcessor(self._ledger, staged, loader)
        return Settler(self._ledger, driver, own_destination(tenant), record_fault)

    def _judged(
        self, tenant: TenantId, slot: Slot, settled: frozenset[str], faults_seen: list[Fault]
    ) -> Outcome:
        """Record what the outcome says about the destination; release the slot."""
        theirs = next((fault for fault in reversed(faults_seen) if not fault.ours), None)
        if theirs is None or (settled and not theirs.stops):
            (self._health.record_success if settled else self._health.release)(slot)
            return Outcome(settled)
        self._drop_cached(tenant, theirs)
        if theirs.reason == NO_DESTINATION:
            self._health.release(slot)
            return Outcome(settled, left_to_sweeper=True)
        condition = self._health.record_failure(slot, theirs.reason, anew=bool(settled))
        return self._waiting(SlotWait(condition, self._health.seconds_until_resume(condition)), settled)

    def _drop_cached(self, tenant: TenantId, fault: Fault) -> None:
        """Drop cached state: a rotation takes effect at once, a dropped table is created again."""
        _count_failure(tenant, fault.reason)
        if fault.reason == NO_TABLE:
            self._prepared.pop(tenant, None)
            self._dropped.add(tenant)
        if fault.stops:
            self._byoc_clients.evict(tenant)

    def _waiting(self, wait: SlotWait, settled: frozenset[str] = frozenset()) -> Outcome:
        outage = self._health.is_outage(wait.condition)
        return Outcome(settled, wait.seconds, left_to_sweeper=outage, no_free_slot=wait.seconds is None)


def _count_failure(tenant: TenantId, reason: str) -> None:
    journal.measure(FUNCTION, {"DestinationsFailing": (1, "Count")}, tenant_id=tenant, reason=reason)
