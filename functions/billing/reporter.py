"""Reports one tenant's usage to Stripe: each step of functions.billing.reporting is written before it is
done."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from functions.billing import reporting
from functions.billing.book import Book
from functions.billing.catalogue import METER_EVENT
from functions.billing.entitlements import period
from functions.billing.reporting import MINUTE_SECONDS, Report, Reported
from functions.billing.stripe_contract import (
    DUPLICATE_METER_EVENT,
    RESOURCE_MISSING,
    StripeRefusedError,
)
from functions.billing.subscription import Subscription
from functions.billing.usage import Usage
from functions.shared.errors import PermanentError


class UnclearReportError(PermanentError):
    """Stripe has other usage than the pending report in its minutes: an operator must check."""


class Stripe(Protocol):
    """Methods used of functions.billing.stripe_contract.Stripe."""

    def customer_exists(self, customer: str) -> bool: ...
    def send_meter_event(
        self, event_name: str, customer: str, value: int, identifier: str, timestamp: int
    ) -> None: ...
    def usage_between(self, meter: str, customer: str, start: int, end: int) -> int: ...


@dataclass(frozen=True, slots=True)
class Reporter:
    """Reports to Stripe. `meter`: returns the meter's id at Stripe, when needed; `clock`: Unix seconds."""

    usage: Usage
    stripe: Stripe
    meter: Callable[[], str]
    clock: Callable[[], float] = time.time

    def report(self, book: Book) -> Reported:
        """Settle a pending report and report the remaining usage; returns the stored state afterwards.

        Raises
        ------
        StripeUnavailableError, StripeRefusedError, UnclearReportError: a report stays pending.
        ReportedChangedError: another process is reporting.
        StoreUnavailableError
        """
        tally = self.usage.tally(book.tenant)
        reported = tally.reported
        if reported.pending:
            reported = self._settled(book, reported, reported.pending)
        if metered(book) is None:
            return reported
        reported = opened_for(book, reported, tally.raw_bytes, self.usage)
        begun = reporting.begun(reported, tally.raw_bytes, self._period_start(book), self.clock())
        if begun is None or begun.pending is None:
            return reported
        return self._sent(book, self.usage.write(begun), begun.pending)

    def all_reported(self, book: Book) -> bool:
        """Report the remaining usage; returns whether none remains and the last report is at least a minute
        old.

        Raises as `report` does.
        """
        reported = self.report(book)
        left = reported.left_bytes(self.usage.tally(book.tenant).raw_bytes) if metered(book) else 0
        settled = reported.pending is None and not left
        return settled and self.clock() >= reported.last_dated + MINUTE_SECONDS

    def _settled(self, book: Book, reported: Reported, report: Report) -> Reported:
        """`reported` with the pending report settled: found at Stripe, or sent again."""
        try:
            if report.must_be_looked_for(self.clock()) and self._found(report):
                return self._landed(book, reported, report, report.first_dated)
            again = reporting.dated_anew(reported, report, self._period_start(book), self.clock())
            if again.pending and again != reported:
                reported, report = self.usage.write(again), again.pending
            return self._sent(book, reported, report)
        except StripeRefusedError as refusal:
            gone = refusal.code == RESOURCE_MISSING and not self.stripe.customer_exists(report.customer_id)
            if not gone:
                raise
            return self.usage.write(reporting.given_up(reported, report))

    def _found(self, report: Report) -> bool:
        """Whether Stripe has it."""
        found = self.stripe.usage_between(self.meter(), report.customer_id, *report.minutes)
        if found not in (0, report.value_bytes):
            raise UnclearReportError("there is other usage in the minutes of a report")
        return found == report.value_bytes

    def _sent(self, book: Book, reported: Reported, report: Report) -> Reported:
        dated = report.last_dated
        try:
            self.stripe.send_meter_event(
                METER_EVENT, report.customer_id, report.value_bytes, report.identifier, dated
            )
        except StripeRefusedError as refusal:
            if refusal.code != DUPLICATE_METER_EVENT:
                raise
            dated = report.first_dated
        return self._landed(book, reported, report, dated)

    def _landed(self, book: Book, reported: Reported, report: Report, dated: int) -> Reported:
        return self.usage.write(reporting.landed(reported, report, dated, self._period_start(book)))

    def _period_start(self, book: Book) -> int:
        return period(book, self.clock())[0]


def metered(book: Book) -> Subscription | None:
    """The live subscription that is billed by usage, or None."""
    return book.live if book.live and book.live.meters and book.customer_id else None


def opened_for(book: Book, reported: Reported, counted_bytes: int, usage: Usage) -> Reported:
    """`reported` with reporting started for the account's subscription, if that is new."""
    live = metered(book)
    if live is None or reported.pending or reported.subscription_id == live.subscription_id:
        return reported
    return usage.write(reporting.opened(reported, counted_bytes, book.customer_id, live.subscription_id))
