"""Bookkeeper: reminders that follow from the date, and subscription changes whose Stripe events were missed.

Trigger: the scheduler, every ten minutes. Promise: people of an account get one notice when a trial ends in
three days or has ended, and when a grace period ends tomorrow or has ended. A subscription that should have
changed by now, has an unpaid invoice, or may have begun on a checkout page, is read from Stripe without
waiting for an event. Failure: an account that could not be processed, or not in time, is counted; a later run
processes it. Rejecting and accepting logs does not depend on this function: the account status contains its
end times.
"""

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from functions.billing.apply import CALENDAR, Desk
from functions.billing.book import Book
from functions.billing.books import Books
from functions.billing.entitlements import SECONDS_A_DAY, TRIAL_ENDED
from functions.billing.reminders import TOLD_LATE_DAYS, TRIAL_NOTICE_DAYS, reminders
from functions.billing.stripe_contract import Stripe
from functions.billing.subscription import Subscription
from functions.billing.wiring import BookkeepingSettings, books_of, desk_of, gate_of, secret_of
from functions.billing.wording import News
from functions.shared import journal
from functions.shared.errors import AstralogError
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client
from functions.shared.tenancy import TenantId

FUNCTION = "bookkeeper"

OVERDUE_SECONDS = 2 * 3600
"""Stripe finalizes a renewal's invoice one hour after the period's end, and then takes the payment."""

LOOK_AGAIN_SECONDS = 6 * 3600

RESERVE_SECONDS = 60
"""The longest time one account may take while Stripe does not answer."""

PAGE_SECONDS = 24 * 3600
"""How long a checkout page can be paid."""


@dataclass(frozen=True, slots=True)
class Settings(BookkeepingSettings):
    pass


def to_be_looked_up(book: Book, now: float) -> bool:
    """Whether the subscription must have changed by `now`, or may have, without an event."""
    live = book.live
    if book.looked_at is None or now - book.looked_at < LOOK_AGAIN_SECONDS:
        return False
    if live is None:
        return _may_be_paid(book, book.looked_at)
    trial_end = live.trial_end if live.status == "trialing" else None
    moments = [at for at in (live.period_end, live.ends_at, trial_end) if at is not None]
    return live.owing or min(moments) + OVERDUE_SECONDS <= now


def _may_be_paid(book: Book, looked_at: int) -> bool:
    """Whether a checkout page may have been paid since Stripe was last read."""
    return book.checkout_at is not None and looked_at < book.checkout_at + PAGE_SECONDS + OVERDUE_SECONDS


def _as_events_tell(book: Book) -> Subscription | None:
    """The subscription without the time of the next payment attempt: Stripe sends no event for that."""
    return replace(book.subscription, tries_again_at=None) if book.subscription else None


@dataclass(frozen=True, slots=True)
class Bookkeeper:
    """Processes all accounts."""

    desk: Desk
    books: Books

    def run(self, may_go_on: Callable[[], bool] = lambda: True) -> dict[str, int]:
        """Run once; returns how many accounts got notices, had missed changes, or failed.

        The order is random, so that a slow Stripe and a lack of time do not always skip the same accounts.
        """
        counts = {"told": 0, "missed": 0, "failed": 0}
        now = self.desk.clock()
        soonest, latest = now - TOLD_LATE_DAYS * SECONDS_A_DAY, now + TRIAL_NOTICE_DAYS * SECONDS_A_DAY
        trials = dict(self.books.ending(TRIAL_ENDED, int(soonest), int(latest)))
        books = {
            book.tenant: book
            for book in self.books.all()
            if (book.live or book.checkout_at) and book.closed_at is None
        }
        left = random.sample(sorted({*trials, *books}), len({*trials, *books}))
        while left and may_go_on():
            tenant = left.pop()
            trial = trials.get(tenant)
            self._each(tenant, counts, trial.accepts_until if trial else None, books.get(tenant))
        counts["failed"] += len(left)
        return counts

    def _each(
        self, tenant: TenantId, counts: dict[str, int], trial_ends_at: int | None, book: Book | None = None
    ) -> None:
        try:
            book = book or self.books.of(tenant)
            if to_be_looked_up(book, self.desk.clock()):
                found = self.desk.look(tenant)
                counts["missed"] += _as_events_tell(found) != _as_events_tell(book)
                book = found
            if reminders(book, trial_ends_at, self.desk.clock()):
                self._tell(tenant, trial_ends_at)
                counts["told"] += 1
        except AstralogError as fault:
            counts["failed"] += 1
            journal.write("account_not_kept", tenant_id=tenant, error_type=type(fault).__name__)

    def _tell(self, tenant: TenantId, trial_ends_at: int | None) -> None:
        """Write the notices, and in the book that they were written, both for the same point in time."""
        now = self.desk.clock()

        def due(book: Book) -> list[News]:
            return reminders(book, trial_ends_at, now)

        def told(book: Book) -> Book:
            return replace(book, told=book.told | {each.notice_id for each in due(book)})

        def letters(old: Book, _new: Book) -> Iterable[News]:
            return due(old)

        self.desk.change(tenant, told, CALENDAR, tell=letters)


@cache
def _bookkeeper() -> Bookkeeper:
    settings = load(Settings)
    return bookkeeper(settings, open_client(), gate_of(settings, secret_of(settings)))


def bookkeeper(
    settings: Settings, client: Any, stripe: Stripe, clock: Callable[[], float] = time.time
) -> Bookkeeper:
    """Build the dependencies on one DynamoDB client and one Stripe client."""
    return Bookkeeper(desk_of(settings, client, stripe, clock=clock), books_of(settings, client, clock))


def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    counts = _bookkeeper().run(lambda: context.get_remaining_time_in_millis() > RESERVE_SECONDS * 1000)
    journal.measure(
        FUNCTION,
        {"MissedEvents": (counts["missed"], "Count"), "AccountsNotKept": (counts["failed"], "Count")},
    )
    return counts
