"""What a customer's database has, where our user may not create or alter its tables."""

from functions.shared.events.staged_key import IDENTITY
from functions.shared.warehouse import Warehouse

_COLUMNS = (
    "SELECT table, name FROM system.columns WHERE database = currentDatabase() "  # noqa: S608
    f"AND table IN ('events', 'events_trial') AND name IN {IDENTITY}"
)
_TABLE = "SELECT name FROM system.tables WHERE database = currentDatabase() AND name = 'events'"


def has_identity(warehouse: Warehouse) -> bool:
    """Whether both tables have all columns of IDENTITY; raises the errors of `warehouse`."""
    return len(warehouse.select(_COLUMNS).rows) == 2 * len(IDENTITY)


def has_table(warehouse: Warehouse) -> bool:
    """Whether there is a table `events`, ours or the customer's own; raises the errors of `warehouse`."""
    return bool(warehouse.select(_TABLE).rows)
