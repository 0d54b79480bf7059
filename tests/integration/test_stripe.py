"""Stripe as a part of the stack: it has our plans, sends us events, and loses nothing when killed."""

import json
from typing import Any

import httpx
import pytest
import stripe

from functions.shared.plans import PLANS
from local.naming import physical
from tests.integration.stack import RunningStack, bearer, wait_until

NAMES = ("Zoë Ångström", "株式会社 アストラ", "عميل", "😀 & <b>\u2028</b>")


@pytest.fixture
def at_stripe(stack: RunningStack) -> Any:
    """What an operator can ask Stripe, with the key that the functions have."""
    secret = stack.aws("secretsmanager").get_secret_value(SecretId=physical("stripe"))["SecretString"]
    key = json.loads(secret)["api_key"]
    return stripe.StripeClient(key, base_addresses={"api": stack.stripe}, max_network_retries=0).v1


def deliveries(stack: RunningStack) -> list[dict[str, Any]]:
    delivered: list[dict[str, Any]] = httpx.get(f"{stack.stripe}/_webhooks").json()["deliveries"]
    return delivered


def catalogue(at_stripe: Any) -> set[str]:
    return {price.id for price in at_stripe.prices.list({"limit": 100}).data}


def test_our_plans_are_there(at_stripe: Any) -> None:
    products = {product.id for product in at_stripe.products.list({"limit": 100}).data}
    assert products == {f"astralog_{plan.name}" for plan in PLANS.values() if plan.sold}
    assert at_stripe.billing.meters.list().data[0].event_name == "astralog_bytes"


def test_an_event_with_names_in_any_script_comes_through_the_gateway_as_it_was_signed(
    stack: RunningStack, at_stripe: Any
) -> None:
    made = {at_stripe.customers.create({"name": name}).id for name in NAMES}
    events = {
        event.id
        for event in at_stripe.events.list({"types": ["customer.created"], "limit": 100}).data
        if event.data.object.id in made
    }
    assert len(events) == len(NAMES)

    def all_taken() -> bool:
        return events <= {each["event"] for each in deliveries(stack) if each["status"] == 200}

    wait_until(all_taken, 30, "every event is taken")
    assert {each["status"] for each in deliveries(stack) if each["event"] in events} == {200}


def test_a_stripe_that_is_killed_knows_its_customers_and_has_our_plans(
    stack: RunningStack, at_stripe: Any
) -> None:
    asked = {"json": {"plan": "managed_15"}, "headers": bearer(stack.second_keys["admin"]), "timeout": 30}
    page = httpx.post(f"{stack.api}/v1/billing/checkout", **asked).json()["url"]
    plans, people = catalogue(at_stripe), {each.id for each in at_stripe.customers.list({"limit": 100}).data}

    stack.kill("stripe")
    wait_until(lambda: _answers(stack), 30, "Stripe answers again")

    assert catalogue(at_stripe) == plans
    assert {each.id for each in at_stripe.customers.list({"limit": 100}).data} == people
    assert httpx.get(page).status_code == 200
    made = at_stripe.customers.create({"name": "after the kill"}).id
    (event,) = (
        each
        for each in at_stripe.events.list({"types": ["customer.created"], "limit": 100}).data
        if each.data.object.id == made
    )

    def webhook_accepted() -> bool:
        return any((each["event"], each["status"]) == (event.id, 200) for each in deliveries(stack))

    wait_until(webhook_accepted, 30, "its events are taken")
    log_lines = (stack.logs / "catalogue.log").read_text().splitlines()
    wait_until(lambda: _synced_again(stack), 30, "the catalogue is looked at again")
    assert log_lines[0] == "make the meter astralog_bytes"


def _synced_again(stack: RunningStack) -> bool:
    return "nothing to do" in (stack.logs / "catalogue.log").read_text()


def _answers(stack: RunningStack) -> bool:
    try:
        return httpx.get(f"{stack.stripe}/healthcheck", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
