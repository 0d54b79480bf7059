"""The limit of concurrent tails per tenant: leases in the table of health.

A tail waits, so it occupies a function for seconds without using ClickHouse. A lease that is not released,
because its function died, expires.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

from functions.query.errors import too_many_tails
from functions.shared.tables.health import HealthTable, slot_until
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId, own_tails


class TailSlots:
    """Leases of `seconds`, at most `slots` (up to 8) per tenant."""

    def __init__(
        self,
        table: str,
        slots: int,
        seconds: float,
        clock: Callable[[], float] = time.time,
        client: Any = None,
    ) -> None:
        self._health = HealthTable(table, client)
        self._slots = slots
        self._seconds = seconds
        self._clock = clock

    @contextmanager
    def slot(self, tenant: TenantId) -> Iterator[None]:
        """Hold one of the tenant's slots.

        Raises
        ------
        HttpError: 429 `too_many_tails` when all are in use.
        """
        name, owner = own_tails(tenant), str(uuid4())
        number = self._lease(name, owner)
        try:
            yield
        finally:
            with suppress(StoreUnavailableError):
                self._health.release(name, number, owner)

    def _lease(self, name: str, owner: str) -> int:
        """Try the slots in order: a tail that moves past a busy slot leaves its holder behind."""
        now = self._clock()
        held = self._health.get(name)
        for number in range(self._slots):
            if slot_until(held, number) < now and self._health.lease(
                name, number, owner, now + self._seconds, now
            ):
                return number
        raise too_many_tails()
