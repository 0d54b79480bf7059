"""Report: sends counted usage to Stripe, for invoices.

Trigger: the scheduler, every hour. Promise: a customer's subscription is billed for the usage counted since
it began. Each byte is reported once, even if an answer is lost or a run dies (functions.billing.reporting).
Every account gets a follow-up of its caps as well. Failure: a report without an answer from Stripe stays
pending, and the next run sends it again or searches for it; one tenant's pending report does not block other
tenants. `OldestReportSeconds` is the age of the oldest pending report, `ReportsRefused` the number of reports
that Stripe rejects: alarms watch both.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from functions.billing.book import Book
from functions.billing.caretaker import Caretaker
from functions.billing.reporter import Reporter, UnclearReportError
from functions.billing.stripe_contract import StripeRefusedError
from functions.billing.usage import Usage
from functions.billing.wiring import (
    BookkeepingSettings,
    books_of,
    caretaker_of,
    gate_of,
    reporter_of,
    secret_of,
    usage_of,
)
from functions.shared import journal
from functions.shared.apart import Apart
from functions.shared.errors import AstralogError
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client
from functions.shared.tenancy import TenantId

FUNCTION = "report"
THREADS = 8
RESERVE_SECONDS = 10
AN_ACCOUNT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Settings(BookkeepingSettings):
    pass


@dataclass(frozen=True, slots=True)
class Told:
    """The result for one account. `pending_seconds`: age of the pending report, or 0."""

    landed_bytes: int = 0
    pending_seconds: int = 0
    refused: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """Processes all accounts, in several threads."""

    reporter: Reporter
    caretaker: Caretaker
    usage: Usage

    def run(self, books: Sequence[Book], seconds_left: Callable[[], float]) -> dict[TenantId, Told]:
        """The result by account, in random order; accounts skipped for lack of time are left out."""
        by_tenant = {book.tenant: book for book in books}
        apart: Apart[TenantId, Told] = Apart(
            lambda tenant: self._one(by_tenant[tenant]),
            lambda: seconds_left() - RESERVE_SECONDS,
            lambda: seconds_left() > RESERVE_SECONDS + AN_ACCOUNT_SECONDS,
            THREADS,
        )
        results, _ = apart.run(random.sample(list(by_tenant), len(by_tenant)))
        return results

    def _one(self, book: Book) -> Told:
        looked_after = self.caretaker.try_to_look_after(book.tenant)
        if not book.customer_id:
            return Told(failed=not looked_after)
        before = self.usage.tally(book.tenant).reported.landed_bytes
        try:
            after = self.reporter.report(book)
        except AstralogError as fault:
            return self._untold(book, fault)
        return Told(max(0, after.landed_bytes - before), failed=not looked_after)

    def _untold(self, book: Book, fault: AstralogError) -> Told:
        code = fault.code if isinstance(fault, StripeRefusedError) else ""
        journal.write("usage_untold", tenant_id=book.tenant, error_type=type(fault).__name__, code=code)
        pending = self.usage.tally(book.tenant).reported.pending
        seconds = int(self.reporter.clock()) - pending.began_at if pending else 0
        refused = isinstance(fault, StripeRefusedError | UnclearReportError)
        return Told(pending_seconds=max(0, seconds), refused=refused, failed=True)


def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    settings, client = load(Settings), open_client()
    # The secret is read in each run, so a changed key is used within an hour.
    reporter = reporter_of(settings, client, gate_of(settings, secret_of(settings)))
    rounds = Round(reporter, caretaker_of(settings, client), usage_of(settings, client))
    told = rounds.run(
        [book for book in books_of(settings, client).all() if book.closed_at is None],
        lambda: context.get_remaining_time_in_millis() / 1000,
    )
    return measured(list(told.values()))


def measured(told: Sequence[Told]) -> dict[str, int]:
    """The totals of a run, also published as metrics."""
    figures = {
        "accounts": len(told),
        "bytes": sum(each.landed_bytes for each in told),
        "refused": sum(each.refused for each in told),
        "failed": sum(each.failed for each in told),
        "oldest_seconds": max((each.pending_seconds for each in told), default=0),
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
