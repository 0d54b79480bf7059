"""The limits of slow BYOC buckets, in the table `health`; see functions.ingest.slow_buckets.

Times in Unix seconds, to the millisecond.
"""

from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from functions.shared.tables.health import SLOT_LEASES, HealthItem, slot_until
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table

_DEBT = HealthItem.slow_until


class SlowBucketTable:
    """One item per bucket. Every method raises StoreUnavailableError when DynamoDB fails.

    Methods that return a bool return whether the condition of the write held.
    """

    def __init__(self, name: str, client: Any = None) -> None:
        self._table = Table(HealthItem, name, client)

    def state(self, bucket: str) -> tuple[float, list[float]]:
        """Until when the bucket counts as slow, and when the lease of each slot ends; 0 for never."""
        item = self._table.get(bucket) or HealthItem()
        return item.slow_until or 0.0, [slot_until(item, number) for number in range(len(SLOT_LEASES))]

    def lease(self, bucket: str, number: int, owner: str, until: float, now: float) -> bool:
        """Lease slot `number` if it is free at `now`."""
        lease = SLOT_LEASES[number]
        return self._update(
            bucket,
            lease.until.set(round(until, 3)),
            lease.owner.set(owner),
            condition=lease.until.does_not_exist() | (lease.until <= round(now, 3)),
        )

    def release(self, bucket: str, number: int, owner: str) -> bool:
        """Release slot `number` of `owner`."""
        lease = SLOT_LEASES[number]
        return self._update(bucket, lease.until.set(0), condition=lease.owner == owner)

    def begin_debt(self, bucket: str, until: float, now: float) -> bool:
        """Owe until `until`, if nothing is owed at `now`."""
        nothing = _DEBT.does_not_exist() | (round(now, 3) > _DEBT)
        return self._update(bucket, _DEBT.set(round(until, 3)), condition=nothing)

    def add_debt(self, bucket: str, seconds: float, at_most: float) -> bool:
        """Owe `seconds` more, if it is owed until `at_most` or earlier."""
        return self._update(bucket, _DEBT.set(_DEBT + seconds), condition=round(at_most, 3) >= _DEBT)

    def raise_debt(self, bucket: str, until: float) -> bool:
        """Owe until `until`, if it is owed for less long."""
        return self._update(bucket, _DEBT.set(round(until, 3)), condition=round(until, 3) > _DEBT)

    def _update(self, bucket: str, *actions: Action, condition: Condition) -> bool:
        try:
            self._table.update(bucket, *actions, condition=condition)
        except ConditionFailedError:
            return False
        return True
