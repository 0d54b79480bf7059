"""Purge: logs leave when their plan's days are over.

Trigger: the scheduler, every hour. Promise: a partition whose day of expiry is past (UTC) is dropped, whole,
but for rows of tenants who have a longer plan since; rows of tenants who have a shorter one leave the
partitions that are yet to come. The quarantine is held to the same days, and nothing is left in our buckets
of who has moved to a cloud of their own. What was removed and what is the oldest left is measured, and kept
as a report. Doing it twice does no harm.
On failure: each removal stands alone; one that fails is logged, the others go on, and the next hour tries
again. `PartitionsOverdue` counts those left more than a day after their time: an alarm hangs on it. When the
warehouse or the accounts cannot be read nothing is removed and the run raises.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from functions.retention.accounts import Accounts
from functions.retention.left_behind import Drops, forget_left_behind
from functions.retention.limits import limits_of, moved, shortened
from functions.retention.partitions import Partitions
from functions.retention.purge import Purged, purge
from functions.retention.set_aside import forget_expired
from functions.shared import journal
from functions.shared.address import Address
from functions.shared.aws_client import client
from functions.shared.buckets.contract import Bucket
from functions.shared.buckets.drops import DropBucket
from functions.shared.buckets.own import open_bucket
from functions.shared.errors import AstralogError
from functions.shared.reports import Reports
from functions.shared.secret_store import read_secret
from functions.shared.settings import load
from functions.shared.warehouse import Warehouse

T = TypeVar("T")

STATEMENT_TIMEOUT_SECONDS = 600
A_REMOVAL_SECONDS = 120
"""What is to be left of a run before another removal begins; most take less than one."""

A_STEP_SECONDS = 60
"""The same before another thousand objects of a bucket are looked at."""

AFTER_MIDNIGHT = timedelta(minutes=10)
"""Longer than an insert that began before midnight can take: nobody writes into a day that is over."""

FUNCTION = "retention"


@dataclass(frozen=True, slots=True)
class Settings:
    warehouse_secret: str
    accounts_table: str
    staging_bucket: str
    drop_bucket: str
    reports_bucket: str


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The parts of this function."""

    partitions: Partitions
    accounts: Accounts
    staging: Bucket
    drops: Drops
    reports: Reports


@cache
def _upkeep() -> Upkeep:
    settings = load(Settings)
    address = Address.from_json(read_secret(settings.warehouse_secret))
    return Upkeep(
        Partitions(Warehouse(address, STATEMENT_TIMEOUT_SECONDS)),
        Accounts(settings.accounts_table),
        open_bucket(settings.staging_bucket),
        DropBucket(client("s3"), settings.drop_bucket),
        Reports(open_bucket(settings.reports_bucket)),
    )


def handler(_event: dict[str, Any], context: Any) -> dict[str, Any]:
    return run(_upkeep(), datetime.now(UTC), lambda: context.get_remaining_time_in_millis() / 1000)


def run(upkeep: Upkeep, now: datetime, seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Remove what is due at `now`, tell of it, and keep a report if there is anything to report."""
    started, today = time.monotonic(), day_of(now)
    accounts = upkeep.accounts.all()
    limits = limits_of(accounts, now.timestamp())
    purged = purge(
        upkeep.partitions,
        today,
        limits,
        shortened(accounts, now.timestamp()),
        lambda: seconds_left() > A_REMOVAL_SECONDS,
    )

    def is_time_for_a_step() -> bool:
        return seconds_left() > A_STEP_SECONDS

    forgotten = _tried(lambda: forget_expired(upkeep.staging, limits, today, is_time_for_a_step))
    leaving = moved(accounts, now.timestamp())
    left_behind = _tried(
        lambda: forget_left_behind(upkeep.staging, upkeep.drops, leaving, now, is_time_for_a_step)
    )
    failed = purged.failed + (forgotten is None or forgotten.undone > 0) + (left_behind is None)
    _measure(purged, forgotten.rows if forgotten else 0, failed, round((time.monotonic() - started) * 1000))
    told = {
        "today": today.isoformat(),
        **asdict(purged),
        "quarantined": asdict(forgotten) if forgotten else None,
        "left_behind": left_behind,
    }
    of_quarantine = forgotten is None or forgotten.documents or forgotten.undone
    if purged.tells_something or of_quarantine or left_behind != 0:
        upkeep.reports.keep("purges", now, told)
    return told


def day_of(now: datetime) -> date:
    """The day that is to be taken for today: the one before, until nothing can be under way any more."""
    return (now.astimezone(UTC) - AFTER_MIDNIGHT).date()


def _tried(removal: Callable[[], T]) -> T | None:
    """What it came to; None when S3 did not let us look, or delete."""
    try:
        return removal()
    except AstralogError as fault:
        journal.write("purge_failed", error_type=type(fault).__name__, reason=str(fault))
        return None


def _measure(purged: Purged, quarantined_rows: int, failed: int, duration_ms: int) -> None:
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
            "PartitionsOverdue": (purged.overdue, "Count"),
        },
        expires_on=purged.oldest_left or "",
        duration_ms=duration_ms,
    )
