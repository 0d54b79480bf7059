"""The table `shards`: one secret per BYOC tenant, without backups; see functions.shared.byoc.encryption."""

from typing import Any

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.item import Item
from functions.shared.tables.table import Table


class ShardItem(Item):
    """`shard_hex`: 32 random bytes."""

    tenant_id = UnicodeAttribute(hash_key=True)
    shard_hex = UnicodeAttribute()


class ShardTable:
    """Every method raises StoreUnavailableError when DynamoDB fails; reads are strongly consistent."""

    def __init__(self, name: str, client: Any = None) -> None:
        self._table = Table(ShardItem, name, client)

    def get(self, tenant: str) -> str | None:
        """The shard in hexadecimal, or None."""
        item = self._table.get(tenant)
        return item.shard_hex if item else None

    def get_or_put(self, tenant: str, fresh: str) -> str:
        """The stored shard, or `fresh`, which is stored if there was none."""
        shard = ShardItem.shard_hex
        return self._table.update_and_get(tenant, shard.set(shard | fresh)).shard_hex

    def delete(self, tenant: str) -> None:
        """Delete the shard; one that does not exist is not an error."""
        self._table.delete(tenant)
