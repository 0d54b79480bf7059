"""Closer: ends accounts at Stripe whose closing was requested.

Trigger: the scheduler, every five minutes. Promise: the last usage is reported, the subscription is canceled
and its last invoice collected, the customer is deleted at Stripe and in our tables, each once, in this order.
Then the account's book is marked as closed, and the stores with its data may be erased. Failure: the next run
does the remaining steps. Closings that take more than a day are counted.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.billing.book import Book
from functions.billing.books import Books
from functions.billing.closing import Closer, FinalUsage
from functions.billing.stripe_contract import Stripe
from functions.billing.wiring import (
    BookkeepingSettings,
    books_of,
    desk_of,
    gate_of,
    reporter_of,
    secret_of,
)
from functions.shared import journal
from functions.shared.errors import AstralogError
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client

FUNCTION = "closer"

SLOW_SECONDS = 86_400

RESERVE_SECONDS = 120
"""The longest time one account may take while Stripe is slow."""


@dataclass(frozen=True, slots=True)
class Settings(BookkeepingSettings):
    closing_loading_seconds: int
    closing_invoice_seconds: int


def run(closer: Closer, books: Books, may_go_on: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """Run once: how many accounts were closed, are waiting, and have waited for more than a day.

    The order is random, so that a slow Stripe and a lack of time do not always skip the same accounts.
    """
    counts = {"closed": 0, "waiting": 0, "slow": 0}
    closing = [each for each in books.all() if each.closing_requested_at is not None and not each.closed_at]
    for book in random.sample(closing, len(closing)):
        state = _tried(closer, book) if may_go_on() else "unlooked"
        counts["closed" if state == "closed" else "waiting"] += 1
        asked_at = book.closing_requested_at or 0
        counts["slow"] += state != "closed" and closer.desk.clock() > asked_at + SLOW_SECONDS
        journal.write("account_closing", tenant_id=book.tenant, state=state)
    return counts


def _tried(closer: Closer, book: Book) -> str:
    """The state of the closing, or the error that stopped it."""
    try:
        return closer.close(book)
    except AstralogError as fault:
        return type(fault).__name__


@cache
def _closer() -> tuple[Closer, Books]:
    settings = load(Settings)
    return closer(settings, open_client(), gate_of(settings, secret_of(settings)))


def closer(
    settings: Settings,
    client: Any,
    stripe: Stripe,
    final_usage: FinalUsage | None = None,
    clock: Callable[[], float] = time.time,
) -> tuple[Closer, Books]:
    """Build the dependencies on one DynamoDB client and one Stripe client."""
    books = books_of(settings, client)
    made = Closer(
        desk=desk_of(settings, client, stripe, clock=clock),
        books=books,
        final_usage=final_usage or reporter_of(settings, client, stripe, clock),
        loading_seconds=settings.closing_loading_seconds,
        invoice_seconds=settings.closing_invoice_seconds,
    )
    return made, books


def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    counts = run(*_closer(), lambda: context.get_remaining_time_in_millis() > RESERVE_SECONDS * 1000)
    journal.measure(
        FUNCTION, {"AccountsClosed": (counts["closed"], "Count"), "ClosingsSlow": (counts["slow"], "Count")}
    )
    return counts
