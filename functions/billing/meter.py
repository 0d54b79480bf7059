"""Meter: adds loaded rows and bytes to usage, by tenant and day.

Trigger: the scheduler, every minute. Promise: each batch that sync has committed is counted once, even if
runs crash or overlap: one transaction adds its rows and bytes to its tenants and marks it as counted. Then
each of these tenants gets a follow-up: reporting begins for a new subscription, caps are checked, warnings
are written, a hard cap takes effect. Failure: uncounted batches stay in the index, and the next run counts
them. `OldestUncountedSeconds` is the age of the oldest one; an alarm watches it. A failed or late follow-up
of one tenant does not stop counting; every hour `report` follows up all tenants.
"""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

from functions.billing.usage.count_transactions import CountTransaction, plan_transactions
from functions.billing.usage.done_batches import DoneBatches, WaitingEntry
from functions.billing.usage.usage_store import UsageStore
from functions.billing.wiring import FollowUpSettings, follow_ups_of, usage_store_of
from functions.shared import journal
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tables.ledger import COMMITS_A_PAGE
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import READS_A_CALL
from functions.shared.tables.transaction import open_client, write_all
from functions.shared.tenancy import TenantId

FUNCTION = "meter"
MAX_ENTRIES_A_RUN = 20_000
ENTRIES_A_STEP = READS_A_CALL // COMMITS_A_PAGE
"""Pages whose batches are one read, or batches of an earlier version; after each step comes the follow-up."""

ROUNDS = 3
"""How often an entry is read again after a concurrent count or commit; then the next run retries.

A page to which sync adds batches all the time is soon full, and then does not change.
"""

RESERVE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Settings(FollowUpSettings):
    ledger_table: str


@dataclass(slots=True)
class MeterRun:
    """The result of a run: batches counted and their tenants; `oldest_seconds`: age of the oldest batch."""

    batches: int = 0
    rows: int = 0
    raw_bytes: int = 0
    oldest_seconds: int = 0
    tenants: set[TenantId] = field(default_factory=set)

    def add(self, count: CountTransaction) -> None:
        self.batches += sum(mark.after.batches - mark.before.batches for mark in count.marks)
        for tenant, sums in count.totals.items():
            self.rows += sums.rows
            self.raw_bytes += sums.raw_bytes
            self.tenants.add(tenant)


class Meter:
    """Counts batches and follows up their tenants."""

    def __init__(
        self, batches: DoneBatches, usage: UsageStore, client: Any, follow_up: Callable[[TenantId], object]
    ) -> None:
        self._batches = batches
        self._usage = usage
        self._client = client
        self._follow_up = follow_up

    def run(self, now: float, has_time: Callable[[], bool] = lambda: True) -> MeterRun:
        """Count uncounted batches while there is time."""
        found = list(islice(self._batches.waiting(), MAX_ENTRIES_A_RUN))
        run = MeterRun(oldest_seconds=max((_age(each, now) for each in found), default=0))
        for start in range(0, len(found), ENTRIES_A_STEP):
            if not has_time():
                break
            some = self._count([each.entry for each in found[start : start + ENTRIES_A_STEP]], run)
            # In random order: tenants skipped for lack of time wait for `report`, and should not always be
            # the same.
            for tenant in random.sample(sorted(some), len(some)):
                if has_time():
                    self._follow_up(tenant)
        return run

    def _count(self, entries: list[str], run: MeterRun) -> set[TenantId]:
        """Count the batches of the entries; returns their tenants."""
        tenants: set[TenantId] = set()
        for _ in range(ROUNDS):
            counts = plan_transactions(self._batches.read(entries))
            written = [count for count in counts if self._write(count)]
            for count in written:
                run.add(count)
                tenants |= count.totals.keys()
            if len(written) == len(counts):
                break
        return tenants

    def _write(self, count: CountTransaction) -> bool:
        """Whether the transaction was written; False if another process has changed one of its entries."""
        marks = [self._batches.marked(mark) for mark in count.marks]
        with suppress(ConditionFailedError):
            write_all(self._client, [*marks, *self._usage.added(count)])
            return True
        return False


def _age(waiting: WaitingEntry, now: float) -> int:
    return max(0, round(now - datetime.fromisoformat(waiting.done_at).timestamp()))


@cache
def _meter() -> Meter:
    settings, client = load(Settings), open_client()
    batches = DoneBatches(settings.ledger_table, client)
    follow_ups = follow_ups_of(settings, client)
    return Meter(batches, usage_store_of(settings, client), client, follow_ups.try_follow_up)


@instrumented
def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    run = _meter().run(time.time(), lambda: context.get_remaining_time_in_millis() > RESERVE_SECONDS * 1000)
    journal.measure(
        FUNCTION,
        {
            "CountedBatches": (run.batches, "Count"),
            "CountedRows": (run.rows, "Count"),
            "CountedBytes": (run.raw_bytes, "Bytes"),
            "OldestUncountedSeconds": (run.oldest_seconds, "Seconds"),
        },
    )
    return {"batches": run.batches, "rows": run.rows, "bytes": run.raw_bytes, "tenants": len(run.tenants)}
