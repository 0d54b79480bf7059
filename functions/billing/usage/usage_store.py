"""Usage of each tenant, in DynamoDB: by day, in total, and the part reported to Stripe.

The table `usage`, by tenant: `day#YYYY-MM-DD` (UTC, of receipt) and `total` are only incremented, by the
transaction that marks the batches as counted; `reported` is replaced as a whole, on condition that its
version is the one that was read. Bytes are those of rows as NDJSON before compression; of a day's rows, the
`own_…` part went into the tenant's own ClickHouse (BYOC). Rows erased later stay counted. Under the tenant
`*`, which no account has, `reconciled#YYYY-MM-DD` is the report of a reconciliation.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from botocore.exceptions import ClientError

from functions.billing.reporting.reported_usage import ReportedUsage
from functions.billing.usage.count_transactions import CountTransaction, UsageSums
from functions.billing.usage.usage_item import (
    ALL_TENANTS,
    RECONCILED,
    REPORTED,
    TOTAL,
    Item,
    UsageDay,
    day_of,
    item_of,
    key,
    number,
    reported_of,
)
from functions.shared.batch_usage import DAY
from functions.shared.dynamo.answers import answered, open_client, unmet
from functions.shared.errors import RetryableError
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

    Every method raises functions.shared.dynamo.answers.StoreUnavailableError when DynamoDB fails.
    """

    def __init__(self, usage_table: str, client: Any = None) -> None:
        self._table = usage_table
        self._client = client or open_client()

    def added(self, count: CountTransaction) -> list[Item]:
        """The sums of `count`, as items of TransactWriteItems."""
        days = [
            self._addition(tenant, f"{DAY}{day.isoformat()}", sums)
            for (tenant, day), sums in count.days.items()
        ]
        return days + [self._addition(tenant, TOTAL, sums) for tenant, sums in count.totals.items()]

    def tally(self, tenant: TenantId) -> UsageTally:
        """The tenant's tally; all zeros if nothing was counted yet."""
        reported = self._item(tenant, REPORTED)
        total = self._item(tenant, TOTAL)
        return UsageTally(
            number(total, "rows"),
            number(total, "bytes"),
            ReportedUsage(tenant) if reported is None else reported_of(tenant, reported),
        )

    def days(self, tenant: TenantId, first: date, last: date) -> Iterator[UsageDay]:
        """The tenant's days from `first` to `last`, both included, in order, without days of no usage."""
        names = {":first": f"{DAY}{first.isoformat()}", ":last": f"{DAY}{last.isoformat()}"}
        values = {":tenant": {"S": str(tenant)}, **{name: {"S": text} for name, text in names.items()}}
        start: Item = {}
        while True:
            with answered():
                page = self._client.query(
                    TableName=self._table,
                    KeyConditionExpression="tenant_id = :tenant AND entry BETWEEN :first AND :last",
                    ExpressionAttributeValues=values,
                    ConsistentRead=True,
                    **start,
                )
            yield from (day_of(item) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def all_days(self, first: date, last: date) -> Iterator[UsageDay]:
        """Every tenant's days from `first` to `last`, both included; scans the whole table."""
        names = {":first": f"{DAY}{first.isoformat()}", ":last": f"{DAY}{last.isoformat()}"}
        start: Item = {}
        while True:
            with answered():
                page = self._client.scan(
                    TableName=self._table,
                    FilterExpression="entry BETWEEN :first AND :last",
                    ExpressionAttributeValues={name: {"S": text} for name, text in names.items()},
                    ConsistentRead=True,
                    **start,
                )
            yield from (day_of(item) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def put_reconciliation(self, day: date, report: str) -> None:
        """Store the report of a reconciliation; a second one of the same day replaces it."""
        item = {**key(ALL_TENANTS, f"{RECONCILED}{day.isoformat()}"), "report": {"S": report}}
        with answered():
            self._client.put_item(TableName=self._table, Item=item)

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
        start: Item = {}
        while True:
            with answered():
                page = self._client.query(
                    TableName=self._table,
                    KeyConditionExpression="tenant_id = :tenant",
                    ExpressionAttributeValues={":tenant": {"S": str(tenant)}},
                    ConsistentRead=True,
                    **start,
                )
                for item in page["Items"]:
                    names = {name: item[name] for name in ("tenant_id", "entry")}
                    self._client.delete_item(TableName=self._table, Key=names)
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def write(self, reported: ReportedUsage) -> ReportedUsage:
        """Replace the reported usage, on condition that its version is the one that was read.

        Raises
        ------
        ReportedUsageChangedError: nothing was written.
        """
        new = replace(reported, version=reported.version + 1)
        condition: Item = {"ConditionExpression": "attribute_not_exists(entry)"}
        if reported.version:
            condition = {
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(reported.version)}},
            }
        if not self._put(item_of(new), condition):
            raise ReportedUsageChangedError("somebody else has written what was reported")
        return new

    def _put(self, item: Item, condition: Item) -> bool:
        """False when the condition does not hold."""
        try:
            with answered():
                self._client.put_item(TableName=self._table, Item=item, **condition)
        except ClientError as fault:
            if not unmet(fault):
                raise
            return False
        return True

    def _addition(self, tenant: TenantId, entry: str, sums: UsageSums) -> Item:
        added = {"rows": sums.rows, "bytes": sums.raw_bytes}
        if sums.own_rows:
            added |= {"own_rows": sums.own_rows, "own_bytes": sums.own_bytes}
        return {
            "Update": {
                "TableName": self._table,
                "Key": key(tenant, entry),
                "UpdateExpression": "ADD " + ", ".join(f"#{name} :{name}" for name in added),
                "ExpressionAttributeNames": {f"#{name}": name for name in added},
                "ExpressionAttributeValues": {f":{name}": {"N": str(value)} for name, value in added.items()},
            }
        }

    def _item(self, tenant: TenantId, entry: str) -> Item | None:
        with answered():
            found = self._client.get_item(TableName=self._table, Key=key(tenant, entry), ConsistentRead=True)
        item: Item | None = found.get("Item")
        return item


def _utc_day(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()
