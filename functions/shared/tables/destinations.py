"""The table `destinations`: one item per BYOC tenant."""

from collections.abc import Iterator
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition

from functions.shared.tables.attributes import IntegerAttribute
from functions.shared.tables.item import Item
from functions.shared.tables.table import Table


class DestinationItem(Item):
    """`summary` without secrets, and two encrypted texts; see functions.shared.byoc.destination_store."""

    tenant_id = UnicodeAttribute(hash_key=True)
    version = IntegerAttribute()
    summary = UnicodeAttribute()
    s3_credentials = UnicodeAttribute()
    clickhouse_credentials = UnicodeAttribute()


class DestinationTable:
    """Every method raises StoreUnavailableError when DynamoDB fails; reads are strongly consistent."""

    def __init__(self, name: str, client: Any = None) -> None:
        self._table = Table(DestinationItem, name, client)

    def get(self, tenant: str) -> DestinationItem | None:
        """The item, or None."""
        return self._table.get(tenant)

    def put(self, tenant: str, **values: Any) -> None:
        """Write the next version, on condition that the one before is stored; 1 if there is none.

        Raises
        ------
        ConditionFailedError
        """
        item = DestinationItem(tenant, **values)
        self._table.put(item, _is_stored(item.version - 1))

    def delete(self, tenant: str, version: int) -> None:
        """Delete the item, on condition that it has this version, or does not exist for 0.

        Raises
        ------
        ConditionFailedError
        """
        self._table.delete(tenant, _is_stored(version))

    def tenants(self) -> Iterator[str]:
        """The key of every item, page by page, in no order."""
        return (item.tenant_id for item in self._table.scan(attributes=("tenant_id",)))


def _is_stored(version: int) -> Condition:
    if version == 0:
        return DestinationItem.tenant_id.does_not_exist()
    return DestinationItem.version == version
