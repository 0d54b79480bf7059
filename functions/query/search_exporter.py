"""Search exporter: write the requested exports of search results, and delete their files in time.

Trigger: the scheduler, every two minutes. Promise: each export continues where the last run stopped, in
bounded memory, and is ready only as a whole. Its events are those that the search matches and that were
received before it was requested, in the order of a search with `asc`: all that a search found by then, and
none that was received later (docs/adr/0051). A run that dies, or two runs at once, do no harm. Each account
has one turn of TURN_SECONDS in a run, recorded before it begins, and the account whose last turn is the
longest ago comes first: an export that takes hours delays no other. Exports have engine slots of their own,
and are charged to the row budget of the account. The file of a BYOC customer is written into its bucket.
On failure: the next run continues, and the export's `reason` says what delays it. An export that fails does
not stop the others. An export that cannot succeed, or is not ready after a day, becomes `failed`. A file
whose bucket does not answer is deleted later.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from functions.query.exporting.reader import ExportReader, StatementOf
from functions.query.exporting.run import ExportTooLargeError, RestGoneError, SearchExportRun
from functions.query.exporting.service import exported_events
from functions.query.limits.row_budget import RowBudget, RowRates
from functions.query.results.cursor import BYOC, MANAGED
from functions.query.results.rows import SearchResult
from functions.query.search_settings import SearchSettings
from functions.query.searching.both_stores import find_in_both
from functions.query.searching.byoc_search import ByocSearch
from functions.query.searching.event_search import EventSearch, ManagedSearch
from functions.shared import journal
from functions.shared.access import Principal
from functions.shared.aws_client import s3_client
from functions.shared.buckets.customer import CustomerBucket
from functions.shared.byoc.clients import ByocClients, byoc_clients
from functions.shared.byoc.health import HealthStore
from functions.shared.egress.response_limits import MAX_ANSWER_BYTES
from functions.shared.errors import AstralogError, HttpError
from functions.shared.exports.archives import READ_SECONDS, Archives, NoUploadError
from functions.shared.exports.export_files import ExportFiles
from functions.shared.exports.search_export import ABANDONED_AFTER_SECONDS, SearchExport
from functions.shared.exports.search_exports import SearchExportChangedError, SearchExports
from functions.shared.platform_warehouse import PlatformWarehouse
from functions.shared.powertools import instrumented
from functions.shared.secret_store import read_secret
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client
from functions.shared.tenancy import TenantId, own_export_reads
from functions.shared.turn_log import DynamoTurnLog
from functions.shared.turns import TurnClock, TurnLog, take_turns

FUNCTION = "search-exporter"

TURN_SECONDS = 90
"""One account's share of a run: a minute of reading and uploading, and the time it takes to stop."""

EXPIRED_A_RUN = 200

DELETION_TRIED_SECONDS = 7 * 86_400
"""How long a file is tried to be deleted: a customer's bucket may never answer again."""

_FINAL = {
    "query_too_heavy": "query_too_heavy",
    "invalid_query": "invalid_query",
    "no_destination": "no_destination",
}
"""Errors of a search that do not pass, by code, with the export's reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SearchSettings):
    """`exports_at_once`: statements of one tenant's exports; the rest as functions.query.handler.Settings."""

    search_exports_table: str
    search_budgets_table: str
    turns_table: str
    exports_bucket: str
    exports_at_once: int
    search_rows_a_minute: int
    search_rows_a_minute_of_key: int
    query_result_mb: int = 32


@dataclass(slots=True)
class SearchExporter:
    """The parts of this function. `left`: the seconds left of the current turn; `files`: of an export."""

    exports: SearchExports
    files: Callable[[SearchExport], ExportFiles]
    managed: Callable[[], ManagedSearch]
    byoc: Callable[[], ByocSearch]
    turns: TurnLog
    now: Callable[[], float]
    left: TurnClock
    part_bytes: int | None = None
    outcomes: dict[str, str] = field(default_factory=dict)

    def run(self) -> dict[str, int]:
        """Work on open exports: how many are left, were made and failed, and the oldest's age in seconds."""
        self.outcomes = {}
        now = int(self.now())
        expired = self.exports.expired(now, EXPIRED_A_RUN)
        open_ones = self.exports.to_write()
        ready = [each for each in open_ones if each.busy_until <= now]
        waiting_since: dict[TenantId, float] = {}
        for each in [*expired, *ready]:
            since = float(each.expires_at or each.requested_at)
            waiting_since[each.tenant] = min(since, waiting_since.get(each.tenant, since))

        def work(tenant: TenantId, _turn: int) -> None:
            for each in expired:
                if each.tenant == tenant:
                    self._attempt(each, self._expire)
            for each in ready:
                if each.tenant == tenant:
                    self._attempt(each, self._write)

        take_turns(waiting_since, self.turns, self.left, TURN_SECONDS, work)
        still_open = [each for each in open_ones if self.outcomes.get(each.export_id, "open") == "open"]
        return {
            "open": len(still_open),
            "ready": sum(each == "ready" for each in self.outcomes.values()),
            "failed": sum(each == "failed" for each in self.outcomes.values()),
            "oldest_seconds": max((now - each.requested_at for each in still_open), default=0),
        }

    def _attempt(self, export: SearchExport, work: Callable[[SearchExport], str]) -> None:
        """Record the outcome; no failure of one export stops the others."""
        outcome = "open"
        try:
            outcome = work(export)
        except SearchExportChangedError:
            pass
        except AstralogError as fault:
            journal.write("search_export_delayed", tenant_id=export.tenant, error_type=type(fault).__name__)
        except Exception as fault:  # noqa: BLE001 - the last line of defence: the others continue
            journal.write("unexpected_error", tenant_id=export.tenant, error_type=type(fault).__name__)
        self.outcomes[export.export_id] = outcome

    def _expire(self, export: SearchExport) -> str:
        """Delete an expired file."""
        try:
            self.files(export).delete(export)
        except AstralogError:
            if self.now() < (export.expires_at or 0) + DELETION_TRIED_SECONDS:
                raise
            journal.write("search_export_file_left", tenant_id=export.tenant)
        self.exports.file_deleted(export)
        return "expired"

    def _write(self, export: SearchExport) -> str:
        """Continue an export; its outcome."""
        if self.now() >= export.requested_at + ABANDONED_AFTER_SECONDS:
            return self._fail(export, export.reason or "too_slow")
        if export.request.managed_until and self.now() >= export.request.managed_until:
            return self._fail(export, "moved")
        run: SearchExportRun | None = None
        try:
            run = self._run_of(export)
            return "ready" if run.advance() else "open"
        except SearchExportChangedError:
            raise
        except (NoUploadError, RestGoneError):
            return self._fail(run.export if run else export, "file_deleted")
        except ExportTooLargeError:
            return self._fail(run.export if run else export, "too_large")
        except HttpError as fault:
            if fault.code in _FINAL:
                return self._fail(run.export if run else export, _FINAL[fault.code])
            self._delay(run.export if run else export, fault.code)
            raise
        except AstralogError:
            is_own = export.request.store == BYOC
            self._delay(run.export if run else export, "destination_unavailable" if is_own else "try_again")
            raise

    def _run_of(self, export: SearchExport) -> SearchExportRun:
        run = SearchExportRun(
            export=export,
            reader=ExportReader(exported_events(export.tenant, export.request), self._find_for(export)),
            exports=self.exports,
            files=self.files(export),
            now=self.now,
            left=self.left,
        )
        if self.part_bytes is not None:
            run.part_bytes = self.part_bytes
        return run

    def _delay(self, export: SearchExport, reason: str) -> None:
        """Store what delays it, and release the lease."""
        self.exports.save(replace(export, reason=reason, busy_until=0))

    def _fail(self, export: SearchExport, reason: str) -> str:
        """Delete its objects and set it to `failed`, even if a customer's bucket does not answer."""
        try:
            self.files(export).delete(export)
        except AstralogError:
            if export.request.store != BYOC:
                raise
            journal.write("search_export_file_left", tenant_id=export.tenant)
        self.exports.close(export.failed(reason))
        return "failed"

    def _find_for(self, export: SearchExport) -> Callable[[StatementOf, int], SearchResult]:
        """Runs statements in the account's ClickHouse, in ours, or in both while both have rows."""
        tenant, wanted = export.tenant, export.request

        def managed(compiled: StatementOf) -> SearchResult:
            with self._charged(export):
                return self.managed().find(tenant, compiled(MANAGED, True))

        def byoc(compiled: StatementOf) -> SearchResult:
            with_identity, without = compiled(BYOC, True), compiled(BYOC, False)
            return self.byoc().find(tenant, with_identity, without)

        def find(compiled: StatementOf, limit: int) -> SearchResult:
            if wanted.store == MANAGED:
                return managed(compiled)
            if not wanted.managed_until:
                return byoc(compiled)
            return find_in_both(lambda: byoc(compiled), lambda: managed(compiled), "asc", limit)

        return find

    def _charged(self, export: SearchExport) -> AbstractContextManager[None]:
        """Charges the account and the key or person that requested the export for the rows that it reads."""
        wanted = export.request
        caller = Principal(
            tenant=export.tenant,
            key_id="",
            project_id="",
            scopes=frozenset(),
            retention_days=0,
            bytes_per_second=0,
            refusal="",
            actor=wanted.actor,
            plan=wanted.store,
        )
        return self.managed().charging(caller)


class _RunLeft:
    """The seconds that are left of the current invocation."""

    def __init__(self) -> None:
        self.context: Any = None

    def __call__(self) -> float:
        return float(self.context.get_remaining_time_in_millis()) / 1000


_LEFT = _RunLeft()


@cache
def _managed_search() -> ManagedSearch:
    settings = load(Settings)
    warehouse = PlatformWarehouse(settings.search_secret, settings.query_timeout_seconds + 3, read_secret)
    rates = RowRates(settings.search_rows_a_minute, settings.search_rows_a_minute_of_key)
    return ManagedSearch(
        EventSearch(warehouse, settings.limits),
        settings.exports_at_once,
        settings.row_policy_setting,
        RowBudget(settings.search_budgets_table, rates),
        kind="export",
    )


@cache
def _clients() -> ByocClients:
    return byoc_clients(load(Settings), MAX_ANSWER_BYTES)


@cache
def _byoc_search() -> ByocSearch:
    settings = load(Settings)
    health = HealthStore(settings.health_table)
    timeout_seconds = settings.query_timeout_seconds + 3
    return ByocSearch(_clients(), health, settings.limits, timeout_seconds, own_export_reads)


def _files(export: SearchExport) -> ExportFiles:
    if export.request.store == BYOC:
        return ExportFiles(_clients().archives(export.tenant), _clients().bucket(export.tenant))
    return _managed_files()


@cache
def _managed_files() -> ExportFiles:
    name, s3 = load(Settings).exports_bucket, s3_client(READ_SECONDS)
    return ExportFiles(Archives(name, s3), CustomerBucket(s3, name))


@cache
def _exporter() -> SearchExporter:
    settings, client = load(Settings), open_client()
    return SearchExporter(
        exports=SearchExports(settings.search_exports_table, client),
        files=_files,
        managed=_managed_search,
        byoc=_byoc_search,
        turns=DynamoTurnLog(settings.turns_table, FUNCTION, client),
        now=time.time,
        left=TurnClock(_LEFT),
    )


@instrumented
def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    _LEFT.context = context
    counts = _exporter().run()
    journal.measure(
        FUNCTION,
        {
            "OpenSearchExports": (counts["open"], "Count"),
            "ReadySearchExports": (counts["ready"], "Count"),
            "SearchExportsFailed": (counts["failed"], "Count"),
            "OldestSearchExportSeconds": (counts["oldest_seconds"], "Seconds"),
        },
    )
    return counts
