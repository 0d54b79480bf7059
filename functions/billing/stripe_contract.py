"""The interface to Stripe that billing uses, implemented by functions.billing.stripe_client.

Objects are plain dictionaries with the keys of Stripe's reference at `API_VERSION`, always read at the time
of the call: the object in a webhook may be outdated. Nothing here holds a card number or could.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from functions.shared.errors import PermanentError, RetryableError
from functions.shared.tenancy import TenantId

API_VERSION = "2026-10-28.endive"
"""The version of the pinned SDK; a test checks that both are equal."""

DUPLICATE_METER_EVENT = "duplicate_meter_event"
"""Error code for a meter event whose identifier was accepted within 24 hours: the first one is counted."""

RESOURCE_MISSING = "resource_missing"

StripeObject = dict[str, Any]
Fields = Mapping[str, Any]

Kind = Literal["product", "price", "meter", "portal"]


class StripeUnavailableError(RetryableError):
    """Stripe did not answer, or throttles us; the requested change may have been made."""


class StripeRefusedError(PermanentError):
    """Stripe rejected the request, and would reject it again.

    `code` is Stripe's own, such as `card_declined`; `status` is 402 for a rejected card.
    """

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(f"Stripe rejected the request: {code}")
        self.code = code
        self.status = status


class BadSignatureError(PermanentError):
    """A webhook without a valid, current Stripe signature; `reason` is a word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StripeApi(Protocol):
    """Every method raises StripeUnavailableError or StripeRefusedError, with a code and no content."""

    def make_customer(self, tenant: TenantId, once: str) -> str:
        """The id of a new customer; the same `once` within a day returns the same customer."""

    def customer_exists(self, customer: str) -> bool:
        """Whether the customer exists and is not deleted."""

    def delete_customer(self, customer: str) -> None:
        """Delete the customer with all stored payment data; a customer already deleted is not an error."""

    def subscriptions(self, customer: str) -> list[StripeObject]:
        """All subscriptions of a customer, including ended ones, newest first."""

    def invoices(self, subscription: str) -> list[StripeObject]:
        """The newest hundred invoices of a subscription, newest first."""

    def change_plan(self, subscription: str, items: Sequence[Fields], *, at_once: bool) -> None:
        """Change the prices of the subscription's items, prorated: charged now if `at_once`, else on the next
        invoice. If the charge is declined nothing changes."""

    def cancel(self, subscription: str, *, prorate: bool) -> None:
        """Cancel now; a draft invoice bills the usage and, if `prorate`, credits the rest of the period."""

    def collect(self, invoice: str) -> None:
        """Finalize the invoice if it is a draft and collect the payment; a settled invoice stays as it is."""

    def start_checkout(self, customer: str, fields: Fields) -> tuple[str, str]:
        """Create a checkout session for a subscription: its id and the URL of its page."""

    def expire_checkout(self, session: str) -> None:
        """Expire a checkout session; one that was paid or has expired stays as it is."""

    def open_portal(self, customer: str, configuration: str, return_url: str) -> str:
        """The URL of a page where the customer changes the card and cancels."""

    def charge(self, charge: str) -> StripeObject: ...

    def dispute(self, dispute: str) -> StripeObject: ...

    def listed(self, kind: Kind, **filters: Any) -> list[StripeObject]:
        """All objects of a kind that match the filters."""

    def create(self, kind: Kind, fields: Fields) -> StripeObject: ...

    def update(self, kind: Kind, which: str, fields: Fields) -> StripeObject: ...

    def send_meter_event(
        self, event_name: str, customer: str, value: int, identifier: str, timestamp: int
    ) -> None:
        """Add `value` to the customer's usage at `timestamp`, Unix seconds.

        Raises StripeRefusedError with DUPLICATE_METER_EVENT if the identifier was accepted within 24 hours.
        """

    def usage_between(self, meter: str, customer: str, start: int, end: int) -> int:
        """The sum of the customer's events dated from `start` until `end`, whole minutes in Unix seconds; 0
        without events. An event may take minutes to appear."""
