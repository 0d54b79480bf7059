"""Eraser for BYOC: erase persons in customers' own buckets and ClickHouses.

Trigger: the scheduler, every five minutes. Promise: that of functions.privacy.eraser, for erasures of persons
whose account is on BYOC. It is a separate function, because a customer's endpoint may be hostile: endless,
silent, or a bomb. Whatever it does to this process, no erasure of an account on our managed plans waits for
it (docs/adr/0018).
Between BYOC accounts: each has one turn of TURN_SECONDS in a run, recorded before it begins, and the run
waits for no answer beyond the end of the turn. If a run dies in the middle of a turn, that account comes
after all others. Listings, documents and answers are bounded in bytes and time. If a bound is exceeded, the
erasure waits, and its `waits_for` shows the reason to the customer.
On failure: as functions.privacy.eraser. An alarm is on `ErasuresLate`.
"""

import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.privacy.eraser import Eraser, metrics
from functions.privacy.erasure.drop_bucket import ErasableDropBucket
from functions.privacy.erasure.erasures import Erasures
from functions.privacy.erasure.person_planner import PersonErasurePlanner
from functions.privacy.erasure.place import ErasureClock
from functions.privacy.erasure.receipt_table import ErasureReceipts
from functions.privacy.erasure.rows import STATEMENT_TIMEOUT_SECONDS, EventRows
from functions.privacy.export.exports import Exports
from functions.privacy.wiring import Left, tables
from functions.shared import journal
from functions.shared.accounts.audit import AuditTrail
from functions.shared.accounts.notice_outbox import NoticeOutbox
from functions.shared.buckets.platform import open_bucket
from functions.shared.byoc.clients import byoc_clients
from functions.shared.byoc.settings import ByocSettings
from functions.shared.exports.archives import Archives
from functions.shared.exports.search_exports import SearchExports
from functions.shared.platform_warehouse import PlatformWarehouse
from functions.shared.powertools import instrumented
from functions.shared.secret_store import read_secret
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client
from functions.shared.turn_log import DynamoTurnLog
from functions.shared.turns import TurnClock

FUNCTION = "eraser-byoc"

TURN_SECONDS = 200
"""A statement of two minutes, and the work before and after it. Four full turns fit into a run."""


@dataclass(frozen=True, slots=True)
class Settings(ByocSettings):
    accounts_table: str
    audit_table: str
    notices_table: str
    uploads_table: str
    exports_table: str
    search_exports_table: str
    erasures_table: str
    receipts_table: str
    turns_table: str
    staging_bucket: str
    drop_bucket: str
    exports_bucket: str
    warehouse_secret: str


_LEFT = Left()


@cache
def _eraser() -> Eraser:
    settings, client = load(Settings), open_client()
    clock = TurnClock(_LEFT)
    given = ErasureClock(time.time, clock)
    receipts = ErasureReceipts(settings.receipts_table, client)
    planner = PersonErasurePlanner(
        tables=tables(settings, client),
        exports=Exports(settings.exports_table, client),
        archives=Archives(settings.exports_bucket),
        search_exports=SearchExports(settings.search_exports_table, client),
        drops=ErasableDropBucket(settings.drop_bucket),
        staging=open_bucket(settings.staging_bucket),
        exports_bucket=open_bucket(settings.exports_bucket),
        rows=EventRows(PlatformWarehouse(settings.warehouse_secret, STATEMENT_TIMEOUT_SECONDS, read_secret)),
        time=given,
        byoc_clients=byoc_clients(settings),
    )
    return Eraser(
        Erasures(settings.erasures_table, settings.accounts_table, receipts, client),
        planner,
        AuditTrail(settings.audit_table, client),
        NoticeOutbox(settings.notices_table, client),
        DynamoTurnLog(settings.turns_table, FUNCTION, client),
        given,
        clock,
        reaches_byoc=True,
        turn_seconds=TURN_SECONDS,
    )


@instrumented
def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    _LEFT.context = context
    counts = _eraser().run()
    journal.measure(FUNCTION, metrics(counts))
    return counts
