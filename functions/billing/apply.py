"""The single way to change an account's book and account status: read, decide, write, and retry on a
conflict.

Stripe is read after the book, and the write is rejected if the book was written in between. So the last write
always has the latest read: events may arrive in any order, repeatedly or concurrently, and the book ends up
equal to Stripe's own object. This holds only because every read of Stripe is written, even when nothing
differs: a write invalidates every read that began before it.
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
"""The actor of changes that Stripe reported."""

CALENDAR = Origin("calendar", "", "")
"""The actor of changes that follow from the date."""

Item = dict[str, Any]


class BookBusyError(RetryableError):
    """Concurrent writes of the same book continue."""


class NoAccountError(PermanentError):
    """The account does not exist."""


class Store(Protocol):
    """Methods used of functions.billing.books.Books."""

    def of(self, tenant: TenantId) -> Book: ...
    def standing(self, tenant: TenantId) -> Standing | None: ...
    def write(self, book: Book, standing: Standing | None = None, also: Sequence[Item] = ()) -> Book: ...


class Usage(Protocol):
    """Stored usage."""

    def used_bytes(self, tenant: TenantId, since: int, until: int, /) -> int:
        """Bytes of the period from `since` until `until`, Unix seconds; never less than in earlier calls."""


class Outbox(Protocol):
    """Methods used of functions.shared.account.notices.Notices."""

    def due(self, tenant: TenantId, notice_id: str, kind: str, title: str, text: str) -> Item:
        """A mail to send once, as an item of TransactWriteItems; it never fails the transaction."""


class NoUsage:
    """Usage of an environment without metering."""

    def used_bytes(self, _tenant: TenantId, _since: int, _until: int) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Desk:
    """Changes books. `clock`: Unix seconds."""

    books: Store
    stripe: Stripe
    usage: Usage
    audit: Audit
    outbox: Outbox
    clock: Callable[[], float] = time.time

    def look(self, tenant: TenantId, who: Origin = STRIPE) -> Book:
        """Read the subscription from Stripe and update the book and the account status."""
        return self.change(tenant, self.as_stripe_has_it, who, always=True)

    def settle(self, tenant: TenantId) -> Book:
        """Recompute the account status from the book and the usage; writes nothing if nothing changed."""
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
        """Replace the book by `decide(book)`, and the account status by the one that follows from it.

        `decide` may be called several times, each time with the current book. `also`: further items of
        TransactWriteItems, made from the new book. `tell`: audit entries and mails about the change from the
        old book to the new one; they are written in the same transaction. `always`: write even if nothing
        differs.

        Raises
        ------
        NoAccountError, BookBusyError, StoreUnavailableError, and whatever `decide` raises.
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
        """`book` with the subscription as Stripe has it now; without one, the last subscription stays."""
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
