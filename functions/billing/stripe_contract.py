"""What billing asks of Stripe, as a contract; functions.billing.stripe_gate keeps it.

Objects come as plain dictionaries with the keys of Stripe's reference at `API_VERSION`, and always as they
are at the moment of asking: what a webhook carries may be old. Nothing here holds a card number or could.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from functions.shared.errors import PermanentError, RetryableError
from functions.shared.tenancy import TenantId

API_VERSION = "2026-10-28.endive"
"""That of the pinned SDK; a test holds the two together."""

DUPLICATE_METER_EVENT = "duplicate_meter_event"
"""Code of the refusal of a meter event whose identifier came within 24 hours: the first has landed."""

RESOURCE_MISSING = "resource_missing"

Thing = dict[str, Any]
Fields = Mapping[str, Any]

Kind = Literal["product", "price", "meter", "portal"]


class StripeUnavailableError(RetryableError):
    """Stripe did not answer, or asks us to slow down; what was asked may have been done."""


class StripeRefusedError(PermanentError):
    """Stripe said no and will say it again.

    `code` is Stripe's own, such as `card_declined`; `status` is 402 when it was a card that was refused.
    """

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(f"Stripe refused: {code}")
        self.code = code
        self.status = status


class BadSignatureError(PermanentError):
    """A webhook that Stripe did not sign, or not now; `reason` is a word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Stripe(Protocol):
    """Every method raises StripeUnavailableError or StripeRefusedError, which tell a code and no content."""

    def make_customer(self, tenant: TenantId, once: str) -> str:
        """The id of a new customer; the same `once` within a day gives the same one."""

    def customer_exists(self, customer: str) -> bool:
        """Whether it is there and not deleted."""

    def delete_customer(self, customer: str) -> None:
        """Delete it, and with it what it has on file; one that is gone is no error."""

    def subscriptions(self, customer: str) -> list[Thing]:
        """All of a customer's, ended ones too, newest first."""

    def invoices(self, subscription: str) -> list[Thing]:
        """The newest hundred of a subscription, newest first."""

    def change_plan(self, subscription: str, items: Sequence[Fields], *, at_once: bool) -> None:
        """Give the subscription's items other prices, prorated: charged now if `at_once`, else on the next
        invoice. When the charge is refused nothing is changed."""

    def cancel(self, subscription: str, *, prorate: bool) -> None:
        """End it now; a draft invoice asks for its usage and, if `prorate`, gives back the period's rest."""

    def collect(self, invoice: str) -> None:
        """Finalize it if it is a draft and take what is due; one that is settled stays as it is."""

    def start_checkout(self, customer: str, fields: Fields) -> tuple[str, str]:
        """A checkout session for a subscription: its id and the address of its page."""

    def expire_checkout(self, session: str) -> None:
        """Make the page useless; one that was paid or has expired stays as it is."""

    def open_portal(self, customer: str, configuration: str, return_url: str) -> str:
        """The address of a page where the customer changes their card and cancels."""

    def charge(self, charge: str) -> Thing: ...

    def dispute(self, dispute: str) -> Thing: ...

    def listed(self, kind: Kind, **filters: Any) -> list[Thing]:
        """Everything of a kind that meets the filters."""

    def made(self, kind: Kind, fields: Fields) -> Thing: ...

    def changed(self, kind: Kind, which: str, fields: Fields) -> Thing: ...

    def send_meter_event(
        self, event_name: str, customer: str, value: int, identifier: str, timestamp: int
    ) -> None:
        """Add `value` to what the customer used at `timestamp`, Unix seconds.

        Raises StripeRefusedError of DUPLICATE_METER_EVENT when the identifier came within 24 hours.
        """

    def usage_between(self, meter: str, customer: str, start: int, end: int) -> int:
        """What the customer's events that are dated from `start` until `end`, whole minutes in Unix seconds,
        come to; 0 when there are none. An event may take minutes to show."""
