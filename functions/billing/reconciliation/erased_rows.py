"""Number of rows that erasures deleted from our warehouse, from the records of functions/privacy/erasure."""

import json
import math
from datetime import UTC, date, datetime
from typing import Any

from functions.shared.tables.erasures import ErasureItem
from functions.shared.tables.table import Table
from functions.shared.tenancy import TenantId

ACCOUNT, ROWS = "account", "rows"


class ErasedRows:
    """Reads the table of erasures; raises StoreUnavailableError."""

    def __init__(self, erasures_table: str, client: Any = None) -> None:
        self._table = Table(ErasureItem, erasures_table, client)

    def since(self, tenant: TenantId, first: date) -> float:
        """An upper bound of the tenant's erased rows that were received on `first` or later.

        An erasure deletes rows received before it was requested, so erasures requested before `first` do not
        count. An erasure of the whole account may have deleted any number: math.inf.
        """
        begin = datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()
        rows = 0.0
        for item in self._table.query(str(tenant)):
            if item.kind == ACCOUNT:
                return math.inf
            if item.requested_at >= begin:
                rows += _rows(item)
        return rows


def _rows(item: ErasureItem) -> int:
    """The rows that a verified erasure deleted, or that an open one has deleted or will delete."""
    if item.counts is not None:
        return int(json.loads(item.counts).get(ROWS, 0))
    progress = json.loads(item.progress or "{}")
    return sum(int(progress.get(part, {}).get(ROWS, 0)) for part in ("removed", "pending"))
