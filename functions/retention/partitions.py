"""The events table as retention sees it: which rows are in which partition, and which are removed.

Tenant ids, days and table names are our own, of alphabets without a quote, and are written into statements
directly: bound values would travel in the URL, and there may be thousands.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from functions.retention.plan import Cut, Partition, Rewriting, TenantRows
from functions.retention.violations import TenantRowCount
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse

_LONG = {"max_query_size": 16 * 1024 * 1024}
"""For statements that list tenants; the default of 256 KB is not enough for ten thousand."""

_PARTITIONS = """
SELECT partition_id, sum(rows) AS rows, sum(bytes_on_disk) AS bytes
FROM system.parts
WHERE database = currentDatabase() AND table = 'events' AND active
GROUP BY partition_id
ORDER BY partition_id
"""

_DAY = slice(len("YYYYMMDD"))
"""Where an id has its day: it is `20261231-0`, or `20261231` in a table from before docs/adr/0063."""

_TENANT_ROWS = """
SELECT tenant_id, expires_on, toDate(received_at, 'UTC') AS received_on, count() AS rows
FROM events
WHERE {condition}
GROUP BY tenant_id, expires_on, received_on
"""

_UNDER_WAY = """
SELECT count() AS mutations
FROM system.mutations
WHERE database = currentDatabase() AND table = 'events' AND NOT is_done
    AND position(command, 'DELETE IN PARTITION') > 0
"""


class MutationRunningError(RetryableError):
    """The engine is still removing rows since an earlier run."""


class Partitions:
    """The partitions of `events` by expiry day. Errors are those of the warehouse.

    ClickHouse has two for a day: the second has the rows of tenants who sent many at once (docs/adr/0063).
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def all(self) -> list[Partition]:
        """Every partition that holds rows."""
        rows, size_bytes = Counter[date](), Counter[date]()
        for row in self._stored():
            day = _day_of(row["partition_id"])
            rows[day] += int(row["rows"])
            size_bytes[day] += int(row["bytes"])
        # A part from which all rows were removed stays for a while as an empty part.
        return [Partition(day, rows[day], size_bytes[day]) for day in rows if rows[day]]

    def oldest_received(self) -> str | None:
        """When the oldest stored row was received; None if there is none."""
        rows = self._warehouse.select(
            "SELECT toString(min(received_at)) AS oldest FROM events HAVING count() > 0"
        ).rows
        return rows[0]["oldest"] if rows else None

    def expired(self, today: date) -> list[TenantRows]:
        """The rows in partitions whose day is over, by tenant and day of receipt."""
        return self._tenant_rows(f"expires_on < '{today}'")

    def of(self, tenants: Sequence[TenantId], today: date) -> list[TenantRows]:
        """The rows of `tenants` in partitions whose day is not over, by tenant and day of receipt."""
        if not tenants:
            return []
        return self._tenant_rows(f"expires_on >= '{today}' AND tenant_id IN ({_listed(tenants)})")

    def census(self) -> list[TenantRowCount]:
        """Every tenant with rows: how many, and the oldest's receipt. Reads two columns of the table."""
        rows = self._warehouse.select(
            "SELECT tenant_id, toString(min(received_at)) AS oldest, count() AS rows FROM events "
            "GROUP BY tenant_id"
        ).rows
        return [
            TenantRowCount(
                row["tenant_id"],
                datetime.fromisoformat(row["oldest"]).replace(tzinfo=UTC),
                int(row["rows"]),
            )
            for row in rows
        ]

    def rows_before(self, cuts: Sequence[Cut]) -> dict[TenantId, int]:
        """How many rows each tenant has that were received before the day of its cut."""
        if not cuts:
            return {}
        before = " OR ".join(_condition(cut, "<") for cut in cuts)
        rows = self._warehouse.select(
            f"SELECT tenant_id, count() AS rows FROM events WHERE {before} GROUP BY tenant_id",  # noqa: S608
            settings=_LONG,
        ).rows
        return {TenantId(row["tenant_id"]): int(row["rows"]) for row in rows}

    def drop(self, partition: Partition) -> None:
        """Drop every row of `partition` and free its bytes. A missing partition is not an error."""
        for partition_id in self._ids_by_day()[partition.expires_on]:
            self._warehouse.command(f"ALTER TABLE events DROP PARTITION ID '{partition_id}'")

    def rewrite(self, rewritings: Sequence[Rewriting]) -> None:
        """Rewrite parts without the rows to remove, on all replicas, in one mutation.

        One mutation, because each gives every part of a MergeTree a new name, whether rows leave it or not.
        On return no search finds the rows, and no active part holds them; the old parts stay on disk for some
        minutes. A lightweight delete would only hide the rows. Rows that arrive while the mutation runs are
        not touched. If the response is lost, the engine continues the mutation.

        Raises
        ------
        MutationRunningError: a second request would do all the work twice.
        """
        if int(self._warehouse.select(_UNDER_WAY).rows[0]["mutations"]):
            raise MutationRunningError("the engine is still removing rows since an earlier run")
        ids = self._ids_by_day()
        commands = ", ".join(
            f"DELETE IN PARTITION ID '{partition_id}' WHERE {_going(each)}"
            for each in rewritings
            for partition_id in ids[each.partition.expires_on]
        )
        if commands:
            self._warehouse.command(f"ALTER TABLE events {commands}", settings={"mutations_sync": 2, **_LONG})

    def _stored(self) -> list[dict[str, Any]]:
        return self._warehouse.select(_PARTITIONS).rows

    def _ids_by_day(self) -> dict[date, list[str]]:
        """ClickHouse's ids of all partitions."""
        ids = defaultdict[date, list[str]](list)
        for row in self._stored():
            ids[_day_of(row["partition_id"])].append(row["partition_id"])
        return ids

    def _tenant_rows(self, condition: str) -> list[TenantRows]:
        rows = self._warehouse.select(_TENANT_ROWS.replace("{condition}", condition), settings=_LONG).rows
        return [
            TenantRows(
                TenantId(row["tenant_id"]),
                date.fromisoformat(row["expires_on"]),
                date.fromisoformat(row["received_on"]),
                int(row["rows"]),
            )
            for row in rows
            if is_tenant(row["tenant_id"])
        ]


def _day_of(partition_id: str) -> date:
    return date.fromisoformat(partition_id[_DAY])


def is_tenant(text: str) -> bool:
    """Whether a row's `tenant_id` is a valid id; otherwise it has no account, and the row's stamp decides."""
    try:
        TenantId(text)
    except PermanentError:
        return False
    return True


def _going(rewriting: Rewriting) -> str:
    """SQL condition that matches the rows to remove."""
    if rewriting.others_stay:
        return " OR ".join(_condition(cut, "<") for cut in rewriting.cuts)
    return f"NOT ({' OR '.join(_condition(cut, '>=') for cut in rewriting.cuts)})"


def _condition(cut: Cut, comparison: str) -> str:
    """SQL for rows of the cut's tenants that were received before its day (`<`), or on it or later (`>=`)."""
    return f"tenant_id IN ({_listed(cut.tenants)}) AND received_at {comparison} '{cut.day} 00:00:00'"


def _listed(tenants: Iterable[TenantId]) -> str:
    return ", ".join(f"'{each}'" for each in tenants)
