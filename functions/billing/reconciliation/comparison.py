"""Compares the ledger's usage with ClickHouse and Stripe."""

import json
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from functions.billing.reconciliation.differences import (
    BytesDiffer,
    ReconciliationResult,
    RowsDiffer,
    bytes_differ,
    explained,
    not_erased,
    rows_differ,
)
from functions.billing.reconciliation.erased_rows import ErasedRows
from functions.billing.reconciliation.stored_rows import StoredRows
from functions.billing.reporting.reported_usage import MINUTE_SECONDS, ReportedUsage, whole_minute
from functions.billing.stripe_contract import RESOURCE_MISSING, StripeRefusedError
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.usage.done_batches import DoneBatches
from functions.billing.usage.usage_store import UsageStore
from functions.shared.tenancy import TenantId

THREADS = 8
DAYS_BACK = 3
DAY_OVER = timedelta(hours=2)
"""After midnight; by then earlier rows are stored and counted, except those delayed by an outage."""

COMPARE_AGAIN_SECONDS = 60
MAX_NAMED = 100
"""Tenants named in one ClickHouse query, which is sent in a URL; for more tenants all are queried."""

MAX_EXPLAINED = 100
"""Differences to explain by their batches; more of them have one cause, which is not in the batches."""


class UsageSummaryApi(Protocol):
    """Methods used of functions.billing.stripe_contract.StripeApi."""

    def customer_exists(self, customer: str) -> bool: ...
    def usage_between(self, meter: str, customer: str, start: int, end: int) -> int: ...


@dataclass(frozen=True, slots=True)
class UsageComparison:
    """The inputs of the comparison. `clock`: Unix seconds; `pause` sleeps for the given seconds."""

    usage: UsageStore
    batches: DoneBatches
    stored: StoredRows
    erased: ErasedRows
    stripe: UsageSummaryApi
    meter: Callable[[], str]
    clock: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep

    def run(self, records: Iterable[BillingRecord]) -> ReconciliationResult:
        """Compare, and store the report."""
        now = self.clock()
        last = (datetime.fromtimestamp(now, UTC) - DAY_OVER).date() - timedelta(days=1)
        first = last - timedelta(days=DAYS_BACK - 1)
        # Rows are stored before they are counted: in this order, surplus stored rows are a real difference.
        stored = self.stored.by_day(first, last)
        days = list(self.usage.all_days(first, last))
        differences = self._standing_still(rows_differ(days, stored), first, last)
        customers = self._at_stripe(records, now)
        found = ReconciliationResult(
            first,
            last,
            counted_rows=sum(each.rows - each.own_rows for each in days),
            stored_rows=sum(stored.values()),
            customers=len(customers),
            reported_bytes=sum(each.reported.landed_bytes for each in customers),
            billed_bytes=sum(each.billed_bytes for each in customers),
            rows_differ=tuple(
                not_erased(self._explained(differences), lambda tenant: self.erased.since(tenant, first))
            ),
            bytes_differ=self._otherwise_billed(customers, now),
        )
        self.usage.put_reconciliation(last, json.dumps(found.as_json()))
        return found

    def _standing_still(self, differences: list[RowsDiffer], first: date, last: date) -> list[RowsDiffer]:
        """The differences that are the same when read again."""
        if not differences:
            return []
        self.pause(COMPARE_AGAIN_SECONDS)
        tenants = {each.tenant for each in differences}
        if len(tenants) > MAX_NAMED:
            stored, days = self.stored.by_day(first, last), list(self.usage.all_days(first, last))
        else:
            stored = self.stored.by_day(first, last, tenants)
            days = [day for tenant in sorted(tenants) for day in self.usage.days(tenant, first, last)]
        again = set(rows_differ(days, stored))
        return [each for each in differences if each in again]

    def _otherwise_billed(self, customers: Iterable["CustomerUsage"], now: float) -> tuple[BytesDiffer, ...]:
        """Customers whose usage at Stripe differs from the reported usage, also when both are read again.

        A report may have reached Stripe after our record was read and before Stripe was.
        """
        doubtful = [each.reported.tenant for each in customers if each.difference(now)]
        if not doubtful:
            return ()
        self.pause(COMPARE_AGAIN_SECONDS)
        now = self.clock()
        again = (self._customer(tenant, now) for tenant in doubtful)
        return tuple(differs for each in again if each and (differs := each.difference(now)))

    def _explained(self, differences: list[RowsDiffer]) -> list[RowsDiffer]:
        """The differences that remain after their batches are compared."""
        remaining = []
        for each in differences[:MAX_EXPLAINED]:
            a_day = timedelta(days=1)
            found = self.stored.by_batch(each.tenant, each.day - a_day, each.day + a_day)
            if rest := explained(each, found, self.batches.shares(list(found))):
                remaining.append(rest)
        return [*remaining, *differences[MAX_EXPLAINED:]]

    def _at_stripe(self, records: Iterable[BillingRecord], now: float) -> list["CustomerUsage"]:
        """The reported and the billed usage of each customer; without customers deleted at Stripe."""
        # Most records belong to accounts that never subscribed: no usage was reported for them.
        buyers = [record.tenant for record in records if record.customer_id]
        with ThreadPoolExecutor(THREADS) as pool:
            asked = pool.map(lambda tenant: self._customer(tenant, now), buyers)
            return [each for each in asked if each is not None]

    def _customer(self, tenant: TenantId, now: float) -> "CustomerUsage | None":
        """None for a customer without reports, or deleted at Stripe: by hand, or because the account was
        closed."""
        reported = self.usage.tally(tenant).reported
        if not reported.customer_id:
            return None
        try:
            return CustomerUsage(reported, self._billed(reported, now))
        except StripeRefusedError as refusal:
            if refusal.code != RESOURCE_MISSING or self.stripe.customer_exists(reported.customer_id):
                raise
            return None

    def _billed(self, reported: ReportedUsage, now: float) -> int:
        """All usage that Stripe has of the customer since the first report, sent or still pending."""
        pending = reported.pending.first_dated if reported.pending else int(now)
        begins = whole_minute(reported.first_dated or pending)
        ends = whole_minute(max(int(now), reported.last_dated)) + MINUTE_SECONDS
        return self.stripe.usage_between(self.meter(), reported.customer_id, begins, ends)


@dataclass(frozen=True, slots=True)
class CustomerUsage:
    """The reported and the billed usage of one customer."""

    reported: ReportedUsage
    billed_bytes: int

    def difference(self, now: float) -> BytesDiffer | None:
        """The difference at `now`, Unix seconds; None if they are equal."""
        return bytes_differ(self.reported, self.billed_bytes, now)
