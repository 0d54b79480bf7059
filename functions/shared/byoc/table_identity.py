"""Whether a customer's tables have the columns of the identity: our user may not be permitted to add them."""

from functions.shared.events.staged_key import IDENTITY
from functions.shared.warehouse import Warehouse

_COLUMNS = (
    "SELECT count() AS columns FROM system.columns WHERE database = currentDatabase() "  # noqa: S608
    f"AND table IN ('events', 'events_trial') AND name IN {IDENTITY}"
)


def has_identity(warehouse: Warehouse) -> bool:
    """Whether both tables have all columns of IDENTITY; raises the errors of `warehouse`."""
    return warehouse.select(_COLUMNS).whole("columns") == 2 * len(IDENTITY)
