"""Retention check: do we store anything for longer than allowed?

Trigger: the scheduler, every six hours. Promise: it counts, from the rows themselves, what exceeds its limit
by more than a day, for each tenant, and what is stored of BYOC customers in our ClickHouse and in our
buckets, where nothing of a BYOC customer may be stored. Alarms watch both. Our queues hold keys of objects
and no logs. The one exception is a data export that the customer requested: it stays for a week, and has logs
only if it was requested in the grace period after the move. The check changes nothing. It stores the figures
as a report and logs the tenants.
On failure: it raises, and the next run checks again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any, Protocol

from functions.retention.accounts import AccountScan
from functions.retention.partitions import Partitions
from functions.retention.violations import byoc_tenants, past_retention, rows_of, rows_without_account
from functions.shared import journal
from functions.shared.aws_client import client
from functions.shared.buckets.contract import Bucket, ListedObject
from functions.shared.buckets.drop_bucket import DropBucket
from functions.shared.buckets.platform import open_bucket
from functions.shared.errors import AstralogError
from functions.shared.platform_warehouse import PlatformWarehouse
from functions.shared.powertools import instrumented
from functions.shared.run_reports import RunReports
from functions.shared.secret_store import read_secret
from functions.shared.settings import load
from functions.shared.tenancy import (
    TenantId,
    checkpoint_prefix,
    dropin_prefix,
    idempotency_prefix,
    quarantine_prefix,
    staged_prefix,
)

STATEMENT_TIMEOUT_SECONDS = 240
LISTINGS_AT_ONCE = 16
OBJECTS_COUNTED = 1000
"""The most that is counted in one place of one tenant; a larger number is not worse."""

FUNCTION = "retention-check"

PREFIXES = {
    "staged": staged_prefix,
    "idempotency": idempotency_prefix,
    "quarantine": quarantine_prefix,
    "uploads": checkpoint_prefix,
}
"""Prefixes in the staging bucket that may hold a tenant's logs, or what is made from them."""


class Listable(Protocol):
    """The part of functions.shared.buckets.contract.Bucket that is used here."""

    def under(self, prefix: str) -> Iterator[ListedObject]: ...


@dataclass(frozen=True, slots=True)
class TenantPrefix:
    """A part of one of our buckets, divided by tenant."""

    bucket: Listable
    prefix: Callable[[TenantId], str]

    def count(self, tenant: TenantId) -> int:
        """How many objects of `tenant` are here, up to OBJECTS_COUNTED."""
        return sum(1 for _ in islice(self.bucket.under(self.prefix(tenant)), OBJECTS_COUNTED))


def places(staging: Bucket, drops: Listable) -> dict[str, TenantPrefix]:
    """Every place in our buckets that may hold customers' logs."""
    staged = {name: TenantPrefix(staging, prefix) for name, prefix in PREFIXES.items()}
    return {**staged, "dropin": TenantPrefix(drops, dropin_prefix)}


@dataclass(frozen=True, slots=True)
class Settings:
    warehouse_secret: str
    accounts_table: str
    staging_bucket: str
    drop_bucket: str
    reports_bucket: str


@dataclass(frozen=True, slots=True)
class RetentionCheck:
    """The parts of this function."""

    partitions: Partitions
    accounts: AccountScan
    places: Mapping[str, TenantPrefix]
    reports: RunReports


@cache
def _retention_check() -> RetentionCheck:
    settings = load(Settings)
    return RetentionCheck(
        Partitions(PlatformWarehouse(settings.warehouse_secret, STATEMENT_TIMEOUT_SECONDS, read_secret)),
        AccountScan(settings.accounts_table),
        places(open_bucket(settings.staging_bucket), DropBucket(client("s3"), settings.drop_bucket)),
        RunReports(open_bucket(settings.reports_bucket)),
    )


@instrumented
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return run(_retention_check(), datetime.now(UTC))


def run(checked: RetentionCheck, now: datetime) -> dict[str, Any]:
    """Check at `now`, publish the metrics, log the findings and store a report."""
    # Rows first, then accounts: an account that signs up while rows are counted is then in the list.
    found = checked.partitions.census()
    accounts = checked.accounts.all()
    late = checked.partitions.rows_before(past_retention(found, accounts, now))
    own = byoc_tenants(accounts, now)
    rows, fault = rows_of(own, found), None
    try:
        objects = _objects(checked.places, own)
    except AstralogError as failed:
        # The findings about rows are reported anyway.
        objects, fault = {}, failed
    _log_findings("rows_past_retention", "warehouse", late.items())
    _log_findings("byoc_at_rest", "warehouse", rows.items())
    for (tenant, place), count in objects.items():
        _log_findings("byoc_at_rest", place, [(tenant, count)])
    oldest = min((each.oldest for each in found), default=None)
    figures = {
        "rows": sum(each.rows for each in found),
        "tenants": len(found),
        "oldest_received": oldest.isoformat() if oldest else None,
        "rows_past_retention": sum(late.values()),
        "tenants_past_retention": len(late),
        "byoc_tenants": len(own),
        "byoc_rows_at_rest": sum(rows.values()),
        "byoc_objects_at_rest": sum(objects.values()),
        "rows_of_unknown_tenants": rows_without_account(found, accounts),
    }
    _measure(figures)
    if fault:
        raise fault
    checked.reports.keep("checks", now, figures)
    return figures


def _objects(
    places: Mapping[str, TenantPrefix], tenants: Sequence[TenantId]
) -> dict[tuple[TenantId, str], int]:
    """How many objects of `tenants` are in each place; places without any are left out."""
    everywhere = [(tenant, name) for tenant in tenants for name in places]
    with ThreadPoolExecutor(LISTINGS_AT_ONCE) as pool:
        counts = pool.map(lambda at: places[at[1]].count(at[0]), everywhere)
        return {at: found for at, found in zip(everywhere, counts, strict=True) if found}


def _log_findings(event: str, place: str, counted: Iterable[tuple[TenantId, int]]) -> None:
    for tenant, count in counted:
        journal.write(event, tenant_id=tenant, place=place, count=count)


def _measure(figures: dict[str, Any]) -> None:
    journal.measure(
        FUNCTION,
        {
            "RowsPastRetention": (figures["rows_past_retention"], "Count"),
            "ByocAtRest": (figures["byoc_rows_at_rest"] + figures["byoc_objects_at_rest"], "Count"),
            "RowsOfUnknownTenants": (figures["rows_of_unknown_tenants"], "Count"),
        },
        rows=figures["rows"],
    )
