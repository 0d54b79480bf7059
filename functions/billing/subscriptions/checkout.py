"""Checkout, plan changes, and the billing portal: the payment actions of a customer.

Cards are entered on Stripe's own pages and never reach us. An account cannot pay for two plans at once: only
one checkout page of an account can be paid at a time, and none while a subscription is live.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from functions.billing import catalogue
from functions.billing.stripe_contract import Fields, StripeObject, StripeRefusedError
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.billing_service import BillingService, Item, NoAccountError
from functions.billing.subscriptions.billing_store import BillingStore
from functions.billing.subscriptions.byoc_destinations import ByocDestinations
from functions.billing.subscriptions.entitlements import LEAST_TRIAL_SECONDS, trial_ends_at
from functions.billing.subscriptions.subscription import chosen, is_metered
from functions.shared.access import BYOC
from functions.shared.accounts.audit import Origin
from functions.shared.errors import HttpError
from functions.shared.plans import PLANS
from functions.shared.tenancy import TenantId

PAYMENT_REQUIRED = 402


@dataclass(frozen=True, slots=True)
class PaymentService:
    """`dashboard`: base URL to which Stripe's pages return people, without a trailing slash.

    Every method raises HttpError with the API's answer, or a RetryableError.
    """

    service: BillingService
    records: BillingStore
    own_clouds: ByocDestinations
    dashboard: str

    def checkout(self, tenant: TenantId, plan: str, who: Origin) -> str:
        """The URL of a checkout page for `plan`; the account's earlier checkout pages expire."""
        self._reject_if_unusable(tenant, plan)
        self._customer(tenant, who)
        prices = catalogue.prices_of(self.service.stripe, plan)
        pages: list[tuple[str, str]] = []

        def begun(record: BillingRecord) -> BillingRecord:
            reject_if_closing(record)
            # Before the read: a page that is paid after it would be a second subscription beside the new
            # page's.
            for session in {record.checkout_session, *(session for session, _ in pages)} - {""}:
                self.service.stripe.expire_checkout(session)
            new = self.service.with_stripe_state(record)
            if new.live:
                raise HttpError(
                    409,
                    "already_subscribed",
                    "A subscription exists: change its plan with POST /v1/billing/plan.",
                )
            pages.append(self.service.stripe.start_checkout(record.customer_id, self._order(new, prices)))
            return replace(new, checkout_session=pages[-1][0], checkout_at=int(self.service.clock()))

        def audit_entries(record: BillingRecord) -> Sequence[Item]:
            return [self.service.audit.entry(record.tenant, who, "billing.checkout_begun", plan)]

        self.service.change(tenant, begun, who, also=audit_entries)
        return pages[-1][1]

    def portal(self, tenant: TenantId) -> str:
        """The URL of a portal page to change the card, pay invoices and cancel."""
        customer = self.records.of(tenant).customer_id
        if not customer:
            raise HttpError(
                409, "no_subscription", "No plan bought yet: choose one with POST /v1/billing/checkout."
            )
        stripe = self.service.stripe
        configuration = catalogue.portal_of(stripe)
        try:
            return stripe.open_portal(customer, configuration, f"{self.dashboard}/billing")
        except StripeRefusedError:
            if stripe.customer_exists(customer):
                raise
        raise HttpError(
            409, "no_subscription", "No customer at Stripe: choose a plan with POST /v1/billing/checkout."
        )

    def change_plan(self, tenant: TenantId, plan: str, who: Origin) -> BillingRecord:
        """Change the plan of a live subscription immediately, prorated to the second.

        Upgrades are charged immediately, and nothing changes if the charge fails. Downgrades are credited on
        the next invoice.
        """
        self._reject_if_unusable(tenant, plan)
        record = self.service.refresh(tenant)
        reject_if_closing(record)
        if record.live is None:
            raise HttpError(
                409,
                "no_subscription",
                "No subscription exists: choose a plan with POST /v1/billing/checkout.",
            )
        if record.live.plan == plan:
            return record
        if record.live.owing:
            raise HttpError(
                409, "payment_overdue", "Payment overdue: first update the card with POST /v1/billing/portal."
            )
        # Written before the change: Stripe's webhook may arrive first, and does not name the person.
        self.service.audit.append(tenant, who, "billing.plan_asked_for", plan)
        self._switch(record, plan, dearer=PLANS[plan].monthly_cents > PLANS[record.live.plan].monthly_cents)
        return self.service.refresh(tenant)

    def _switch(self, record: BillingRecord, plan: str, *, dearer: bool) -> None:
        stripe = self.service.stripe
        thing = chosen(stripe.subscriptions(record.customer_id))
        if thing is None:
            return
        items = _items(thing, catalogue.prices_of(stripe, plan))
        try:
            stripe.change_plan(thing["id"], items, at_once=dearer)
        except StripeRefusedError as refused:
            if refused.status != PAYMENT_REQUIRED:
                raise
            raise HttpError(
                PAYMENT_REQUIRED,
                "card_declined",
                "The card was declined, nothing changed: update it with POST /v1/billing/portal.",
            ) from None

    def _reject_if_unusable(self, tenant: TenantId, plan: str) -> None:
        """Reject a plan under which all logs would be rejected.

        These are every plan of an account that waits for its erasure, and BYOC without a destination.
        """
        if self.records.waits_for_erasure(tenant):
            raise HttpError(
                409,
                "account_closing",
                "The erasure of this account is requested: to buy or change a plan, first cancel the erasure "
                "with DELETE /v1/erasures/{id}.",
            )
        if plan == BYOC and not self.own_clouds.has(tenant):
            raise HttpError(
                409,
                "no_destination",
                "The plan needs a BYOC destination: set it with PUT /v1/destination first.",
            )

    def _customer(self, tenant: TenantId, who: Origin) -> None:
        """Ensure that the account has exactly one Stripe customer."""
        record = self.records.of(tenant)
        reject_if_closing(record)
        old = record.customer_id
        if old and self.service.stripe.customer_exists(old):
            return
        once = hashlib.sha256(f"customer|{tenant}|{old}".encode()).hexdigest()
        made = self.service.stripe.make_customer(tenant, once)

        def known(record: BillingRecord) -> BillingRecord:
            reject_if_closing(record)
            return replace(record, customer_id=made) if record.customer_id == old else record

        try:
            self.service.change(tenant, known, who, also=lambda record: self._owning(record, old, made))
        except (HttpError, NoAccountError):
            # The account was just closed or deleted: this customer would never be found again.
            self.service.stripe.delete_customer(made)
            raise

    def _owning(self, record: BillingRecord, old: str, made: str) -> Sequence[Item]:
        if record.customer_id != made:
            return ()
        gone = [self.records.disowning(old)] if old else []
        return [self.records.owning(made, record.tenant), *gone]

    def _order(self, record: BillingRecord, prices: tuple[str, str]) -> Fields:
        """The subscription to create; the rest of a free trial stays free."""
        flat, usage = prices
        order: dict[str, Any] = {
            "mode": "subscription",
            "line_items": [{"price": flat, "quantity": 1}, {"price": usage}],
            "success_url": f"{self.dashboard}/billing?checkout=done",
            "cancel_url": f"{self.dashboard}/billing?checkout=left",
        }
        account_status = self.records.account_status(record.tenant)
        trial_end = trial_ends_at(record, account_status) if account_status else None
        if trial_end and trial_end - self.service.clock() >= LEAST_TRIAL_SECONDS:
            order["subscription_data"] = {"trial_end": trial_end}
        return order


def reject_if_closing(record: BillingRecord) -> None:
    """Reject with 409 a request that makes no sense while the account is being closed."""
    if record.closing_requested_at is not None:
        raise HttpError(409, "account_closing", "This account is being closed.")


def _items(thing: StripeObject, prices: tuple[str, str]) -> list[Fields]:
    """The subscription's items with the new prices in place of the old ones."""
    wanted: list[Fields] = []
    for price, by_usage in zip(prices, (False, True), strict=True):
        old = next((each for each in thing["items"]["data"] if is_metered(each) == by_usage), None)
        wanted.append({"price": price, **({"id": old["id"]} if old else {})})
    return wanted
