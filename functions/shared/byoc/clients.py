"""A BYOC tenant's bucket, which holds staged objects, and ClickHouse, which stores the logs.

Ingest and quarantine need the bucket only: they use ByocBuckets, which needs no ClickHouse client.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from functions.shared.byoc.buckets import MAX_KEPT, ByocBuckets, NoDestinationError, destination_cache
from functions.shared.byoc.destination_store import DestinationCache
from functions.shared.byoc.role_sessions import RoleSessions
from functions.shared.byoc.settings import ByocSettings
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.egress.response_limits import SMALL_ANSWER_BYTES
from functions.shared.tenancy import TenantId

if TYPE_CHECKING:
    from urllib3 import PoolManager

    from functions.shared.warehouse import Warehouse

__all__ = ["ByocClients", "NoDestinationError", "byoc_clients"]


CONNECTIONS_EACH = 2
"""Connections kept open to one ClickHouse; as many as may work on a destination at a time."""


class ByocClients(ByocBuckets):
    """Buckets and ClickHouse connections of BYOC tenants.

    Parameters
    ----------
    max_answer_bytes: of a ClickHouse answer; the other parameters are those of ByocBuckets.
    """

    def __init__(
        self,
        recent: DestinationCache,
        allow_loopback: bool = False,
        clock: Callable[[], float] = time.monotonic,
        max_answer_bytes: int = SMALL_ANSWER_BYTES,
        roles: RoleSessions | None = None,
    ) -> None:
        super().__init__(recent, allow_loopback, clock, roles)
        self._max_answer_bytes = max_answer_bytes

    def warehouse(self, tenant: TenantId, timeout_seconds: int) -> "Warehouse":
        """The tenant's ClickHouse; `timeout_seconds` applies to one statement. Connects on first use.

        Raises the errors of `destination`.
        """
        return self._client(
            tenant,
            ("warehouse", timeout_seconds),
            lambda destination: self.open_warehouse(destination.warehouse, timeout_seconds),
        )

    def open_warehouse(self, address: ClickHouseAddress, timeout_seconds: int) -> "Warehouse":
        """A new, unshared connection to a ClickHouse at a customer's address, behind the egress filter."""
        from functions.shared.warehouse import Warehouse

        connections = _connections(self._allow_loopback, self._max_answer_bytes)
        return Warehouse(address, timeout_seconds, pool_manager=connections)


@cache
def _connections(allow_loopback: bool, max_answer_bytes: int) -> "PoolManager":
    """One for all customers: it holds no credentials, and the client retains every pool manager it gets."""
    from functions.shared.egress.egress_filter import EgressFilter
    from functions.shared.egress.pools import pool_manager

    return pool_manager(
        EgressFilter(allow_loopback=allow_loopback),
        max_answer_bytes=max_answer_bytes,
        num_pools=MAX_KEPT,
        maxsize=CONNECTIONS_EACH,
    )


def byoc_clients(settings: ByocSettings, max_answer_bytes: int = SMALL_ANSWER_BYTES) -> ByocClients:
    """Build the clients from settings."""
    return ByocClients(
        destination_cache(settings),
        settings.allow_loopback_destinations,
        max_answer_bytes=max_answer_bytes,
    )
