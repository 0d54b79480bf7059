"""One way to change an account's book and standing: read, decide, write; start over when somebody was first.

Stripe is asked after the book was read, and the write is refused if the book was written in between. So what
is written last was asked for last: events may come in any order, twice, or two at once, and the book ends as
Stripe's own object is. That holds only because a look at Stripe is always written, even when it shows what is
in the book already: a write makes every look that began before it void.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from functions.billing import entitlements
from functions.billing.book import Book
from functions.billing.books import BookChangedError
from functions.billing.letters import news
from functions.billing.stripe_contract import Stripe, Thing
from functions.billing.subscription import OWING, Subscription, chosen, doubled, snapshot
from functions.billing.wording import News
from functions.shared import journal
from functions.shared.account.audit import Audit, Origin
from functions.shared.account.standing import Standing
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.tenancy import TenantId

TRIES = 8

STRIPE = Origin("stripe", "", "")
"""Who acts where Stripe told us of something."""

CALENDAR = Origin("calendar", "", "")
"""Who acts where time did."""

Item = dict[str, Any]


class BookBusyError(RetryableError):
    """Others kept writing the same book."""


class NoAccountError(PermanentError):
    """There is no account of that name."""


class Store(Protocol):
    """What is asked of functions.billing.books.Books."""

    def of(self, tenant: TenantId) -> Book: ...
    def standing(self, tenant: TenantId) -> Standing | None: ...
    def write(self, book: Book, standing: Standing | None = None, also: Sequence[Item] = ()) -> Book: ...


class Usage(Protocol):
    """What was stored."""

    def used_bytes(self, tenant: TenantId, since: int, until: int, /) -> int:
        """Bytes of the period from `since` until `until`, Unix seconds; never fewer than asked before."""


class Outbox(Protocol):
    """What is asked of functions.shared.account.notices.Notices."""

    def due(self, tenant: TenantId, notice_id: str, kind: str, title: str, text: str) -> Item:
        """A mail to be sent once, as an item of TransactWriteItems; never fails the transaction."""


class NoUsage:
    """Where nothing is metered."""

    def used_bytes(self, _tenant: TenantId, _since: int, _until: int) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Desk:
    """Where books are changed. `clock`: Unix seconds."""

    books: Store
    stripe: Stripe
    usage: Usage
    audit: Audit
    outbox: Outbox
    clock: Callable[[], float] = time.time

    def look(self, tenant: TenantId, who: Origin = STRIPE) -> Book:
        """Ask Stripe how things are and make it so here."""
        return self.change(tenant, self.as_stripe_has_it, who, always=True)

    def settle(self, tenant: TenantId) -> Book:
        """Make the standing anew from what the book says and what was used; nothing is written when it is
        as it was."""
        return self.change(tenant, lambda book: book, CALENDAR)

    def change(
        self,
        tenant: TenantId,
        decide: Callable[[Book], Book],
        who: Origin,
        *,
        also: Callable[[Book], Sequence[Item]] = lambda _book: (),
        tell: Callable[[Book, Book], Iterable[News]] = news,
        always: bool = False,
    ) -> Book:
        """Replace the book by what `decide` makes of it, and the standing by what follows from that.

        `decide` may be asked several times, each time with the book as it is then. `also`: what takes place
        with the write, items of TransactWriteItems made of the new book. `tell`: what the audit trail and
        people are told of the change from the old book to the new; it is written with it. `always`: write
        although nothing differs.

        Raises
        ------
        NoAccountError, BookBusyError, StoreUnavailableError, and what `decide` raises.
        """
        for _ in range(TRIES):
            book, standing = self.books.of(tenant), self.books.standing(tenant)
            if standing is None:
                raise NoAccountError("no such account")
            new = decide(book)
            becomes = self._standing(new, standing)
            extras = list(also(new))
            if not (always or extras or new != book or becomes != standing):
                return book
            try:
                return self.books.write(
                    new,
                    None if becomes == standing else becomes,
                    [*extras, *self._told(tenant, tell(book, new), who)],
                )
            except BookChangedError:
                continue
        raise BookBusyError("others keep writing the same book")

    def as_stripe_has_it(self, book: Book) -> Book:
        """`book` with the subscription as Stripe has it now; the last there was stays when there is none."""
        now = int(self.clock())
        if not book.customer_id:
            return replace(book, looked_at=now)
        things = self.stripe.subscriptions(book.customer_id)
        if doubled(things):
            journal.measure("billing", {"DoubleSubscriptions": (1, "Count")}, tenant_id=book.tenant)
        thing = chosen(each for each in things if each["customer"] == book.customer_id)
        now_is = self._snapshot(thing) if thing else book.subscription
        return replace(book, subscription=now_is, looked_at=now)

    def _snapshot(self, thing: Thing) -> Subscription:
        return snapshot(thing, self.stripe.invoices(thing["id"]) if thing["status"] in OWING else ())

    def _standing(self, book: Book, standing: Standing) -> Standing:
        now = self.clock()
        used_bytes = 0
        if entitlements.limit_bytes(book, standing) is not None:
            used_bytes = self.usage.used_bytes(book.tenant, *entitlements.period(book, now))
        return entitlements.entitled(book, standing, used_bytes, now)

    def _told(self, tenant: TenantId, found: Iterable[News], who: Origin) -> list[Item]:
        """Entries of the audit trail and mails, as items of TransactWriteItems."""
        written: list[Item] = []
        for each in found:
            if each.action:
                written.append(self.audit.entry(tenant, who, each.action, each.subject))
            if each.title:
                written.append(self.outbox.due(tenant, each.notice_id, each.kind, each.title, each.text))
        return written
