"""Shared by `eraser` and `exporter`: every table of the data inventory by its setting."""

from typing import Any

from functions.privacy.data_inventory import DATA_INVENTORY
from functions.privacy.inventory_tables import InventoryTables


class Left:
    """The seconds that are left of the current invocation."""

    def __init__(self) -> None:
        self.context: Any = None

    def __call__(self) -> float:
        return float(self.context.get_remaining_time_in_millis()) / 1000


def tables(settings: Any, client: Any) -> InventoryTables:
    """The tables of the data inventory in `settings`, each as `<name>_table`."""
    named = {each.table: f"{each.table.replace('-', '_')}_table" for each in DATA_INVENTORY}
    return InventoryTables(
        {table: getattr(settings, name) for table, name in named.items() if hasattr(settings, name)}, client
    )
