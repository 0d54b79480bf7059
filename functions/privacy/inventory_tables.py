"""The items of an account in all tables, read and deleted according to the data inventory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from functions.privacy.inventory_entry import ATTRIBUTE, InventoryEntry
from functions.shared.errors import PermanentError
from functions.shared.tables.item import Item
from functions.shared.tables.pages import Start
from functions.shared.tables.plain import PlainItem, PlainTable
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import write_in_parts
from functions.shared.tenancy import TenantId

M = TypeVar("M", bound=Item)

After = tuple[int, Start | None]
"""Where a page begins: in which of the inventory entry's partitions, after which key; None for its start."""


@dataclass(frozen=True, slots=True)
class InventorySettings:
    """The tables with items of accounts: settings of the functions that read or delete all of them."""

    accounts_table: str
    people_table: str
    keys_table: str
    key_lists_table: str
    audit_table: str
    announcements_table: str
    notices_table: str
    destinations_table: str
    external_ids_table: str
    saved_searches_table: str
    search_budgets_table: str
    health_table: str
    billing_table: str
    usage_table: str
    uploads_table: str
    erasures_table: str
    exports_table: str
    search_exports_table: str


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Some items; `after` is where the next page begins, None when there is none."""

    items: list[PlainItem]
    after: After | None


class InventoryTables:
    """Reads are consistent. Every method raises StoreUnavailableError when DynamoDB fails.

    Parameters
    ----------
    names: table name in the topology -> actual table name.
    client: a boto3 client for DynamoDB.
    """

    def __init__(self, names: Mapping[str, str], client: Any) -> None:
        self._names = names
        self._client = client

    def table(self, model: type[M], name: str) -> Table[M]:
        """The table with that name in the topology, as items of `model`."""
        return Table(model, self._names[name], self._client)

    def page(self, inventory_entry: InventoryEntry, tenant: TenantId, after: After | None = None) -> ItemPage:
        """Items of `tenant`, at most 1 MB of them; a page may be empty and not be the last."""
        number, start = after or (0, None)
        table = self._plain(inventory_entry)
        if inventory_entry.found == ATTRIBUTE:
            found, partitions = table.scan_page("tenant_id", str(tenant), start), 1
        else:
            named = inventory_entry.named(tenant)
            found, partitions = table.partition_page(inventory_entry.key[0], named[number], start), len(named)
        if found.next_start is not None:
            return ItemPage(found.items, (number, found.next_start))
        return ItemPage(found.items, (number + 1, None) if number + 1 < partitions else None)

    def items(self, inventory_entry: InventoryEntry, tenant: TenantId) -> Iterator[PlainItem]:
        """All items of `tenant`, page by page as the caller iterates."""
        after: After | None = None
        while True:
            page = self.page(inventory_entry, tenant, after)
            yield from page.items
            if page.after is None:
                return
            after = page.after

    def keys(self, inventory_entry: InventoryEntry, tenant: TenantId) -> Iterator[PlainItem]:
        """The keys of all items of `tenant`."""
        return (
            {name: item[name] for name in inventory_entry.key} for item in self.items(inventory_entry, tenant)
        )

    def tenants(self, inventory_entry: InventoryEntry) -> Iterator[TenantId]:
        """The tenants with items, by scanning the whole table; some tenants occur several times."""
        name = "tenant_id" if inventory_entry.found == ATTRIBUTE else inventory_entry.key[0]
        for value in self._plain(inventory_entry).values(name):
            # Announcements to all have no tenant's id; the health of a destination has a prefix before it.
            with suppress(PermanentError):
                yield TenantId(value.rpartition(":")[2])

    def remove(self, inventory_entry: InventoryEntry, keys: Sequence[PlainItem]) -> None:
        """Delete the items with these keys; a missing item is not an error."""
        table = self._plain(inventory_entry)
        write_in_parts(self._client, [table.write_of_delete(key) for key in keys])

    def _plain(self, inventory_entry: InventoryEntry) -> PlainTable:
        return PlainTable(self._names[inventory_entry.table], self._client)
