"""Rows that searches have read in our ClickHouse since they were last charged."""

from collections import Counter
from threading import Lock

from functions.shared.tenancy import TenantId

STOPPED_ROWS_A_SECOND = 20_000_000
"""What a search counts that the engine stopped at a limit, because it then reports no rows.

Four threads read about that many (docs/adr/0045-cost-of-a-search.md).
"""


class RowMeter:
    """Counts rows by tenant. Thread-safe: a request may search two ClickHouses at the same time.

    An environment handles one request at a time, so what a tenant's request takes is what it read.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._rows: Counter[TenantId] = Counter()

    def add(self, tenant: TenantId, rows: int) -> None:
        """Count `rows` of a search of `tenant`."""
        with self._lock:
            self._rows[tenant] += rows

    def take(self, tenant: TenantId) -> int:
        """The rows counted for `tenant`, which then count no more."""
        with self._lock:
            return self._rows.pop(tenant, 0)
