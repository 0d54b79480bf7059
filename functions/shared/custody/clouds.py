"""Where a BYOC tenant's logs rest: the bucket that holds them staged, and the ClickHouse that keeps them.

Ingest and quarantine need the bucket only and take BucketCustody, which needs no ClickHouse client.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from functions.shared.address import Address
from functions.shared.custody.buckets import (
    MAX_KEPT,
    BucketCustody,
    NoDestinationError,
    recent_destinations,
)
from functions.shared.custody.destinations import RecentDestinations
from functions.shared.custody.settings import CustodySettings
from functions.shared.guarded.answers import SMALL_ANSWER_BYTES
from functions.shared.tenancy import TenantId

if TYPE_CHECKING:
    from urllib3 import PoolManager

    from functions.shared.warehouse import Warehouse

__all__ = ["Custody", "NoDestinationError", "custody"]


CONNECTIONS_EACH = 2
"""Kept open to one ClickHouse; as many as may work on a destination at a time."""


class Custody(BucketCustody):
    """Buckets and warehouses of BYOC tenants.

    Parameters
    ----------
    max_answer_bytes: of an answer of a warehouse; the others are those of BucketCustody.
    """

    def __init__(
        self,
        recent: RecentDestinations,
        allow_loopback: bool = False,
        clock: Callable[[], float] = time.monotonic,
        max_answer_bytes: int = SMALL_ANSWER_BYTES,
    ) -> None:
        super().__init__(recent, allow_loopback, clock)
        self._max_answer_bytes = max_answer_bytes

    def warehouse(self, tenant: TenantId, timeout_seconds: int) -> "Warehouse":
        """The tenant's own ClickHouse; `timeout_seconds` for one statement. Connects on first use.

        Raises as `destination` does.
        """
        return self._client(
            tenant,
            ("warehouse", timeout_seconds),
            lambda destination: self.open_warehouse(destination.warehouse, timeout_seconds),
        )

    def open_warehouse(self, address: Address, timeout_seconds: int) -> "Warehouse":
        """The ClickHouse at an address that a customer gave, through the guard; nobody else uses it."""
        from functions.shared.warehouse import Warehouse

        connections = _connections(self._allow_loopback, self._max_answer_bytes)
        return Warehouse(address, timeout_seconds, pool_manager=connections)


@cache
def _connections(allow_loopback: bool, max_answer_bytes: int) -> "PoolManager":
    """One for all customers, credentials being no part of it: the client keeps each that it has seen."""
    from functions.shared.guarded.guard import Guard
    from functions.shared.guarded.pools import pool_manager

    return pool_manager(
        Guard(allow_loopback=allow_loopback),
        max_answer_bytes=max_answer_bytes,
        num_pools=MAX_KEPT,
        maxsize=CONNECTIONS_EACH,
    )


def custody(settings: CustodySettings, max_answer_bytes: int = SMALL_ANSWER_BYTES) -> Custody:
    """The parts, wired."""
    return Custody(
        recent_destinations(settings),
        settings.allow_loopback_destinations,
        max_answer_bytes=max_answer_bytes,
    )
