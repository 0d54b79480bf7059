"""Purge: delete logs when the days of their plan are over.

Trigger: the scheduler, every hour. Promise: a partition whose expiry day (UTC) is past is dropped as a whole,
except for rows of tenants who have changed to a longer plan. Rows of tenants who have changed to a shorter
plan are deleted from partitions that are not yet expired. The same days apply to the quarantine. Nothing is
left in our buckets of tenants who have moved to BYOC. The run measures what it removed and what is the oldest
left, and stores a report. Running it twice does no harm.
On failure: each removal is independent. One that fails is logged, the others continue, and the next hour
retries. `PartitionsPastRetention` counts the partitions left more than a day after their expiry and has an
alarm. If the warehouse or the accounts cannot be read, nothing is removed and the run raises.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from functions.retention.accounts import AccountScan
from functions.retention.byoc_leftovers import Drops, delete_leftovers
from functions.retention.limits import limits_of, moved_to_byoc, shortened
from functions.retention.partitions import Partitions
from functions.retention.purge import PurgeResult, purge
from functions.retention.quarantine_expiry import delete_expired
from functions.shared import journal
from functions.shared.aws_client import client
from functions.shared.buckets.contract import Bucket
from functions.shared.buckets.drop_bucket import DropBucket
from functions.shared.buckets.platform import open_bucket
from functions.shared.errors import AstralogError
from functions.shared.platform_warehouse import PlatformWarehouse
from functions.shared.powertools import instrumented
from functions.shared.run_reports import RunReports
from functions.shared.secret_store import read_secret
from functions.shared.settings import load

T = TypeVar("T")

STATEMENT_TIMEOUT_SECONDS = 600
A_REMOVAL_SECONDS = 120
"""The time that must be left of a run before another removal begins; most take less than one second."""

A_STEP_SECONDS = 60
"""The time that must be left before another thousand objects of a bucket are listed."""

AFTER_MIDNIGHT = timedelta(minutes=10)
"""Longer than an insert that began before midnight can take: after it, no insert writes into the past day."""

FUNCTION = "retention"


@dataclass(frozen=True, slots=True)
class Settings:
    warehouse_secret: str
    accounts_table: str
    staging_bucket: str
    drop_bucket: str
    reports_bucket: str


@dataclass(frozen=True, slots=True)
class PurgeService:
    """The parts of this function."""

    partitions: Partitions
    accounts: AccountScan
    staging: Bucket
    drops: Drops
    reports: RunReports


@cache
def _service() -> PurgeService:
    settings = load(Settings)
    return PurgeService(
        Partitions(PlatformWarehouse(settings.warehouse_secret, STATEMENT_TIMEOUT_SECONDS, read_secret)),
        AccountScan(settings.accounts_table),
        open_bucket(settings.staging_bucket),
        DropBucket(client("s3"), settings.drop_bucket),
        RunReports(open_bucket(settings.reports_bucket)),
    )


@instrumented
def handler(_event: dict[str, Any], context: Any) -> dict[str, Any]:
    return run(_service(), datetime.now(UTC), lambda: context.get_remaining_time_in_millis() / 1000)


def run(service: PurgeService, now: datetime, seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Delete what is expired at `now`, publish metrics, and store a report if there is anything to report."""
    started, today = time.monotonic(), day_of(now)
    accounts = service.accounts.all()
    limits = limits_of(accounts, now.timestamp())
    purged = purge(
        service.partitions,
        today,
        limits,
        shortened(accounts, now.timestamp()),
        lambda: seconds_left() > A_REMOVAL_SECONDS,
    )

    def is_time_for_a_step() -> bool:
        return seconds_left() > A_STEP_SECONDS

    expired_documents = _tried(lambda: delete_expired(service.staging, limits, today, is_time_for_a_step))
    leaving = moved_to_byoc(accounts, now.timestamp())
    left_behind = _tried(
        lambda: delete_leftovers(service.staging, service.drops, leaving, now, is_time_for_a_step)
    )
    failed = (
        purged.failed + (expired_documents is None or expired_documents.undone > 0) + (left_behind is None)
    )
    _measure(
        purged,
        expired_documents.rows if expired_documents else 0,
        failed,
        round((time.monotonic() - started) * 1000),
    )
    report = {
        "today": today.isoformat(),
        **asdict(purged),
        "quarantined": asdict(expired_documents) if expired_documents else None,
        "left_behind": left_behind,
    }
    of_quarantine = expired_documents is None or expired_documents.documents or expired_documents.undone
    if purged.is_notable or of_quarantine or left_behind != 0:
        service.reports.keep("purges", now, report)
    return report


def day_of(now: datetime) -> date:
    """The day to use as today: the previous day, until no insert of it can be under way."""
    return (now.astimezone(UTC) - AFTER_MIDNIGHT).date()


def _tried(removal: Callable[[], T]) -> T | None:
    """The result; None if S3 rejected or failed a listing or a deletion."""
    try:
        return removal()
    except AstralogError as fault:
        journal.write("purge_failed", error_type=type(fault).__name__, reason=str(fault))
        return None


def _measure(purged: PurgeResult, quarantined_rows: int, failed: int, duration_ms: int) -> None:
    journal.measure(
        FUNCTION,
        {
            "RowsPurged": (purged.rows, "Count"),
            "BytesPurged": (purged.bytes, "Bytes"),
            "PartitionsPurged": (purged.partitions, "Count"),
            "PartitionsThinned": (purged.thinned, "Count"),
            "PartitionsShortened": (purged.shortened, "Count"),
            "QuarantinedRowsPurged": (quarantined_rows, "Count"),
            "PurgesFailed": (failed, "Count"),
            "PartitionsPastRetention": (purged.overdue, "Count"),
        },
        expires_on=purged.oldest_left or "",
        duration_ms=duration_ms,
    )
