"""Where a BYOC tenant's logs rest: the bucket that holds them staged, and the ClickHouse that keeps them.

Ingest and quarantine need the bucket only and take BucketCustody, which needs no ClickHouse client.
"""

from functools import cache
from typing import TYPE_CHECKING

from functions.shared.address import Address
from functions.shared.custody.buckets import (
    MAX_KEPT,
    BucketCustody,
    NoDestinationError,
    recent_destinations,
)
from functions.shared.custody.settings import CustodySettings
from functions.shared.tenancy import TenantId

if TYPE_CHECKING:
    from urllib3 import PoolManager

    from functions.shared.warehouse import Warehouse

__all__ = ["Custody", "NoDestinationError", "custody"]


CONNECTIONS_EACH = 2
"""Kept open to one ClickHouse; as many as may work on a destination at a time."""


class Custody(BucketCustody):
    """Buckets and warehouses of BYOC tenants."""

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

        return Warehouse(address, timeout_seconds, pool_manager=_connections(self._allow_loopback))


@cache
def _connections(allow_loopback: bool) -> "PoolManager":
    """One for all customers, credentials being no part of it: the client keeps each that it has seen."""
    from functions.shared.guarded.guard import Guard
    from functions.shared.guarded.pools import pool_manager

    return pool_manager(Guard(allow_loopback=allow_loopback), num_pools=MAX_KEPT, maxsize=CONNECTIONS_EACH)


def custody(settings: CustodySettings) -> Custody:
    """The parts, wired."""
    return Custody(recent_destinations(settings), settings.allow_loopback_destinations)
