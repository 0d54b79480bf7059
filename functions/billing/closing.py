"""Close an account at Stripe: last usage, end of the subscription, last invoice, customer.

Each step reads the current state and does what remains. So a run that dies between two steps is continued by
the next run, and a repeated run does nothing. Waiting happens between runs: a run never sleeps.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from functions.billing.apply import CALENDAR, Desk
from functions.billing.book import Book
from functions.billing.books import Books
from functions.billing.stripe_contract import StripeRefusedError, Thing
from functions.billing.subscription import ENDED, OWING
from functions.billing.wording import News
from functions.shared import journal

OVER = frozenset({"incomplete_expired", *ENDED})

State = Literal["closed", "loading", "reporting", "invoicing"]
"""What the closing waits for: nothing; loading of accepted logs, reporting of usage, a final invoice."""


class FinalUsage(Protocol):
    """The usage until the end of the subscription."""

    def all_reported(self, book: Book) -> bool:
        """Report the remaining usage to Stripe; returns whether nothing remains.

        False until a minute has passed since the last report: Stripe bills usage dated before a
        subscription's end, not usage dated in the same second as the end.
        """


@dataclass(frozen=True, slots=True)
class Closer:
    """Closes accounts whose closing was requested (functions.shared.account.closing).

    `loading_seconds`: how long after the request accepted logs may still be loaded and counted.
    `invoice_seconds`: how long Stripe may take to add reported usage to the last invoice.
    """

    desk: Desk
    books: Books
    final_usage: FinalUsage
    loading_seconds: int
    invoice_seconds: int

    def close(self, book: Book) -> State:
        """Continue the closing as far as possible now; `book` has the request and is not closed.

        Raises
        ------
        RetryableError, StripeRefusedError: a later run continues.
        """
        if book.checkout_session:
            # No further subscription can begin; one that has just begun is found below.
            self.desk.stripe.expire_checkout(book.checkout_session)
        if book.customer_id and (waiting := self._end_at_stripe(book)):
            return waiting
        self._forget(book)
        return "closed"

    def _end_at_stripe(self, book: Book) -> State | None:
        """The state to wait for, or None when Stripe has nothing of the account any more."""
        stripe = self.desk.stripe
        if not stripe.customer_exists(book.customer_id):
            return None
        things = stripe.subscriptions(book.customer_id)
        running = [each for each in things if each["status"] not in OVER]
        if running:
            if waiting := self._usage_awaited(book):
                return waiting
            for each in running:
                stripe.cancel(each["id"], prorate=each["status"] not in OWING)
            things = stripe.subscriptions(book.customer_id)
        for each in things:
            if not self._invoiced(each, book):
                return "invoicing"
        stripe.delete_customer(book.customer_id)
        return None

    def _usage_awaited(self, book: Book) -> State | None:
        if self.desk.clock() < (book.closing_requested_at or 0) + self.loading_seconds:
            return "loading"
        return None if self.final_usage.all_reported(book) else "reporting"

    def _invoiced(self, thing: Thing, book: Book) -> bool:
        """Whether the final invoices of a subscription are collected, as far as possible by card.

        A declined card does not stop the closing: that invoice stays open at Stripe.
        """
        ended_at = thing["ended_at"] or 0
        last = [
            each
            for each in self.desk.stripe.invoices(thing["id"])
            if each["created"] >= ended_at and each["status"] in ("draft", "open")
        ]
        if last and self.desk.clock() < ended_at + self.invoice_seconds:
            return False
        for each in last:
            try:
                self.desk.stripe.collect(each["id"])
            except StripeRefusedError as refused:
                journal.write("last_invoice_unpaid", tenant_id=book.tenant, code=refused.code)
        return True

    def _forget(self, book: Book) -> None:
        """Reduce the book to the closing and its times; remove the assignment of the Stripe customer."""
        now = int(self.desk.clock())

        def closed(now_is: Book) -> Book:
            return Book(
                tenant=now_is.tenant,
                version=now_is.version,
                closing_requested_at=now_is.closing_requested_at,
                closed_at=now,
            )

        def told(old: Book, _new: Book) -> list[News]:
            return [News("account.billing_closed", str(old.tenant))]

        gone = [self.books.disowning(book.customer_id)] if book.customer_id else []
        self.desk.change(book.tenant, closed, CALENDAR, also=lambda _new: gone, tell=told)
