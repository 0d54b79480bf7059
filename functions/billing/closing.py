"""Closing an account at Stripe: the last usage, the end of the subscription, its last invoice, the customer.

Each step looks at how things are and does what is left, so that whoever dies between two is followed by
somebody who goes on there, and the same again does nothing. What is to be waited for is waited for in
between runs: a run never sleeps.
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
"""What is waited for: nothing; that what was accepted is loaded, usage reported, the invoice made final."""


class FinalUsage(Protocol):
    """What was used, to its end."""

    def all_reported(self, book: Book) -> bool:
        """Report to Stripe what is left to be reported; whether nothing is left.

        Not before a minute has passed since the last report: Stripe bills what was used before a
        subscription's end, and what bears the end's own second was not.
        """


@dataclass(frozen=True, slots=True)
class Closer:
    """Closes accounts whose end was asked for (functions.shared.account.closing).

    `loading_seconds`: how long after that something may still be on its way into ClickHouse, and into the
    usage. `invoice_seconds`: how long Stripe may take to count what was reported into the last invoice.
    """

    desk: Desk
    books: Books
    final_usage: FinalUsage
    loading_seconds: int
    invoice_seconds: int

    def close(self, book: Book) -> State:
        """Go on with closing as far as it goes now; `book` asks for it and is not closed.

        Raises
        ------
        RetryableError, StripeRefusedError: a later run goes on.
        """
        if book.checkout_session:
            # Nobody may subscribe any more; who just did is found below.
            self.desk.stripe.expire_checkout(book.checkout_session)
        if book.customer_id and (waiting := self._end_at_stripe(book)):
            return waiting
        self._forget(book)
        return "closed"

    def _end_at_stripe(self, book: Book) -> State | None:
        """None when Stripe knows nothing of the account any more."""
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
        """Whether what the end of a subscription costs is settled, as far as a card can settle it.

        A card that refuses does not keep anybody from leaving: that invoice stays open at Stripe.
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
        """Leave of the book that it is closed, and since when; and whose customer that was to nobody."""
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
