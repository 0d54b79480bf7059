"""A webhook of Stripe's: who sent it, whom it is about, and then how things are now.

An event is a reason to look, never a source: of what it says only the customer's id is used, and whose
customer that is we know ourselves. So an event of one customer that names another account, in metadata or
wherever else, changes nothing of that account; and an old event cannot undo a new one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import msgspec

from functions.billing.apply import STRIPE, Desk, NoAccountError
from functions.billing.book import Book
from functions.billing.stripe_contract import BadSignatureError
from functions.billing.stripe_gate import verified
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId

MAX_BODY_BYTES = 1024 * 1024

REFUNDED = frozenset({"charge.refunded"})
DISPUTED = frozenset({"charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"})
LOOKED_INTO = frozenset(
    {
        "checkout.session.completed",
        "customer.deleted",
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "customer.subscription.trial_will_end",
        "invoice.paid",
        "invoice.payment_failed",
        "invoice.voided",
        "invoice.marked_uncollectible",
        *REFUNDED,
        *DISPUTED,
    }
)
"""Types of events that something may follow from: our endpoint at Stripe should be sent these only."""

Outcome = Literal["done", "done_before", "irrelevant", "unknown_customer"]


class BadEventError(BadSignatureError):
    """Stripe signed it, and it is no event."""


class Owners(Protocol):
    """What is asked of functions.billing.books.Books."""

    def owner(self, customer: str) -> TenantId | None: ...


class Ledger(Protocol):
    """What is asked of functions.billing.events.Events."""

    def done(self, event_id: str) -> bool: ...
    def mark(self, event_id: str) -> None: ...


class _Object(msgspec.Struct):
    id: str = ""
    object: str = ""
    customer: Any = None
    charge: Any = None


class _Data(msgspec.Struct):
    object: _Object


class Happening(msgspec.Struct):
    """An event, as far as it is read."""

    id: str
    type: str
    data: _Data


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes webhooks. `clock`: Unix seconds, for signatures."""

    desk: Desk
    owners: Owners
    events: Ledger
    secret: SecretText = field(repr=False)
    clock: Callable[[], float] = time.time

    def take(self, body: bytes, signature: str) -> Outcome:
        """What became of it; on return of "done" everything that follows from it is written.

        Raises
        ------
        BadSignatureError: it is not from Stripe, or not from now; nothing was looked at.
        RetryableError: not all of it was done; Stripe sends it again.
        """
        if len(body) > MAX_BODY_BYTES:
            raise BadSignatureError("too_large")
        verified(body, signature, self.secret, self.clock())
        return self.act(_event(body))

    def act(self, event: Happening) -> Outcome:
        """Do what follows from an event that is known to be Stripe's."""
        if event.type not in LOOKED_INTO:
            return "irrelevant"
        if self.events.done(event.id):
            return "done_before"
        customer = self._customer_of(event)
        tenant = self.owners.owner(customer) if customer else None
        if tenant is None:
            # Not marked: it may become ours, and then somebody sends it again.
            return "unknown_customer"
        try:
            self.desk.change(tenant, lambda book: self._looked_into(book, event), STRIPE, always=True)
        except NoAccountError:
            return "unknown_customer"
        self.events.mark(event.id)
        return "done"

    def _customer_of(self, event: Happening) -> str:
        """The customer's id; a dispute names only the charge, and Stripe is asked whose that is."""
        about = event.data.object
        if about.object == "customer":
            return about.id
        if event.type in DISPUTED and isinstance(about.charge, str):
            return str(self.desk.stripe.charge(about.charge)["customer"] or "")
        return about.customer if isinstance(about.customer, str) else ""

    def _looked_into(self, book: Book, event: Happening) -> Book:
        new = self.desk.as_stripe_has_it(book)
        return replace(new, noted=new.noted | self._notes(event))

    def _notes(self, event: Happening) -> frozenset[str]:
        """What the audit trail will say of money that went back, once each: an action and its subject."""
        which = event.data.object.id
        if event.type in REFUNDED:
            cents = self.desk.stripe.charge(which)["amount_refunded"]
            return frozenset({f"payment.refunded {which}:{cents}"})
        if event.type in DISPUTED:
            status = self.desk.stripe.dispute(which)["status"]
            closed = {f"payment.dispute_{status} {which}"} if status in ("won", "lost") else set()
            return frozenset({f"payment.disputed {which}", *closed})
        return frozenset()


def _event(body: bytes) -> Happening:
    try:
        return msgspec.json.decode(body, type=Happening)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    raise BadEventError("no_event")
