"""Load one BYOC tenant's staged objects into its ClickHouse, and record failures of its destination.

The protocol is that of all batches (functions.sync.drive). Around it: a slot and the circuit
(functions.shared.custody.health), credentials that may have changed, a table that may not exist yet.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from functions.shared import journal
from functions.shared.custody.destinations import Destination
from functions.shared.custody.health import Health, Slot, Wait
from functions.shared.errors import AstralogError, PermanentError, RetryableError
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId, own_destination
from functions.sync.drive import Driver, Time
from functions.sync.faults import GARBLED, NO_ANSWER, NO_DESTINATION, NO_TABLE, Fault, fault_of
from functions.sync.ledger import Ledger
from functions.sync.load import Loader, Staged
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
    `let_go`: no message needs redelivery, the sweeper finds what is left. `crowded`: all slots are in use.
    """

    settled: frozenset[str] = frozenset()
    wait_seconds: float | None = None
    let_go: bool = False
    crowded: bool = False


class Custody(Protocol):
    """See functions.shared.custody.clouds.Custody."""

    def destination(self, tenant: TenantId) -> Destination: ...
    def bucket(self, tenant: TenantId) -> Any: ...
    def warehouse(self, tenant: TenantId, timeout_seconds: int) -> Any: ...
    def forget(self, tenant: TenantId) -> None: ...


class Prepare(Protocol):
    """See functions.sync.own_schema.prepare."""

    def __call__(self, destination: Destination, *, dropped: bool) -> None: ...


class OwnClouds:
    """Loads into BYOC destinations, each in a thread of its own.

    Parameters
    ----------
    prepare: brings the tables of a destination up to date; called before its first batch in this process,
        after the destination has changed, and when ClickHouse does not know the table.
    """

    def __init__(
        self,
        ledger: Ledger,
        health: Health,
        custody: Custody,
        prepare: Prepare,
        insert_timeout_seconds: int,
    ) -> None:
        self._ledger = ledger
        self._health = health
        self._custody = custody
        self._prepare = prepare
        self._insert_timeout_seconds = insert_timeout_seconds
        self._prepared: dict[TenantId, Destination] = {}
        self._dropped: set[TenantId] = set()
        self._slots: dict[TenantId, Slot] = {}
        self._reached: set[str] = set()

    def work(self, tenant: TenantId, objects: Iterable[StagedObject], time_given: Time) -> Outcome:
        """Settle as many of `objects` as possible now. Raises no error that an outage explains."""
        owner = str(uuid4())
        try:
            slot = self._health.take(own_destination(tenant), owner, time_given.lease_seconds)
            if isinstance(slot, Wait):
                return self._waiting(slot)
            self._slots[tenant] = slot
            return self._work(tenant, slot, objects, time_given)
        except (RetryableError, PermanentError) as fault:
            # The health table itself failed: no circuit can be judged now.
            _tell(tenant, type(fault).__name__)
            return Outcome()
        finally:
            self._forget_slot(tenant, owner)

    def abandon(self, tenant: TenantId) -> None:
        """The thread for `tenant` has not finished in time, and may still be running.

        Its slot and its batch's lease expire; no other thread uses its clients.
        """
        slot = self._slots.get(tenant)
        self._custody.forget(tenant)
        if slot is None or slot.owner not in self._reached:
            return  # it waits for a service of our own
        _tell(tenant, NO_ANSWER)
        with suppress(StoreUnavailableError):
            self._health.failed(slot, NO_ANSWER, keeps_slot=True)

    def _forget_slot(self, tenant: TenantId, owner: str) -> None:
        """Remove this thread's slot, but not that of a later thread, should this one have been abandoned."""
        slot = self._slots.get(tenant)
        if slot and slot.owner == owner:
            del self._slots[tenant]
        self._reached.discard(owner)

    def _work(
        self, tenant: TenantId, slot: Slot, objects: Iterable[StagedObject], time_given: Time
    ) -> Outcome:
        heard: list[Fault] = []

        def hear(error: AstralogError) -> bool:
            heard.append(fault_of(error))
            return not heard[-1].stops

        settled: set[str] = set()
        try:
            settled = self._settler(tenant, slot, hear).settle(objects, time_given)
        except (RetryableError, PermanentError) as error:
            hear(error)
        except Exception as error:  # noqa: BLE001 - the server may speak neither ClickHouse nor S3
            journal.write("unexpected_error", error_type=type(error).__name__, tenant_id=tenant)
            heard.append(Fault(GARBLED, stops=True))
        return self._judged(tenant, slot, frozenset(settled), heard)

    def _settler(self, tenant: TenantId, slot: Slot, hear: Callable[[AstralogError], bool]) -> Settler:
        destination = self._custody.destination(tenant)
        self._reached.add(slot.owner)
        if self._prepared.get(tenant) != destination:
            self._prepare(destination, dropped=tenant in self._dropped)
            self._prepared[tenant] = destination
            self._dropped.discard(tenant)
        staged = Staged(self._custody.bucket(tenant), MAX_BATCH_BYTES)
        loader = Loader(self._custody.warehouse(tenant, self._insert_timeout_seconds))
        driver = Driver(self._ledger, staged, loader)
        return Settler(self._ledger, driver, own_destination(tenant), hear)

    def _judged(self, tenant: TenantId, slot: Slot, settled: frozenset[str], heard: list[Fault]) -> Outcome:
        """Record what the outcome says about the destination; release the slot."""
        theirs = next((fault for fault in reversed(heard) if not fault.ours), None)
        if theirs is None or (settled and not theirs.stops):
            (self._health.well if settled else self._health.give_back)(slot)
            return Outcome(settled)
        self._remember(tenant, theirs)
        if theirs.reason == NO_DESTINATION:
            self._health.give_back(slot)
            return Outcome(settled, let_go=True)
        condition = self._health.failed(slot, theirs.reason, anew=bool(settled))
        return self._waiting(Wait(condition, self._health.seconds_until_resume(condition)), settled)

    def _remember(self, tenant: TenantId, fault: Fault) -> None:
        """Drop cached state: a rotation takes effect at once, a dropped table is created again."""
        _tell(tenant, fault.reason)
        if fault.reason == NO_TABLE:
            self._prepared.pop(tenant, None)
            self._dropped.add(tenant)
        if fault.stops:
            self._custody.forget(tenant)

    def _waiting(self, wait: Wait, settled: frozenset[str] = frozenset()) -> Outcome:
        outage = self._health.is_outage(wait.condition)
        return Outcome(settled, wait.seconds, let_go=outage, crowded=wait.seconds is None)


def _tell(tenant: TenantId, reason: str) -> None:
    journal.measure(FUNCTION, {"DestinationsFailing": (1, "Count")}, tenant_id=tenant, reason=reason)
