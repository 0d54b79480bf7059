"""The table `health`: work slots and circuit of each BYOC destination, and of each BYOC bucket."""

from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from functions.shared.tables.attributes import IntegerAttribute, SecondsAttribute, SlotLease
from functions.shared.tables.item import Item
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table


class HealthItem(Item):
    """Times in Unix seconds. See functions.shared.byoc.health and functions.ingest.slow_buckets."""

    destination = UnicodeAttribute(hash_key=True)
    failures = IntegerAttribute(null=True)
    failing_since = SecondsAttribute(null=True)
    resume_at = SecondsAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    well_since = SecondsAttribute(null=True)
    notified_of = SecondsAttribute(null=True, attr_name="told_of")
    slow_until = SecondsAttribute(null=True)
    slot_0_until = SecondsAttribute(null=True)
    slot_0_owner = UnicodeAttribute(null=True)
    slot_1_until = SecondsAttribute(null=True)
    slot_1_owner = UnicodeAttribute(null=True)
    slot_2_until = SecondsAttribute(null=True)
    slot_2_owner = UnicodeAttribute(null=True)
    slot_3_until = SecondsAttribute(null=True)
    slot_3_owner = UnicodeAttribute(null=True)
    slot_4_until = SecondsAttribute(null=True)
    slot_4_owner = UnicodeAttribute(null=True)
    slot_5_until = SecondsAttribute(null=True)
    slot_5_owner = UnicodeAttribute(null=True)
    slot_6_until = SecondsAttribute(null=True)
    slot_6_owner = UnicodeAttribute(null=True)
    slot_7_until = SecondsAttribute(null=True)
    slot_7_owner = UnicodeAttribute(null=True)


SLOT_LEASES = tuple(
    SlotLease(getattr(HealthItem, f"slot_{number}_until"), getattr(HealthItem, f"slot_{number}_owner"))
    for number in range(8)
)


def slot_until(item: HealthItem, number: int) -> float:
    """When the lease of slot `number` ends; 0 for a slot never used."""
    return item.attribute_values.get(SLOT_LEASES[number].until.attr_name, 0.0)  # type: ignore[no-any-return]


class HealthTable:
    """The health of destinations. Every method raises StoreUnavailableError when DynamoDB fails.

    Methods that return a bool return whether the condition of the write held.
    """

    def __init__(self, name: str, client: Any = None) -> None:
        self._table = Table(HealthItem, name, client)

    def get(self, destination: str) -> HealthItem:
        """The item; an empty one for a destination without failures and leases."""
        return self._table.get(destination) or HealthItem()

    def lease(self, destination: str, number: int, owner: str, until: float, now: float) -> bool:
        """Lease slot `number` if it is free and no pause is in force at `now`."""
        lease, pause = SLOT_LEASES[number], HealthItem.resume_at
        free = lease.until.does_not_exist() | (lease.until < now)
        return self._update(
            destination,
            lease.until.set(until),
            lease.owner.set(owner),
            condition=free & (pause.does_not_exist() | (pause <= now)),
        )

    def release(self, destination: str, number: int, owner: str) -> bool:
        """Release slot `number` of `owner`."""
        lease = SLOT_LEASES[number]
        return self._update(destination, lease.until.set(0), condition=lease.owner == owner)

    def close_circuit(self, destination: str, number: int, owner: str, now: float) -> bool:
        """Release slot `number` of `owner`, and forget the failures."""
        lease = SLOT_LEASES[number]
        return self._update(
            destination,
            lease.until.set(0),
            HealthItem.well_since.set(now),
            HealthItem.failures.remove(),
            HealthItem.failing_since.remove(),
            HealthItem.resume_at.remove(),
            HealthItem.reason.remove(),
            condition=lease.owner == owner,
        )

    def open_circuit(
        self,
        destination: str,
        failures: int,
        reason: str,
        now: float,
        resume_at: float,
        *,
        anew: bool,
        release: tuple[int, str] | None,
    ) -> bool:
        """Record a failure.

        `anew`: the failure began now, whatever is stored. `release`: slot and owner whose lease ends with it,
        and without which nothing is written; None to write in any case.
        """
        since = HealthItem.failing_since
        actions: list[Action] = [
            HealthItem.failures.set(failures),
            HealthItem.resume_at.set(resume_at),
            HealthItem.reason.set(reason),
            since.set(now) if anew else since.set(since | now),
        ]
        if release is None:
            return self._update(destination, *actions)
        lease = SLOT_LEASES[release[0]]
        return self._update(destination, *actions, lease.until.set(0), condition=lease.owner == release[1])

    def end_pause(self, destination: str) -> bool:
        """Permit an attempt at once."""
        pause = HealthItem.resume_at
        return self._update(destination, pause.remove(), condition=pause.exists())

    def note_outage_reported(self, destination: str, since: float) -> bool:
        """Record that the owner was notified of the outage that began at `since`."""
        reported = HealthItem.notified_of
        return self._update(destination, reported.set(since), condition=reported.does_not_exist())

    def note_end_reported(self, destination: str, since: float) -> bool:
        """Record that the owner was notified of the end of the outage that began at `since`."""
        reported = HealthItem.notified_of
        return self._update(destination, reported.remove(), condition=reported == since)

    def _update(self, destination: str, *actions: Action, condition: Condition | None = None) -> bool:
        try:
            self._table.update(destination, *actions, condition=condition)
        except ConditionFailedError:
            return False
        return True
