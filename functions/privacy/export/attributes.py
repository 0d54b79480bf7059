"""Attributes of DynamoDB as plain JSON values. Pure."""

import base64
from collections.abc import Mapping
from typing import Any

from functions.privacy.inventory_entry import InventoryEntry


def shown(item: Mapping[str, Any], inventory_entry: InventoryEntry) -> dict[str, Any]:
    """The attributes of an item that its owner is shown: those on the inventory's list, in that order."""
    return {name: plain(item[name]) for name in inventory_entry.shows if name in item}


def plain(attribute: Mapping[str, Any]) -> Any:
    """The value of an attribute; whole numbers stay whole, sets become sorted lists, bytes base64."""
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return int(value) if value.lstrip("-").isdecimal() else float(value)
        case "NULL":
            return None
        case "SS":
            return sorted(value)
        case "NS":
            return sorted(plain({"N": each}) for each in value)
        case "L":
            return [plain(each) for each in value]
        case "M":
            return {name: plain(each) for name, each in value.items()}
        case "B":
            return base64.b64encode(value).decode()
        case _:
            return value
