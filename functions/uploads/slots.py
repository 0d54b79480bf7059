"""Slots of an account: they bound the concurrent invocations that read its files; others keep capacity.

One item of the table of uploads, entry `slots`. A slot is a lease: the slot of a dead process expires.
Customers' own buckets have their slots in functions.shared.byoc.health, with the health of the bucket.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tables.uploads import SLOT_LEASES, UploadSlotsItem
from functions.shared.tenancy import TenantId
from functions.uploads import items
from functions.uploads.items import SLOTS

_SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class TenantSlot:
    """The right to read files of `tenant`, as `owner`, until it is released or its lease expires."""

    tenant: TenantId
    number: int
    owner: str


class TenantSlots:
    """`slots` of each tenant. Every method raises StoreUnavailableError; reads are consistent."""

    def __init__(
        self, table: str, slots: int, client: Any = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._table = Table(UploadSlotsItem, table, client)
        self._slots = slots
        self._clock = clock

    def take(self, tenant: TenantId, seconds: float) -> TenantSlot | None:
        """Acquire a slot for `seconds`; None when no slot is free."""
        now = int(self._clock())
        for number in self._free(tenant, now):
            slot = TenantSlot(tenant, number, str(uuid4()))
            if self._lease(slot, now, now + int(seconds) + 1):
                return slot
        return None

    def has_free(self, tenant: TenantId) -> bool:
        """Whether a slot of `tenant` is free."""
        return bool(self._free(tenant, int(self._clock())))

    def release(self, slot: TenantSlot) -> None:
        """Release the slot, unless its lease expired and another invocation acquired it."""
        lease = SLOT_LEASES[slot.number]
        self._update(slot, lease.until.set(0), condition=lease.owner == slot.owner)

    def _free(self, tenant: TenantId, now: int) -> list[int]:
        """The numbers of the slots that are free at the time `now`."""
        found = self._table.get(items.key(tenant, SLOTS)) or UploadSlotsItem()
        until = [getattr(found, each.until.attr_name) or 0 for each in SLOT_LEASES[: self._slots]]
        return [number for number, ends_at in enumerate(until) if ends_at < now]

    def _lease(self, slot: TenantSlot, now: int, until: int) -> bool:
        lease = SLOT_LEASES[slot.number]
        return self._update(
            slot,
            lease.until.set(until),
            lease.owner.set(slot.owner),
            UploadSlotsItem.forget_at.set(now + _SECONDS_A_DAY),
            condition=lease.until.does_not_exist() | (lease.until < now),
        )

    def _update(self, slot: TenantSlot, *actions: Action, condition: Condition) -> bool:
        """Whether the condition held."""
        try:
            self._table.update(items.key(slot.tenant, SLOTS), *actions, condition=condition)
        except ConditionFailedError:
            return False
        return True
