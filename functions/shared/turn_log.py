"""The table of turns: when a scheduled function last started to work for a tenant.

One item per function and tenant, under a hash of both: it names no account, and is deleted FORGET_DAYS after
the last turn. A tenant without an item counts as one that never had a turn.
"""

import time
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

from pynamodb.expressions.update import Action

from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write
from functions.shared.tables.turns import TurnItem
from functions.shared.tenancy import TenantId

FORGET_DAYS = 7
SECONDS_A_DAY = 86_400


class DynamoTurnLog:
    """The functions.shared.turns.TurnLog of the function `function`; thread-safe.

    Every method raises StoreUnavailableError when DynamoDB fails; reads are consistent.

    Parameters
    ----------
    client: a boto3 client for DynamoDB.
    clock: Unix seconds.
    """

    def __init__(
        self, table: str, function: str, client: Any, clock: Callable[[], float] = time.time
    ) -> None:
        self._table = Table(TurnItem, table, client)
        self._function = function
        self._clock = clock

    def last(self, tenants: Iterable[TenantId]) -> dict[TenantId, float]:
        """See TurnLog."""
        names = {self._name(tenant): tenant for tenant in tenants}
        return {names[item.turn]: item.began_at for item in self._table.read(list(names))}

    def begin(self, tenant: TenantId) -> int:
        times = _times(self._clock())
        return self._table.update_and_get(self._name(tenant), *times, TurnItem.turns.add(1)).turns

    def number(self, tenant: TenantId) -> int:
        """The number of turns of `tenant` that have begun; pass it to `next`."""
        item = self._table.get(self._name(tenant))
        return item.turns if item else 0

    def next(self, tenant: TenantId, number: int, room: int = 1) -> Write:
        """The next turn, as a write of a transaction; `number` was read before the caller decided.

        Its condition fails when `room` other turns of `tenant` began after `number` was read: then the caller
        has to read and decide again.
        """
        soon_enough = TurnItem.turns.between(number, number + room - 1)
        return self._table.write_of_update(
            self._name(tenant),
            *_times(self._clock()),
            TurnItem.turns.add(1),
            condition=soon_enough if number else TurnItem.turns.does_not_exist() | soon_enough,
        )

    def _name(self, tenant: TenantId) -> str:
        return sha256(f"turn {self._function} {tenant}".encode()).hexdigest()


def _times(now: float) -> list[Action]:
    return [
        TurnItem.began_at.set(round(now, 3)),
        TurnItem.forget_at.set(int(now) + FORGET_DAYS * SECONDS_A_DAY),
    ]
