"""Whether an account has a cloud of its own: a plan that stores logs there would store none without."""

from typing import Any

from functions.shared.dynamo.answers import answered, open_client
from functions.shared.tenancy import TenantId


class OwnClouds:
    """The table of destinations, of which nothing is read but that an item is there.

    What opens the seals on it (functions.shared.custody.destinations) has no business in billing.
    """

    def __init__(self, destinations_table: str, client: Any = None) -> None:
        self._table = destinations_table
        self._client = client or open_client()

    def has(self, tenant: TenantId) -> bool:
        """Raises StoreUnavailableError when DynamoDB fails."""
        with answered():
            found = self._client.get_item(
                TableName=self._table,
                Key={"tenant_id": {"S": str(tenant)}},
                ProjectionExpression="tenant_id",
                ConsistentRead=True,
            )
        return "Item" in found
