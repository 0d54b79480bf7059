"""Usage of each tenant, in DynamoDB: by day, in total, and the part reported to Stripe.

The table `usage`, by tenant: `day#YYYY-MM-DD` (UTC, of receipt) and `total` are only incremented, by the
transaction that marks the batches as counted; `reported` is replaced as a whole, on condition that its
version is the one that was read. Bytes are those of rows as NDJSON before compression; of a day's rows, the
`own_…` part went into the tenant's own ClickHouse (BYOC). Rows erased later stay counted. Under the tenant
`*`, which no account has, `reconciled#YYYY-MM-DD` is the report of a reconciliation.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from pynamodb.expressions.condition import Condition

from functions.billing.reporting.reported_usage import PendingReport, ReportedUsage
from functions.billing.usage.count_transactions import CountTransaction, UsageSums
from functions.billing.usage.usage_item import ALL_TENANTS, RECONCILED, REPORTED, TOTAL, UsageDay
from functions.shared.batch_usage import DAY
from functions.shared.errors import RetryableError
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write
from functions.shared.tables.usage import PendingReportMap, UsageItem
from functions.shared.tenancy import TenantId

SECONDS_A_DAY = 86_400


class ReportedUsageChangedError(RetryableError):
    """Another process has written the reported usage since it was read."""


@dataclass(frozen=True, slots=True)
class UsageTally:
    """All usage ever counted for a tenant, and the part of it that was reported."""

    rows: int
    raw_bytes: int
    reported: ReportedUsage


class UsageStore:
    """Reads are strongly consistent.

    Every method raises StoreUnavailableError when DynamoDB fails.
    """

    def __init__(self, usage_table: str, client: Any = None) -> None:
        self._table = Table(UsageItem, usage_table, client)

    def added(self, count: CountTransaction) -> list[Write]:
        """The sums of `count`, as writes of a transaction."""
        days = [
            self._addition(tenant, f"{DAY}{day.isoformat()}", sums)
            for (tenant, day), sums in count.days.items()
        ]
        return days + [self._addition(tenant, TOTAL, sums) for tenant, sums in count.totals.items()]

    def tally(self, tenant: TenantId) -> UsageTally:
        """The tenant's tally; all zeros if nothing was counted yet."""
        reported = self._table.get((str(tenant), REPORTED))
        total = self._table.get((str(tenant), TOTAL)) or UsageItem()
        return UsageTally(
            total.rows or 0,
            total.raw_bytes or 0,
            ReportedUsage(tenant) if reported is None else _reported_of(tenant, reported),
        )

    def days(self, tenant: TenantId, first: date, last: date) -> Iterator[UsageDay]:
        """The tenant's days from `first` to `last`, both included, in order, without days of no usage."""
        return map(_day_of, self._table.query(str(tenant), sort=_days(first, last)))

    def all_days(self, first: date, last: date) -> Iterator[UsageDay]:
        """Every tenant's days from `first` to `last`, both included; scans the whole table."""
        return map(_day_of, self._table.scan(_days(first, last)))

    def put_reconciliation(self, day: date, report: str) -> None:
        """Store the report of a reconciliation; a second one of the same day replaces it."""
        self._table.put(UsageItem(ALL_TENANTS, f"{RECONCILED}{day.isoformat()}", report=report))

    def used_bytes(self, tenant: TenantId, since: int, until: int) -> int:
        """Bytes of the period from `since` until `until`, Unix seconds.

        For a subscription's period this is the usage on its invoice: reported in the period, or still to be
        reported. Without a subscription, or before reporting begins, it is the sum of the days; the day in
        which the period begins is not counted, because earlier usage is on no invoice.
        """
        tally = self.tally(tenant)
        if tally.reported.subscription_id and tally.reported.period_start <= since:
            return tally.reported.used_bytes(tally.raw_bytes, since)
        return self.stored_bytes(tenant, since, until)

    def stored_bytes(self, tenant: TenantId, since: int, until: int) -> int:
        """Bytes of the days that begin from `since` until `until`, Unix seconds."""
        first = _utc_day(since + SECONDS_A_DAY - 1)
        return sum(each.raw_bytes for each in self.days(tenant, first, max(first, _utc_day(until - 1))))

    def delete_all(self, tenant: TenantId) -> None:
        """Delete all usage of a tenant whose account is deleted."""
        for item in self._table.query(str(tenant), attributes=("tenant_id", "entry")):
            self._table.delete((item.tenant_id, item.entry))

    def write(self, reported: ReportedUsage) -> ReportedUsage:
        """Replace the reported usage, on condition that its version is the one that was read.

        Raises
        ------
        ReportedUsageChangedError: nothing was written.
        """
        new = replace(reported, version=reported.version + 1)
        version = UsageItem.version
        stored = version == reported.version if reported.version else UsageItem.entry.does_not_exist()
        try:
            self._table.put(_item_of(new), stored)
        except ConditionFailedError:
            raise ReportedUsageChangedError("another process wrote the reported usage") from None
        return new

    def _addition(self, tenant: TenantId, entry: str, sums: UsageSums) -> Write:
        actions = [UsageItem.rows.add(sums.rows), UsageItem.raw_bytes.add(sums.raw_bytes)]
        if sums.own_rows:
            actions += [UsageItem.own_rows.add(sums.own_rows), UsageItem.own_bytes.add(sums.own_bytes)]
        return self._table.write_of_update((str(tenant), entry), *actions)


def _days(first: date, last: date) -> Condition:
    return UsageItem.entry.between(f"{DAY}{first.isoformat()}", f"{DAY}{last.isoformat()}")


def _item_of(reported: ReportedUsage) -> UsageItem:
    """The item of the reported usage."""
    values = asdict(replace(reported, pending=None))
    pending = PendingReportMap(**asdict(reported.pending)) if reported.pending else None
    return UsageItem(str(values.pop("tenant")), REPORTED, **{**values, "pending": pending})


def _reported_of(tenant: TenantId, item: UsageItem) -> ReportedUsage:
    """The reported usage in an item."""
    keys = ("tenant_id", "entry")
    values = {name: value for name, value in item.attribute_values.items() if name not in keys}
    if item.pending is not None:
        values["pending"] = PendingReport(**item.pending.attribute_values)
    return ReportedUsage(tenant, **values)


def _day_of(item: UsageItem) -> UsageDay:
    """The day in an item."""
    return UsageDay(
        TenantId(item.tenant_id),
        date.fromisoformat(item.entry.removeprefix(DAY)),
        rows=item.rows or 0,
        raw_bytes=item.raw_bytes or 0,
        own_rows=item.own_rows or 0,
        own_bytes=item.own_bytes or 0,
    )


def _utc_day(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()
