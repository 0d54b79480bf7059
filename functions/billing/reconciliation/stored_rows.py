"""The events table for reconciliation: row counts only, never the contents of rows."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from functions.billing.reconciliation.differences import TenantDay
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse

_SETTINGS = {"readonly": 1}
_WITHIN = (
    "received_at >= toDateTime64({first:Date}, 6, 'UTC') "
    "AND received_at < toDateTime64({after:Date}, 6, 'UTC')"
)


class StoredRows:
    """Counts rows of `events` by UTC day of receipt; raises the errors of the warehouse."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def by_day(
        self, first: date, last: date, tenants: Collection[TenantId] | None = None
    ) -> dict[TenantDay, int]:
        """Rows of each tenant, or of `tenants` only, on each day from `first` to `last`, both included."""
        condition, parameters = _WITHIN, _span(first, last)
        if tenants is not None:
            condition += " AND tenant_id IN {tenants:Array(String)}"
            parameters["tenants"] = [str(each) for each in tenants]
        rows = self._select(
            f"SELECT tenant_id, toDate(received_at) AS day, count() AS rows FROM events "  # noqa: S608
            f"WHERE {condition} GROUP BY tenant_id, day",
            parameters,
        )
        return {
            (TenantId(row["tenant_id"]), date.fromisoformat(row["day"])): int(row["rows"]) for row in rows
        }

    def by_batch(self, tenant: TenantId, first: date, last: date) -> dict[str, dict[date, int]]:
        """All rows of `tenant`, by batch and day, of the batches with rows from `first` to `last`."""
        rows = self._select(
            "SELECT batch_id, toDate(received_at) AS day, count() AS rows FROM events "  # noqa: S608
            "WHERE tenant_id = {tenant:String} AND batch_id IN ("
            f"SELECT batch_id FROM events WHERE tenant_id = {{tenant:String}} AND {_WITHIN}"
            ") GROUP BY batch_id, day",
            {**_span(first, last), "tenant": str(tenant)},
        )
        found: dict[str, dict[date, int]] = defaultdict(dict)
        for row in rows:
            found[row["batch_id"]][date.fromisoformat(row["day"])] = int(row["rows"])
        return dict(found)

    def _select(self, statement: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        return self._warehouse.select(statement, parameters, _SETTINGS).rows


def _span(first: date, last: date) -> dict[str, Any]:
    return {"first": first.isoformat(), "after": (last + timedelta(days=1)).isoformat()}
