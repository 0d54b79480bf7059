"""The attributes of an item that are shown to its owner. Pure."""

from collections.abc import Mapping
from typing import Any

from functions.privacy.holding import Holding


def shown(item: Mapping[str, Any], holding: Holding) -> dict[str, Any]:
    """Those on the inventory's list, in that order; `item`: see functions.shared.tables.plain."""
    return {name: item[name] for name in holding.shows if name in item}
