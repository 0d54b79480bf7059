"""Whether an account has a BYOC destination: without one, the BYOC plan would store no logs."""

from typing import Any

from functions.shared.dynamo.answers import answered, open_client
from functions.shared.tenancy import TenantId


class ByocDestinations:
    """Reads the table of destinations, and only whether an item exists.

    Billing has no access to the encrypted credentials in it (functions.shared.byoc.destination_store).
    """

    def __init__(self, destinations_table: str, client: Any = None) -> None:
        self._table = destinations_table
        self._client = client or open_client()

    def has(self, tenant: TenantId) -> bool:
        """Whether `tenant` has a destination. Raises StoreUnavailableError when DynamoDB fails."""
        with answered():
            found = self._client.get_item(
                TableName=self._table,
                Key={"tenant_id": {"S": str(tenant)}},
                ProjectionExpression="tenant_id",
                ConsistentRead=True,
            )
        return "Item" in found
