"""The events table as a search may use it: read-only, within limits, refusing in the wire's words."""

from collections.abc import Callable
from dataclasses import dataclass

from functions.query.compile import Statement
from functions.shared.errors import RefusalError, RetryableError
from functions.shared.warehouse import (
    OutcomeUnknownError,
    Selection,
    Warehouse,
    WarehouseBusyError,
    WarehouseDownError,
    WarehouseRefusedError,
)

TOO_HEAVY_CODES = frozenset({158, 159, 160, 241, 307, 396})
"""Too many rows or bytes, too long, too slow, too much memory, too large a result."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one search may take of the engine."""

    max_seconds: int
    max_memory_bytes: int
    max_result_bytes: int


class Archive:
    """Runs statements on `warehouse`. `unavailable` says in its owner's words that it cannot be searched."""

    def __init__(
        self,
        warehouse: Warehouse,
        limits: Limits,
        unavailable: Callable[[RetryableError], RefusalError] = lambda _fault: search_unavailable(),
    ) -> None:
        self._warehouse = warehouse
        self._unavailable = unavailable
        self._settings = {
            "max_execution_time": limits.max_seconds,
            "max_memory_usage": limits.max_memory_bytes,
            "max_result_bytes": limits.max_result_bytes,
            "output_format_json_validate_utf8": 1,
            "readonly": 1,
        }

    def find(self, statement: Statement) -> Selection:
        """The rows of `statement`.

        Raises
        ------
        RefusalError: 400 `query_too_heavy`, when a narrower search would do; 503 `search_unavailable`, when
            waiting would.
        """
        try:
            return self._warehouse.select(statement.sql, statement.parameters, self._settings)
        except (WarehouseBusyError, WarehouseRefusedError) as fault:
            if fault.engine_code in TOO_HEAVY_CODES:
                raise _too_heavy() from fault
            if isinstance(fault, WarehouseRefusedError):
                raise
            raise self._unavailable(fault) from fault
        except (WarehouseDownError, OutcomeUnknownError) as fault:
            raise self._unavailable(fault) from fault


def _too_heavy() -> RefusalError:
    return RefusalError(
        400,
        "query_too_heavy",
        "The search takes too much time or memory: narrow 'from' and 'to', name services, or lower 'limit'.",
    )


def search_unavailable() -> RefusalError:
    """Our own ClickHouse, or what it takes to find a customer's, is away."""
    return RefusalError(
        503, "search_unavailable", "Search is not available now: try again.", retry_after_seconds=2
    )
