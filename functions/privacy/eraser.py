"""Eraser: erase what was requested, and verify that nothing is left.

Trigger: the scheduler, every five minutes. Promise: each open erasure continues where the last run stopped.
It is verified only after a round through all places that found nothing and began when nothing more could
arrive. Then its receipt is added to the chain. A run that dies, or two runs at once, do no harm: each step is
recorded, and a repeated step finds nothing. Unconfirmed sign-ups older than eight days are deleted from
Cognito as well.
Each account has one turn of TURN_SECONDS in a run, however many erasures it has requested, and the account
whose last turn is the longest ago comes first (functions.shared.turns). Erasures that reach a customer's own
bucket and ClickHouse run in functions.privacy.byoc_eraser, in another process: it can take no time and no
memory from this one.
On failure: a place that cannot be emptied is left for a later round, and the other places continue. An
erasure that fails does not stop the other erasures. An erasure that takes longer than a day, or than the law
allows, alarms the operator (`OldestErasureSeconds`, `ErasuresLate`).
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from functions.privacy import notice_texts
from functions.privacy.erasure.drop_bucket import ErasableDropBucket
from functions.privacy.erasure.erasures import ErasureChangedError, Erasures
from functions.privacy.erasure.place import ErasureClock
from functions.privacy.erasure.planner import ErasurePlanner
from functions.privacy.erasure.receipt_table import ErasureReceipts
from functions.privacy.erasure.record import PERSON, Erasure
from functions.privacy.erasure.rows import STATEMENT_TIMEOUT_SECONDS, EventRows
from functions.privacy.erasure.run import RESERVE_SECONDS, ErasureRun
from functions.privacy.export.exports import Exports
from functions.privacy.inventory_tables import InventorySettings
from functions.privacy.sign_ins import SignIns
from functions.privacy.unconfirmed_signups import UnconfirmedSignUps
from functions.privacy.wiring import Left, tables
from functions.shared import journal
from functions.shared.accounts.account_closings import AccountClosings
from functions.shared.accounts.audit import AuditTrail, Origin
from functions.shared.accounts.notice_outbox import NoticeOutbox
from functions.shared.accounts.suppressions import Suppressions
from functions.shared.accounts.tombstones import Tombstones
from functions.shared.buckets.platform import open_bucket
from functions.shared.byoc.encryption import Shards
from functions.shared.egress.response_limits import bounded
from functions.shared.errors import AstralogError
from functions.shared.exports.archives import Archives
from functions.shared.exports.search_exports import SearchExports
from functions.shared.platform_warehouse import PlatformWarehouse
from functions.shared.powertools import instrumented
from functions.shared.secret_store import read_secret
from functions.shared.settings import load
from functions.shared.tables.transaction import Write, open_client
from functions.shared.tenancy import TenantId
from functions.shared.turn_log import DynamoTurnLog
from functions.shared.turns import TurnClock, TurnLog, rotated, take_turns

FUNCTION = "eraser"

TURN_SECONDS = 180
"""One account's share of a run: a statement that rewrites parts may take two minutes of it."""

RESERVED_FOR_SIGN_UPS_SECONDS = 60

ERASER = Origin("eraser", "", "")
"""The actor in the audit trail."""


@dataclass(frozen=True, slots=True)
class Settings(InventorySettings):
    shards_table: str
    suppressions_table: str
    identity_pool: str
    staging_bucket: str
    drop_bucket: str
    exports_bucket: str
    warehouse_secret: str
    receipts_table: str
    tombstones_table: str
    turns_table: str


class Planner(Protocol):
    """The part of functions.privacy.erasure.planner.ErasurePlanner that is used here."""

    def of(self, erasure: Erasure) -> ErasureRun: ...


@dataclass(frozen=True, slots=True)
class Eraser:
    """Works on erasures, turn by turn.

    `reaches_byoc`: True for only the erasures that reach a BYOC customer's destination, False for all others.
    `time.left` has to be `clock`, so that a place stops when its account's turn is over.
    """

    erasures: Erasures
    planner: Planner
    audit: AuditTrail
    notices: NoticeOutbox
    turns: TurnLog
    time: ErasureClock
    clock: TurnClock
    reaches_byoc: bool = False
    turn_seconds: float = TURN_SECONDS

    def run(self) -> dict[str, int]:
        """Work on open erasures; the figures of the run, see `metrics`."""
        now, ready = self.time.now(), self._ready()
        verified = 0

        def work(tenant: TenantId, turn: int) -> None:
            nonlocal verified
            for each in rotated(ready[tenant], turn - 1):
                if self.clock() >= RESERVE_SECONDS:
                    verified += self._work_on(each)

        waiting_since = {tenant: float(open_ones[0].starts_at) for tenant, open_ones in ready.items()}
        take_turns(waiting_since, self.turns, self.clock, self.turn_seconds, work)
        left = self._open(now)
        return {
            "open": len(left),
            "verified": verified,
            "oldest_seconds": max((int(now) - each.starts_at for each in left), default=0),
            "overdue": sum(each.due_at < now for each in left),
        }

    def _ready(self) -> dict[TenantId, list[Erasure]]:
        """The open erasures of each account that can be worked on now, the oldest first."""
        now, ready = self.time.now(), dict[TenantId, list[Erasure]]()
        for each in self._open(now):
            if each.progress.resume_at <= now:
                ready.setdefault(each.tenant, []).append(each)
        return ready

    def _open(self, now: float) -> list[Erasure]:
        return [each for each in self.erasures.due(now) if each.reaches_byoc is self.reaches_byoc]

    def _work_on(self, erasure: Erasure) -> bool:
        """Work on one erasure; whether it is verified now."""
        try:
            work = self.planner.of(self.erasures.start(erasure, self.time.now()))
            # Wait for no answer of a customer's destination beyond the end of the turn.
            with bounded(math.inf, self.clock()):
                if not work.advance(self.erasures, self.time):
                    return False
            self.erasures.finish(
                work.erasure, work.counts, self.time.now(), self._completion_items(work.erasure)
            )
        except ErasureChangedError:
            return False
        except AstralogError as fault:
            journal.write("erasure_failed", error_type=type(fault).__name__)
            return False
        except Exception as fault:  # noqa: BLE001 - the last line of defence: the others continue
            journal.write("unexpected_error", error_type=type(fault).__name__)
            return False
        journal.write("erasure_verified", state=erasure.kind, rows=work.counts.get("rows", 0))
        return True

    def _completion_items(self, erasure: Erasure) -> Sequence[Write]:
        """The audit entry and notice of a verified erasure; none for an account, whose people are gone."""
        if erasure.kind != PERSON:
            return ()
        tenant, notice = erasure.tenant, notice_texts.erasure_verified(erasure)
        return (
            self.audit.entry(tenant, ERASER, "person.erasure_verified", erasure.erasure_id),
            self.notices.put_item(tenant, notice.notice_id, notice.kind, notice.title, notice.text),
        )


@dataclass(frozen=True, slots=True)
class EraserService:
    """The parts of this function."""

    eraser: Eraser
    unconfirmed_signups: UnconfirmedSignUps

    def run(self) -> dict[str, int]:
        """Work on erasures, then delete unconfirmed sign-ups in the remaining time."""
        counts = self.eraser.run()
        return {**counts, "never_confirmed": self._delete_unconfirmed()}

    def _delete_unconfirmed(self) -> int:
        try:
            return self.unconfirmed_signups.delete_expired(
                self.eraser.time.now(), lambda: self.eraser.clock() > RESERVED_FOR_SIGN_UPS_SECONDS
            )
        except AstralogError as fault:
            journal.write("never_confirmed_not_forgotten", error_type=type(fault).__name__)
            return 0


_LEFT = Left()


@cache
def _service() -> EraserService:
    settings, client = load(Settings), open_client()
    clock = TurnClock(_LEFT)
    given = ErasureClock(time.time, clock)
    erasures = Erasures(
        settings.erasures_table,
        settings.accounts_table,
        ErasureReceipts(settings.receipts_table, client),
        client,
    )
    planner = ErasurePlanner(
        tables=tables(settings, client),
        erasures=erasures,
        exports=Exports(settings.exports_table, client),
        archives=Archives(settings.exports_bucket),
        search_exports=SearchExports(settings.search_exports_table, client),
        tombstones=Tombstones(settings.tombstones_table, client),
        shards=Shards(settings.shards_table, client),
        closings=AccountClosings(settings.billing_table, settings.accounts_table, client),
        sign_ins=SignIns(settings.identity_pool),
        suppressions=Suppressions(settings.suppressions_table, client),
        drops=ErasableDropBucket(settings.drop_bucket),
        staging=open_bucket(settings.staging_bucket),
        exports_bucket=open_bucket(settings.exports_bucket),
        rows=EventRows(PlatformWarehouse(settings.warehouse_secret, STATEMENT_TIMEOUT_SECONDS, read_secret)),
        time=given,
    )
    eraser = Eraser(
        erasures,
        planner,
        AuditTrail(settings.audit_table, client),
        NoticeOutbox(settings.notices_table, client),
        DynamoTurnLog(settings.turns_table, FUNCTION, client),
        given,
        clock,
    )
    return EraserService(eraser, UnconfirmedSignUps(planner.sign_ins))


@instrumented
def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    _LEFT.context = context
    counts = _service().run()
    journal.measure(FUNCTION, {**metrics(counts), "NeverConfirmed": (counts["never_confirmed"], "Count")})
    return counts


def metrics(counts: dict[str, int]) -> dict[str, tuple[float, str]]:
    """The figures of a run as metrics."""
    return {
        "OpenErasures": (counts["open"], "Count"),
        "VerifiedErasures": (counts["verified"], "Count"),
        "OldestErasureSeconds": (counts["oldest_seconds"], "Seconds"),
        "ErasuresLate": (counts["overdue"], "Count"),
    }
