"""The billing record of one account, as a value."""

from dataclasses import dataclass

from functions.billing.subscriptions.subscription import Subscription
from functions.shared.tenancy import TenantId


@dataclass(frozen=True, slots=True)
class BillingRecord:
    """The billing record of one account; times in Unix seconds.

    `version` 0: nothing has been written yet. `looked_at`: time of the last read from Stripe. Caps are set by
    the customer and count the bytes of a period. `checkout_session`: the only checkout page that can be paid,
    created at `checkout_at`. `noted`: refunds and disputes in the audit trail. `reminders_sent`: ids of
    their notices.
    """

    tenant: TenantId
    version: int = 0
    customer_id: str = ""
    subscription: Subscription | None = None
    looked_at: int | None = None
    soft_cap_bytes: int | None = None
    hard_cap_bytes: int | None = None
    checkout_session: str = ""
    noted: frozenset[str] = frozenset()
    reminders_sent: frozenset[str] = frozenset()
    closing_requested_at: int | None = None
    closed_at: int | None = None
    checkout_at: int | None = None

    @property
    def live(self) -> Subscription | None:
        """The subscription, if it is live."""
        return self.subscription if self.subscription and self.subscription.live else None
