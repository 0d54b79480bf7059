"""Report: sends counted usage to Stripe, for invoices.

Trigger: the scheduler, every hour. Promise: a customer's subscription is billed for the usage counted since
it began. Each byte is reported once, even if an answer is lost or a run dies: see
functions.billing.reporting.reported_usage.
Every account gets a follow-up of its caps as well. Failure: a report without an answer from Stripe stays
pending, and the next run sends it again or searches for it; one tenant's pending report does not block other
tenants. `OldestReportSeconds` is the age of the oldest pending report, `ReportsRefused` the number of reports
that Stripe rejects: alarms watch both.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from functions.billing.reporting.meter_event_sender import MeterEventSender, UnclearReportError
from functions.billing.stripe_contract import StripeRefusedError
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.usage.follow_ups import FollowUps
from functions.billing.usage.usage_store import UsageStore
from functions.billing.wiring import (
    BillingSettings,
    billing_store_of,
    follow_ups_of,
    meter_event_sender_of,
    stripe_client_of,
    usage_store_of,
)
from functions.shared import journal
from functions.shared.errors import AstralogError
from functions.shared.fan_out import FanOut
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client
from functions.shared.tenancy import TenantId

FUNCTION = "report"
THREADS = 8
RESERVE_SECONDS = 10
AN_ACCOUNT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Settings(BillingSettings):
    pass


@dataclass(frozen=True, slots=True)
class AccountOutcome:
    """The result for one account. `pending_seconds`: age of the pending report, or 0."""

    landed_bytes: int = 0
    pending_seconds: int = 0
    refused: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class ReportRun:
    """Processes all accounts, in several threads."""

    reporter: MeterEventSender
    follow_ups: FollowUps
    usage: UsageStore

    def run(
        self, records: Sequence[BillingRecord], seconds_left: Callable[[], float]
    ) -> dict[TenantId, AccountOutcome]:
        """The result by account, in random order; accounts skipped for lack of time are left out."""
        by_tenant = {record.tenant: record for record in records}
        fan_out: FanOut[TenantId, AccountOutcome] = FanOut(
            lambda tenant: self._one(by_tenant[tenant]),
            lambda: seconds_left() - RESERVE_SECONDS,
            lambda: seconds_left() > RESERVE_SECONDS + AN_ACCOUNT_SECONDS,
            THREADS,
        )
        results, _ = fan_out.run(random.sample(list(by_tenant), len(by_tenant)))
        return results

    def _one(self, record: BillingRecord) -> AccountOutcome:
        looked_after = self.follow_ups.try_follow_up(record.tenant)
        if not record.customer_id:
            return AccountOutcome(failed=not looked_after)
        before = self.usage.tally(record.tenant).reported.landed_bytes
        try:
            after = self.reporter.report(record)
        except AstralogError as fault:
            return self._failed(record, fault)
        return AccountOutcome(max(0, after.landed_bytes - before), failed=not looked_after)

    def _failed(self, record: BillingRecord, fault: AstralogError) -> AccountOutcome:
        code = fault.code if isinstance(fault, StripeRefusedError) else ""
        journal.write(
            "usage_not_reported", tenant_id=record.tenant, error_type=type(fault).__name__, code=code
        )
        pending = self.usage.tally(record.tenant).reported.pending
        seconds = int(self.reporter.clock()) - pending.began_at if pending else 0
        refused = isinstance(fault, StripeRefusedError | UnclearReportError)
        return AccountOutcome(pending_seconds=max(0, seconds), refused=refused, failed=True)


@instrumented
def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    settings, client = load(Settings), open_client()
    # The secret is read in each run, so a changed key is used within an hour.
    reporter = meter_event_sender_of(
        settings, client, stripe_client_of(settings.stripe_secret, settings.stripe_address)
    )
    rounds = ReportRun(reporter, follow_ups_of(settings, client), usage_store_of(settings, client))
    outcomes = rounds.run(
        [record for record in billing_store_of(settings, client).all() if record.closed_at is None],
        lambda: context.get_remaining_time_in_millis() / 1000,
    )
    return publish_totals(list(outcomes.values()))


def publish_totals(outcomes: Sequence[AccountOutcome]) -> dict[str, int]:
    """The totals of a run, also published as metrics."""
    figures = {
        "accounts": len(outcomes),
        "bytes": sum(each.landed_bytes for each in outcomes),
        "refused": sum(each.refused for each in outcomes),
        "failed": sum(each.failed for each in outcomes),
        "oldest_seconds": max((each.pending_seconds for each in outcomes), default=0),
    }
    journal.measure(
        FUNCTION,
        {
            "ReportedBytes": (figures["bytes"], "Bytes"),
            "ReportsRefused": (figures["refused"], "Count"),
            "ReportsFailed": (figures["failed"], "Count"),
            "OldestReportSeconds": (figures["oldest_seconds"], "Seconds"),
        },
    )
    return figures
