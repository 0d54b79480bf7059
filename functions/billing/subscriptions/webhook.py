"""Stripe webhooks: check the signature, find the account, read the current state from Stripe.

An event only triggers a read and is never a source: of its contents only the customer's id is used, and the
customer's account comes from our own table. So an event of one customer that names another account, in
metadata or anywhere else, changes nothing of that account; and an old event cannot undo a new one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import msgspec

from functions.billing.stripe_client import verify_signature
from functions.billing.stripe_contract import BadSignatureError
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.billing_service import STRIPE, BillingService, NoAccountError
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId

REFUNDED = frozenset({"charge.refunded"})
DISPUTED = frozenset({"charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"})
HANDLED_TYPES = frozenset(
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
"""Types of events that can have effects; only these should be sent to our endpoint at Stripe."""

Outcome = Literal["done", "done_before", "irrelevant", "unknown_customer"]


class BadEventError(BadSignatureError):
    """Stripe signed the body, but it is not an event."""


class CustomerOwners(Protocol):
    """Methods used of functions.billing.subscriptions.billing_store.BillingStore."""

    def owner(self, customer: str) -> TenantId | None: ...


class EventMarks(Protocol):
    """Methods used of functions.billing.subscriptions.processed_events.ProcessedEvents."""

    def done(self, event_id: str) -> bool: ...
    def mark(self, event_id: str) -> None: ...


class _EventObject(msgspec.Struct):
    id: str = ""
    object: str = ""
    customer: Any = None
    charge: Any = None


class _Data(msgspec.Struct):
    object: _EventObject


class StripeEvent(msgspec.Struct):
    """The fields of an event that are read."""

    id: str
    type: str
    data: _Data


@dataclass(frozen=True, slots=True)
class WebhookProcessor:
    """Processes webhooks. `clock`: Unix seconds, for signatures."""

    service: BillingService
    owners: CustomerOwners
    events: EventMarks
    secret: Callable[[], SecretText]
    clock: Callable[[], float] = time.time

    def take(self, body: bytes, signature: str) -> Outcome:
        """Process one webhook; on return of "done" all its effects are written.

        Raises
        ------
        BadSignatureError: the signature is not Stripe's, or not current; nothing was read.
        RetryableError: not everything was done; Stripe sends the event again.
        """
        verify_signature(body, signature, self.secret(), self.clock())
        return self.act(_event(body))

    def act(self, event: StripeEvent) -> Outcome:
        """Process an event whose signature was checked."""
        if event.type not in HANDLED_TYPES:
            return "irrelevant"
        if self.events.done(event.id):
            return "done_before"
        customer = self._customer_of(event)
        tenant = self.owners.owner(customer) if customer else None
        if tenant is None:
            # Not marked: the customer may become known later, and then the event can be sent again.
            return "unknown_customer"
        try:
            self.service.change(tenant, lambda record: self._looked_into(record, event), STRIPE, always=True)
        except NoAccountError:
            return "unknown_customer"
        self.events.mark(event.id)
        return "done"

    def _customer_of(self, event: StripeEvent) -> str:
        """The customer's id; a dispute names only the charge, whose customer is read from Stripe."""
        about = event.data.object
        if about.object == "customer":
            return about.id
        if event.type in DISPUTED and isinstance(about.charge, str):
            return str(self.service.stripe.charge(about.charge)["customer"] or "")
        return about.customer if isinstance(about.customer, str) else ""

    def _looked_into(self, record: BillingRecord, event: StripeEvent) -> BillingRecord:
        new = self.service.with_stripe_state(record)
        return replace(new, noted=new.noted | self._notes(event))

    def _notes(self, event: StripeEvent) -> frozenset[str]:
        """Audit entries of refunds and disputes, each written once: an action and its subject."""
        which = event.data.object.id
        if event.type in REFUNDED:
            cents = self.service.stripe.charge(which)["amount_refunded"]
            return frozenset({f"payment.refunded {which}:{cents}"})
        if event.type in DISPUTED:
            status = self.service.stripe.dispute(which)["status"]
            closed = {f"payment.dispute_{status} {which}"} if status in ("won", "lost") else set()
            return frozenset({f"payment.disputed {which}", *closed})
        return frozenset()


def _event(body: bytes) -> StripeEvent:
    try:
        return msgspec.json.decode(body, type=StripeEvent)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    raise BadEventError("no_event")
