"""Items about all accounts that name one: an announcement for it alone, a reconciliation that lists it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from functions.privacy.inventory_entry import InventoryEntry
from functions.privacy.inventory_tables import InventoryTables
from functions.shared.tenancy import TenantId

EVERYBODY = "*"
"""The partition of items about all accounts; no tenant's id has this character."""

CAMPAIGNS = InventoryEntry("notices", key=("tenant_id", "notice"), named=lambda _tenant: (EVERYBODY,))
RECONCILED = InventoryEntry("usage", key=("tenant_id", "entry"), named=lambda _tenant: (EVERYBODY,))


@dataclass(frozen=True, slots=True)
class Mentions:
    """Items of no account that name `tenant`; they are deleted as a whole."""

    tables: InventoryTables
    tenant: TenantId

    def count(self) -> int:
        return sum(1 for inventory_entry in (CAMPAIGNS, RECONCILED) for _ in self._keys(inventory_entry))

    def remove(self) -> str | None:
        for inventory_entry in (CAMPAIGNS, RECONCILED):
            self.tables.remove(inventory_entry, list(self._keys(inventory_entry)))
        return None

    def _keys(self, inventory_entry: InventoryEntry) -> Iterator[dict[str, Any]]:
        for item in self.tables.items(inventory_entry, self.tenant):
            if self._is_named_in(item):
                yield {name: item[name] for name in inventory_entry.key}

    def _is_named_in(self, item: dict[str, Any]) -> bool:
        if item.get("audience") == f"tenant={self.tenant}":
            return True
        report = json.loads(item["report"]) if "report" in item else {}
        differ = [*report.get("rows_differ", ()), *report.get("bytes_differ", ())]
        return any(each["tenant"] == self.tenant for each in differ)
