"""The attributes of an item that are shown to its owner. Pure."""

from collections.abc import Mapping
from typing import Any

from functions.privacy.inventory_entry import InventoryEntry


def exported_attributes(item: Mapping[str, Any], inventory_entry: InventoryEntry) -> dict[str, Any]:
    """Those on the inventory's list, in that order; `item`: see functions.shared.tables.plain."""
    return {name: item[name] for name in inventory_entry.shows if name in item}
