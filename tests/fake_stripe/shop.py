"""Something to sell, and people who buy it, at a fake Stripe."""

from dataclasses import dataclass
from typing import Any

from tests.fake_stripe.server import CARD, Stripe

INCLUDED = 50


@dataclass(frozen=True)
class Plan:
    """A product with a flat price and a metered one: INCLUDED units free, 25 cents each beyond."""

    product: str
    flat: str
    metered: str


def meter(here: Stripe) -> Any:
    return here.api.billing.meters.create(
        {
            "display_name": "Stored",
            "event_name": "stored_gb",
            "default_aggregation": {"formula": "sum"},
            "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
            "value_settings": {"event_payload_key": "value"},
        }
    )


def plan(here: Stripe, name: str, cents: int, meter_id: str) -> Plan:
    product = here.api.products.create({"name": name, "metadata": {"plan": name}})
    flat = here.api.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "unit_amount": cents,
            "recurring": {"interval": "month"},
            "lookup_key": name,
        }
    )
    metered = here.api.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "billing_scheme": "tiered",
            "tiers_mode": "graduated",
            "tiers": [{"up_to": INCLUDED, "unit_amount": 0}, {"up_to": "inf", "unit_amount_decimal": "25"}],
            "recurring": {"interval": "month", "usage_type": "metered", "meter": meter_id},
        }
    )
    return Plan(product.id, flat.id, metered.id)


def checkout(here: Stripe, customer: str, bought: Plan, **more: Any) -> Any:
    return here.api.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": customer,
            "line_items": [{"price": bought.flat, "quantity": 1}, {"price": bought.metered}],
            "success_url": "http://127.0.0.1:1/done?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://127.0.0.1:1/back",
            **more,
        }
    )


def buy(here: Stripe, customer: str, bought: Plan, **more: Any) -> Any:
    """Through the page, as a person does; the subscription."""
    session = checkout(here, customer, bought, **more)
    answer = here.post_form(session.url, "Subscribe", **CARD)
    assert answer.status_code == 303, answer.text
    assert answer.headers["Location"] == f"http://127.0.0.1:1/done?session={session.id}"
    return here.api.subscriptions.retrieve(here.api.checkout.sessions.retrieve(session.id).subscription)


def use(here: Stripe, customer: str, value: int, identifier: str, **more: Any) -> Any:
    payload = {"stripe_customer_id": customer, "value": str(value)}
    parameters = {"event_name": "stored_gb", "payload": payload, "identifier": identifier, **more}
    return here.api.billing.meter_events.create(parameters)


def portal(here: Stripe, customer: str, return_url: str = "http://127.0.0.1:1/") -> str:
    """The address of a portal's page."""
    here.order("/_settings", portal_is_set_up=True)
    return here.api.billing_portal.sessions.create({"customer": customer, "return_url": return_url}).url


def status(here: Stripe, subscription: Any) -> str:
    """The subscription's status now."""
    return here.api.subscriptions.retrieve(subscription.id).status
