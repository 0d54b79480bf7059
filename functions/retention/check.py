"""Check: does anything rest with us for longer than it may?

Trigger: the scheduler, every six hours. Promise: it is counted, by looking at the rows, what outlives its
limit by more than a day, tenant by tenant, and what there is of BYOC customers in our ClickHouse and in our
buckets, where nothing of theirs may rest; alarms hang on both. Our queues hold keys of objects and no logs.
Nothing is changed. The figures are kept as a report, the tenants are in the log.
On failure: it raises, and the next run looks again.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any

from functions.retention.accounts import Accounts
from functions.retention.census import in_their_own_cloud, overdue, rows_of, rows_of_nobody
from functions.retention.partitions import Partitions
from functions.shared import journal
from functions.shared.address import Address
from functions.shared.buckets.contract import Bucket
from functions.shared.buckets.own import open_bucket
from functions.shared.reports import Reports
from functions.shared.secret_store import read_secret
from functions.shared.settings import load
from functions.shared.tenancy import TenantId, idempotency_prefix, quarantine_prefix, staged_prefix
from functions.shared.warehouse import Warehouse

STATEMENT_TIMEOUT_SECONDS = 240
LISTINGS_AT_ONCE = 16
OBJECTS_COUNTED = 1000
"""In one place of one tenant; more is not worse."""

FUNCTION = "retention-check"

PREFIXES = {"staged": staged_prefix, "idempotency": idempotency_prefix, "quarantine": quarantine_prefix}
"""Where in the staging bucket a tenant's logs, or what is made from them, may lie."""


@dataclass(frozen=True, slots=True)
class Settings:
    warehouse_secret: str
    accounts_table: str
    staging_bucket: str
    reports_bucket: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """The parts of this function."""

    partitions: Partitions
    accounts: Accounts
    staging: Bucket
    reports: Reports


@cache
def _inspection() -> Inspection:
    settings = load(Settings)
    address = Address.from_json(read_secret(settings.warehouse_secret))
    return Inspection(
        Partitions(Warehouse(address, STATEMENT_TIMEOUT_SECONDS)),
        Accounts(settings.accounts_table),
        open_bucket(settings.staging_bucket),
        Reports(open_bucket(settings.reports_bucket)),
    )


def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return run(_inspection(), datetime.now(UTC))


def run(inspection: Inspection, now: datetime) -> dict[str, Any]:
    """Look at `now`, measure, tell, and keep a report."""
    # In this order: who signs up while rows are counted has an account when it is looked for.
    found = inspection.partitions.census()
    accounts = inspection.accounts.all()
    late = inspection.partitions.rows_before(overdue(found, accounts, now))
    own = in_their_own_cloud(accounts, now)
    rows, objects = rows_of(own, found), _objects(inspection.staging, own)
    _tell("rows_overdue", "warehouse", late.items())
    _tell("byoc_at_rest", "warehouse", rows.items())
    for (tenant, place), count in objects.items():
        _tell("byoc_at_rest", place, [(tenant, count)])
    oldest = min((each.oldest for each in found), default=None)
    told = {
        "rows": sum(each.rows for each in found),
        "tenants": len(found),
        "oldest_received": oldest.isoformat() if oldest else None,
        "rows_overdue": sum(late.values()),
        "tenants_overdue": len(late),
        "byoc_tenants": len(own),
        "byoc_rows_at_rest": sum(rows.values()),
        "byoc_objects_at_rest": sum(objects.values()),
        "rows_of_nobody": rows_of_nobody(found, accounts),
    }
    _measure(told)
    inspection.reports.keep("checks", now, told)
    return told


def _objects(bucket: Bucket, tenants: Sequence[TenantId]) -> dict[tuple[TenantId, str], int]:
    """How many objects of `tenants` lie where, up to OBJECTS_COUNTED each; none where there are none."""
    places = [(tenant, place) for tenant in tenants for place in PREFIXES]

    def count(at: tuple[TenantId, str]) -> int:
        tenant, place = at
        return sum(1 for _ in islice(bucket.under(PREFIXES[place](tenant)), OBJECTS_COUNTED))

    with ThreadPoolExecutor(LISTINGS_AT_ONCE) as pool:
        return {at: found for at, found in zip(places, pool.map(count, places), strict=True) if found}


def _tell(event: str, place: str, counted: Iterable[tuple[TenantId, int]]) -> None:
    for tenant, count in counted:
        journal.write(event, tenant_id=tenant, place=place, count=count)


def _measure(told: dict[str, Any]) -> None:
    journal.measure(
        FUNCTION,
        {
            "RowsOverdue": (told["rows_overdue"], "Count"),
            "ByocAtRest": (told["byoc_rows_at_rest"] + told["byoc_objects_at_rest"], "Count"),
            "RowsOfNobody": (told["rows_of_nobody"], "Count"),
        },
        rows=told["rows"],
    )
