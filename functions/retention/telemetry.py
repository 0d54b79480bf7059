"""Telemetry: how much was stored and how the service did, by day, of nobody in particular.

Trigger: the scheduler, once a day. Promise: for each of the last days that is over there is one document,
written once, of the fields on a list and no others, in groups that tell of no tenant
(functions.retention.anonymous; docs/telemetry.md field by field). It is made of what we keep anyway: what
metering counts, and the metrics of functions.
On failure: it raises; the next run makes what is missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from functions.retention.accounts import Accounts
from functions.retention.anonymous import Line, document, encoded
from functions.retention.used import UsageDays
from functions.retention.vitals import Metrics
from functions.shared import journal
from functions.shared.buckets.contract import Bucket
from functions.shared.buckets.own import open_bucket
from functions.shared.errors import AstralogError
from functions.shared.settings import load

SETTLED_AFTER = timedelta(hours=6)
"""What was received on a day is stored and counted by then; who comes later is in no document."""

DAYS_BACK = 7
"""How far a run looks for days that have none."""

NDJSON = {"Content-Type": "application/x-ndjson"}


@dataclass(frozen=True, slots=True)
class Settings:
    accounts_table: str
    usage_table: str
    reports_bucket: str


@dataclass(frozen=True, slots=True)
class Observatory:
    """The parts of this function."""

    accounts: Accounts
    usage: UsageDays
    metrics: Metrics
    reports: Bucket


@cache
def _observatory() -> Observatory:
    settings = load(Settings)
    return Observatory(
        Accounts(settings.accounts_table),
        UsageDays(settings.usage_table),
        Metrics(),
        open_bucket(settings.reports_bucket),
    )


def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return run(_observatory(), datetime.now(UTC))


def run(observatory: Observatory, now: datetime) -> dict[str, Any]:
    """Write the documents that are missing at `now`; the days of those, and their lines.

    A day that cannot be told of keeps no other from it: what went wrong is raised in the end.
    """
    written: dict[str, list[Line]] = {}
    faults: list[AstralogError] = []
    for day in _days(now):
        try:
            if lines := _written(observatory, day):
                written[day.isoformat()] = lines
        except AstralogError as fault:
            faults.append(fault)
    journal.measure("telemetry", {"TelemetryDays": (len(written), "Count")})
    if faults:
        raise faults[0]
    return written


def _written(observatory: Observatory, day: date) -> list[Line] | None:
    """The lines of the document of `day`; None if there was one already."""
    key = key_of(day)
    if observatory.reports.etag_of(key) is not None:
        return None
    lines = _lines(observatory, day)
    # Created, never replaced: two versions of a day would tell by what they differ.
    return None if observatory.reports.create(key, encoded(lines), NDJSON) is None else lines


def key_of(day: date) -> str:
    """Where the document of `day` lies."""
    return f"telemetry/day={day.isoformat()}.ndjson"


def _days(now: datetime) -> Iterator[date]:
    today = (now.astimezone(UTC) - SETTLED_AFTER).date()
    return (today - timedelta(days=back) for back in range(DAYS_BACK, 0, -1))


def _lines(observatory: Observatory, day: date) -> list[Line]:
    used = observatory.usage.of(observatory.accounts.all(), day)
    return document(used, observatory.metrics.of(day), day)
