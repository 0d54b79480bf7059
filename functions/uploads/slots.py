"""Slots of an account: they bound the concurrent invocations that read its files; others keep capacity.

One item of the table of uploads, entry `slots`. A slot is a lease: the slot of a dead process expires.
Customers' own buckets have their slots in functions.shared.byoc.health, with the health of the bucket.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from functions.shared.dynamo.answers import answered, open_client, unmet
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
    """`slots` of each tenant. Both methods raise StoreUnavailableError; reads are consistent."""

    def __init__(
        self, table: str, slots: int, client: Any = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._table = table
        self._slots = slots
        self._client = client or open_client()
        self._clock = clock

    def take(self, tenant: TenantId, seconds: float) -> TenantSlot | None:
        """Acquire a slot for `seconds`; None when no slot is free."""
        now = int(self._clock())
        with answered():
            found = self._client.get_item(
                TableName=self._table, Key=items.key(tenant, SLOTS), ConsistentRead=True
            ).get("Item", {})
        for number in range(self._slots):
            if int(found.get(_until(number), {"N": "0"})["N"]) >= now:
                continue
            slot = TenantSlot(tenant, number, str(uuid4()))
            if self._lease(slot, now, now + int(seconds) + 1):
                return slot
        return None

    def release(self, slot: TenantSlot) -> None:
        """Release the slot, unless its lease expired and another invocation acquired it."""
        self._update(
            slot,
            f"SET {_until(slot.number)} = :zero",
            f"{_owner(slot.number)} = :owner",
            {":zero": {"N": "0"}, ":owner": {"S": slot.owner}},
        )

    def _lease(self, slot: TenantSlot, now: int, until: int) -> bool:
        name = _until(slot.number)
        return self._update(
            slot,
            f"SET {name} = :until, {_owner(slot.number)} = :owner, forget_at = :forget",
            f"attribute_not_exists({name}) OR {name} < :now",
            {
                ":until": {"N": str(until)},
                ":owner": {"S": slot.owner},
                ":now": {"N": str(now)},
                ":forget": {"N": str(now + _SECONDS_A_DAY)},
            },
        )

    def _update(self, slot: TenantSlot, change: str, condition: str, values: dict[str, Any]) -> bool:
        """Whether the condition held."""
        try:
            with answered():
                self._client.update_item(
                    TableName=self._table,
                    Key=items.key(slot.tenant, SLOTS),
                    UpdateExpression=change,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=values,
                )
        except ClientError as fault:
            if not unmet(fault):
                raise
            return False
        return True


def _until(number: int) -> str:
    return f"slot_{number}_until"


def _owner(number: int) -> str:
    return f"slot_{number}_owner"
