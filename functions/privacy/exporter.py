"""Exporter: make the requested data exports.

Trigger: the scheduler, every minute. Promise: each requested export continues where the last run stopped, in
bounded memory. It is ready only as a whole, with a manifest that lists every file's SHA-256. A run that dies,
or two runs at once, do no harm. Each account has one turn of TURN_SECONDS in a run, recorded before it
begins, and the account whose last turn is the longest ago comes first: an export that takes hours delays no
other (functions.shared.turns).
On failure: the next run continues. An export that fails does not stop the others. An export that is not ready
after a day is abandoned: its state becomes `failed`, the people of the account are notified once, and the
operator is alarmed (`ExportsFailed`).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from functions.privacy import notice_texts
from functions.privacy.data_inventory import DATA_INVENTORY
from functions.privacy.erasure.objects import count_staged
from functions.privacy.erasure.place import ErasureClock
from functions.privacy.erasure.record import erasure_of
from functions.privacy.export.exclusions import Exclusions
from functions.privacy.export.exports import ExportChangedError, Exports
from functions.privacy.export.logs import NANOSECONDS, LogPeriod, Logs, OldPositionError
from functions.privacy.export.record import FAILED, Export
from functions.privacy.export.run import PART_BYTES, ExportRun
from functions.privacy.export.sources import LogSource, QuarantineSource, SignInSource, Source, TableSource
from functions.privacy.inventory_tables import InventorySettings, InventoryTables
from functions.privacy.notice_texts import PrivacyNotice
from functions.privacy.sign_ins import SignIns
from functions.privacy.wiring import Left, tables
from functions.shared import journal
from functions.shared.accounts.notice_outbox import NoticeOutbox
from functions.shared.buckets.contract import Bucket
from functions.shared.buckets.platform import open_bucket
from functions.shared.errors import AstralogError, PermanentError
from functions.shared.exports.archives import Archives, NoUploadError
from functions.shared.platform_warehouse import PlatformWarehouse
from functions.shared.powertools import instrumented
from functions.shared.secret_store import read_secret
from functions.shared.settings import load
from functions.shared.tables.erasures import ErasureItem
from functions.shared.tables.transaction import Write, open_client
from functions.shared.tenancy import TenantId
from functions.shared.turn_log import DynamoTurnLog
from functions.shared.turns import TurnClock, TurnLog, take_turns
from functions.shared.warehouse import Warehouse

FUNCTION = "exporter"

STATEMENT_TIMEOUT_SECONDS = 60

PATIENCE_SECONDS = 15 * 60
"""How long staged objects delay an export of logs: they are loaded in seconds, unless there is an outage."""

ABANDONED_AFTER_SECONDS = 86_400

TURN_SECONDS = 90
"""One account's share of a run: a minute of reading and uploading, and the time it takes to stop."""


@dataclass(frozen=True, slots=True)
class Settings(InventorySettings):
    identity_pool: str
    staging_bucket: str
    exports_bucket: str
    warehouse_secret: str
    turns_table: str


@dataclass(frozen=True, slots=True)
class Exporter:
    """The parts of this function. `left`: the seconds left of the current turn."""

    tables: InventoryTables
    exports: Exports
    archives: Archives
    sign_ins: SignIns
    staging: Bucket
    warehouse: Callable[[], Warehouse]
    notices: NoticeOutbox
    now: Callable[[], float]
    left: TurnClock
    turns: TurnLog
    part_bytes: int = PART_BYTES

    def run(self) -> dict[str, int]:
        """Work on open exports: how many are left, were made and failed, and the oldest's age in seconds."""
        due = self.exports.due()
        ready: dict[TenantId, list[Export]] = {}
        for each in due:
            if max(each.busy_until, each.began_at) <= self.now():
                ready.setdefault(each.tenant, []).append(each)
        outcomes: dict[str, str] = {}

        def work(tenant: TenantId, _turn: int) -> None:
            for each in ready[tenant]:
                outcomes[each.export_id] = self._work_on(each)

        waiting_since = {tenant: float(exports[0].requested_at) for tenant, exports in ready.items()}
        take_turns(waiting_since, self.turns, self.left, TURN_SECONDS, work)
        still_open = [each for each in due if outcomes.get(each.export_id, "open") == "open"]
        waited = [int(self.now()) - each.requested_at for each in still_open]
        return {
            "open": len(still_open),
            "ready": sum(each == "ready" for each in outcomes.values()),
            "failed": sum(each == "failed" for each in outcomes.values()),
            "oldest_seconds": max(waited, default=0),
        }

    def _work_on(self, export: Export) -> str:
        """The outcome; no failure of one export, nor of abandoning it, stops the others."""
        try:
            return self._outcome(export)
        except ExportChangedError:
            return "open"
        except AstralogError as fault:
            journal.write("export_hindered", tenant_id=export.tenant, error_type=type(fault).__name__)
            return "open"
        except Exception as fault:  # noqa: BLE001 - the last line of defence: the others continue
            journal.write("unexpected_error", tenant_id=export.tenant, error_type=type(fault).__name__)
            return "open"

    def _outcome(self, export: Export) -> str:
        try:
            if self.now() >= export.requested_at + ABANDONED_AFTER_SECONDS:
                return self._abandon(export)
            if self._staged(export) and self.now() < export.requested_at + PATIENCE_SECONDS:
                return "open"
            return "ready" if self._run_of(export).advance() else "open"
        except (NoUploadError, OldPositionError):
            return self._restart(export)
        except PermanentError as fault:
            journal.write("export_failed", tenant_id=export.tenant, error_type=type(fault).__name__)
            return self._abandon(export)

    def _run_of(self, export: Export) -> ExportRun:
        return ExportRun(
            export=export,
            sources=self._sources(export),
            exports=self.exports,
            archives=self.archives,
            now=self.now,
            left=self.left,
            waiting=lambda: self._staged(export),
            notice_items=lambda ready: self._notice_items(ready.tenant, notice_texts.export_ready(ready)),
            part_bytes=self.part_bytes,
        )

    def _sources(self, export: Export) -> list[Source]:
        tenant = export.tenant
        found: list[Source] = [TableSource(self.tables, each, tenant) for each in DATA_INVENTORY if each.file]
        found.append(SignInSource(self.sign_ins, lambda: self._people_of(tenant)))
        if export.logs_from is not None and export.logs_to is not None:
            period = LogPeriod(
                export.logs_from * NANOSECONDS, export.logs_to * NANOSECONDS, export.began_at * 1_000_000
            )
            exclusions = self._exclusions(tenant)
            found.append(QuarantineSource(self.staging, tenant, exclusions))
            found.append(LogSource(Logs(self.warehouse(), tenant, period, exclusions=exclusions)))
        return found

    def _exclusions(self, tenant: TenantId) -> Exclusions:
        return Exclusions.by(map(erasure_of, self.tables.table(ErasureItem, "erasures").query(str(tenant))))

    def _people_of(self, tenant: TenantId) -> Sequence[str]:
        people = next(each for each in DATA_INVENTORY if each.table == "people")
        return [item["subject"] for item in self.tables.items(people, tenant)]

    def _staged(self, export: Export) -> int:
        """How many staged objects may hold events that belong to it."""
        if export.logs_from is None:
            return 0
        until = datetime.fromtimestamp(export.began_at, UTC)
        return count_staged(self.staging, export.tenant, ErasureClock(self.now, self.left), until)

    def _notice_items(self, tenant: TenantId, notice: PrivacyNotice) -> Sequence[Write]:
        return [self.notices.put_item(tenant, notice.notice_id, notice.kind, notice.title, notice.text)]

    def _restart(self, export: Export) -> str:
        """Restart it: S3 aborted the upload, as its lifecycle rule does after a day, or an erasure did.

        Or a version that wrote the events in another order has begun it.
        """
        try:
            found = self.exports.of(export.tenant, export.export_id)
            if found and found.open:
                self.exports.begin_again(found, int(self.now()))
        except ExportChangedError:
            pass
        return "open"

    def _abandon(self, export: Export) -> str:
        found = self.exports.of(export.tenant, export.export_id)
        if found is None or not found.open:
            return "open"
        if found.progress.upload_id:
            self.archives.abort(found.object_key, found.progress.upload_id)
        notice = notice_texts.export_failed(found)
        self.exports.finish(replace(found, state=FAILED), self._notice_items(found.tenant, notice))
        return "failed"


_LEFT = Left()


@cache
def _exporter() -> Exporter:
    settings, client = load(Settings), open_client()
    return Exporter(
        tables=tables(settings, client),
        exports=Exports(settings.exports_table, client),
        archives=Archives(settings.exports_bucket),
        sign_ins=SignIns(settings.identity_pool),
        staging=open_bucket(settings.staging_bucket),
        warehouse=lambda: _warehouse(settings.warehouse_secret),
        notices=NoticeOutbox(settings.notices_table, client),
        now=time.time,
        left=TurnClock(_LEFT),
        turns=DynamoTurnLog(settings.turns_table, FUNCTION, client),
    )


@cache
def _warehouse(secret: str) -> Warehouse:
    return PlatformWarehouse(secret, STATEMENT_TIMEOUT_SECONDS, read_secret)


@instrumented
def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    _LEFT.context = context
    counts = _exporter().run()
    journal.measure(
        FUNCTION,
        {
            "OpenExports": (counts["open"], "Count"),
            "ReadyExports": (counts["ready"], "Count"),
            "ExportsFailed": (counts["failed"], "Count"),
            "OldestExportSeconds": (counts["oldest_seconds"], "Seconds"),
        },
    )
    return counts
