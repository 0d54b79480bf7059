"""Shared by `eraser` and `exporter`: every table of the data inventory by its setting."""

from typing import Any

from functions.privacy.holdings import HOLDINGS
from functions.privacy.tables import Tables


class Left:
    """The seconds that are left of the current invocation."""

    def __init__(self) -> None:
        self.context: Any = None

    def __call__(self) -> float:
        return float(self.context.get_remaining_time_in_millis()) / 1000


def tables(settings: Any, client: Any) -> Tables:
    """The tables of the data inventory in `settings`, each as `<name>_table`."""
    named = {each.table: f"{each.table.replace('-', '_')}_table" for each in HOLDINGS}
    return Tables(
        {table: getattr(settings, name) for table, name in named.items() if hasattr(settings, name)}, client
    )
