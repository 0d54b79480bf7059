"""The table `external-ids`: with which external id a tenant's role is assumed (docs/adr/0036)."""

from typing import Any

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.item import Item
from functions.shared.tables.table import Table


class ExternalIdItem(Item):
    """`external_id`: random, the same for as long as the account exists; no secret."""

    tenant_id = UnicodeAttribute(hash_key=True)
    external_id = UnicodeAttribute()


class ExternalIdTable:
    """Every method raises StoreUnavailableError when DynamoDB fails."""

    def __init__(self, name: str, client: Any = None) -> None:
        self._table = Table(ExternalIdItem, name, client)

    def get_or_put(self, tenant: str, fresh: str) -> str:
        """The stored external id, or `fresh`, which is stored if there was none."""
        external_id = ExternalIdItem.external_id
        return self._table.update_and_get(tenant, external_id.set(external_id | fresh)).external_id
