"""Telemetry: how much was stored and the health of the service, by day, without reference to any tenant.

Trigger: the scheduler, once a day. Promise: for each of the last completed days there is one document,
written once, with the fields on a list and no others, in groups that reveal no tenant
(functions.retention.anonymous; docs/telemetry.md describes each field). Its sources exist anyway: the counts
of metering and the metrics of functions.
On failure: it raises; the next run writes the missing documents.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from functions.retention.accounts import AccountScan
from functions.retention.anonymous import Line, document, encoded
from functions.retention.daily_usage import DailyUsageReader
from functions.retention.function_metrics import FunctionMetricsReader
from functions.shared import journal
from functions.shared.buckets.contract import Bucket
from functions.shared.buckets.platform import open_bucket
from functions.shared.errors import AstralogError
from functions.shared.powertools import instrumented
from functions.shared.settings import load

SETTLED_AFTER = timedelta(hours=6)
"""Logs received on a day are stored and counted by then; later ones are in no document."""

DAYS_BACK = 7
"""How many days back a run looks for days without a document."""

NDJSON = {"Content-Type": "application/x-ndjson"}


@dataclass(frozen=True, slots=True)
class Settings:
    accounts_table: str
    usage_table: str
    reports_bucket: str


@dataclass(frozen=True, slots=True)
class TelemetryService:
    """The parts of this function."""

    accounts: AccountScan
    usage: DailyUsageReader
    metrics: FunctionMetricsReader
    reports: Bucket


@cache
def _service() -> TelemetryService:
    settings = load(Settings)
    return TelemetryService(
        AccountScan(settings.accounts_table),
        DailyUsageReader(settings.usage_table),
        FunctionMetricsReader(),
        open_bucket(settings.reports_bucket),
    )


@instrumented
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return run(_service(), datetime.now(UTC))


def run(service: TelemetryService, now: datetime) -> dict[str, Any]:
    """Write the documents that are missing at `now`; the lines of each, by day.

    A day that fails does not stop the other days: its error is raised at the end.
    """
    written: dict[str, list[Line]] = {}
    faults: list[AstralogError] = []
    for day in _days(now):
        try:
            if lines := _write(service, day):
                written[day.isoformat()] = lines
        except AstralogError as fault:
            faults.append(fault)
    journal.measure("telemetry", {"TelemetryDays": (len(written), "Count")})
    if faults:
        raise faults[0]
    return written


def _write(service: TelemetryService, day: date) -> list[Line] | None:
    """The lines of the document of `day`; None if it already existed."""
    key = key_of(day)
    if service.reports.etag_of(key) is not None:
        return None
    lines = _lines(service, day)
    # Created, never replaced: the difference between two versions of a day would reveal data.
    return None if service.reports.create(key, encoded(lines), NDJSON) is None else lines


def key_of(day: date) -> str:
    """The key of the document of `day`."""
    return f"telemetry/day={day.isoformat()}.ndjson"


def _days(now: datetime) -> Iterator[date]:
    today = (now.astimezone(UTC) - SETTLED_AFTER).date()
    return (today - timedelta(days=back) for back in range(DAYS_BACK, 0, -1))


def _lines(service: TelemetryService, day: date) -> list[Line]:
    used = service.usage.of(service.accounts.all(), day)
    return document(used, service.metrics.of(day), day)
