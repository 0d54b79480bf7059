"""Reports one tenant's usage to Stripe.

Each step of functions.billing.reporting.reported_usage is written before it is done.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from functions.billing.catalogue import METER_EVENT
from functions.billing.reporting import reported_usage
from functions.billing.reporting.reported_usage import MINUTE_SECONDS, PendingReport, ReportedUsage
from functions.billing.stripe_contract import (
    DUPLICATE_METER_EVENT,
    RESOURCE_MISSING,
    StripeRefusedError,
)
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.entitlements import period
from functions.billing.subscriptions.subscription import Subscription
from functions.billing.usage.usage_store import UsageStore
from functions.shared.errors import PermanentError


class UnclearReportError(PermanentError):
    """Stripe has other usage than the pending report in its minutes: an operator must check."""


class MeterEventApi(Protocol):
    """Methods used of functions.billing.stripe_contract.StripeApi."""

    def customer_exists(self, customer: str) -> bool: ...
    def send_meter_event(
        self, event_name: str, customer: str, value: int, identifier: str, timestamp: int
    ) -> None: ...
    def usage_between(self, meter: str, customer: str, start: int, end: int) -> int: ...


@dataclass(frozen=True, slots=True)
class MeterEventSender:
    """Reports to Stripe. `meter`: returns the meter's id at Stripe, when needed; `clock`: Unix seconds."""

    usage: UsageStore
    stripe: MeterEventApi
    meter: Callable[[], str]
    clock: Callable[[], float] = time.time

    def report(self, record: BillingRecord) -> ReportedUsage:
        """Settle a pending report and report the remaining usage; returns the stored state afterwards.

        Raises
        ------
        StripeUnavailableError, StripeRefusedError, UnclearReportError: a report stays pending.
        ReportedChangedError: another process is reporting.
        StoreUnavailableError
        """
        tally = self.usage.tally(record.tenant)
        reported = tally.reported
        if reported.pending:
            reported = self._settle_pending(record, reported, reported.pending)
        if metered_subscription(record) is None:
            return reported
        reported = start_reporting(record, reported, tally.raw_bytes, self.usage)
        begun = reported_usage.begun(reported, tally.raw_bytes, self._period_start(record), self.clock())
        if begun is None or begun.pending is None:
            return reported
        return self._send(record, self.usage.write(begun), begun.pending)

    def all_reported(self, record: BillingRecord) -> bool:
        """Report the remaining usage; returns whether none remains and the last report is at least a minute
        old.

        Raises as `report` does.
        """
        reported = self.report(record)
        left = (
            reported.left_bytes(self.usage.tally(record.tenant).raw_bytes)
            if metered_subscription(record)
            else 0
        )
        settled = reported.pending is None and not left
        return settled and self.clock() >= reported.last_dated + MINUTE_SECONDS

    def _settle_pending(
        self, record: BillingRecord, reported: ReportedUsage, report: PendingReport
    ) -> ReportedUsage:
        """`reported` with the pending report settled: found at Stripe, or sent again."""
        try:
            if report.must_be_searched(self.clock()) and self._found(report):
                return self._record_landed(record, reported, report, report.first_dated)
            again = reported_usage.dated_anew(reported, report, self._period_start(record), self.clock())
            if again.pending and again != reported:
                reported, report = self.usage.write(again), again.pending
            return self._send(record, reported, report)
        except StripeRefusedError as refusal:
            gone = refusal.code == RESOURCE_MISSING and not self.stripe.customer_exists(report.customer_id)
            if not gone:
                raise
            return self.usage.write(reported_usage.waived(reported, report))

    def _found(self, report: PendingReport) -> bool:
        """Whether Stripe has it."""
        found = self.stripe.usage_between(self.meter(), report.customer_id, *report.minutes)
        if found not in (0, report.value_bytes):
            raise UnclearReportError("there is other usage in the minutes of a report")
        return found == report.value_bytes

    def _send(self, record: BillingRecord, reported: ReportedUsage, report: PendingReport) -> ReportedUsage:
        dated = report.last_dated
        try:
            self.stripe.send_meter_event(
                METER_EVENT, report.customer_id, report.value_bytes, report.identifier, dated
            )
        except StripeRefusedError as refusal:
            if refusal.code != DUPLICATE_METER_EVENT:
                raise
            dated = report.first_dated
        return self._record_landed(record, reported, report, dated)

    def _record_landed(
        self, record: BillingRecord, reported: ReportedUsage, report: PendingReport, dated: int
    ) -> ReportedUsage:
        return self.usage.write(reported_usage.landed(reported, report, dated, self._period_start(record)))

    def _period_start(self, record: BillingRecord) -> int:
        return period(record, self.clock())[0]


def metered_subscription(record: BillingRecord) -> Subscription | None:
    """The live subscription that is billed by usage, or None."""
    return record.live if record.live and record.live.meters and record.customer_id else None


def start_reporting(
    record: BillingRecord, reported: ReportedUsage, counted_bytes: int, usage: UsageStore
) -> ReportedUsage:
    """`reported` with reporting started for the account's subscription, if that is new."""
    live = metered_subscription(record)
    if live is None or reported.pending or reported.subscription_id == live.subscription_id:
        return reported
    return usage.write(
        reported_usage.opened(reported, counted_bytes, record.customer_id, live.subscription_id)
    )
