"""Whether an account has a BYOC destination: without one, the BYOC plan would store no logs."""

from typing import Any

from functions.shared.tables.destinations import DestinationItem
from functions.shared.tables.table import Table
from functions.shared.tenancy import TenantId


class ByocDestinations:
    """Reads the table of destinations, and only whether an item exists.

    Billing has no access to the encrypted credentials in it (functions.shared.byoc.destination_store).
    """

    def __init__(self, destinations_table: str, client: Any = None) -> None:
        self._table = Table(DestinationItem, destinations_table, client)

    def has(self, tenant: TenantId) -> bool:
        """Whether `tenant` has a destination. Raises StoreUnavailableError when DynamoDB fails."""
        return self._table.get(str(tenant), attributes=("tenant_id",)) is not None
