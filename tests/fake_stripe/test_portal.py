"""A customer changes in the portal what its configuration shows, and only what is theirs."""

from typing import Any

import pytest
import stripe

from tests.fake_stripe.server import CARD, Stripe
from tests.fake_stripe.shop import Plan, buy, plan, portal, status


def test_a_portal_shows_and_changes_only_its_customer(
    here: Stripe, small: Plan, two: tuple[str, str]
) -> None:
    mine, theirs = (buy(here, customer, small) for customer in two)
    page = portal(here, two[0])
    assert theirs.id not in here.http.get(page).text
    answer = here.http.post(f"{page}/cancel", data={"subscription": theirs.id})
    assert answer.status_code == 402
    assert here.api.subscriptions.retrieve(theirs.id).cancel_at is None
    here.post_form(page, "Cancel plan")
    ending = here.api.subscriptions.retrieve(mine.id)
    assert (ending.status, ending.cancel_at) == ("active", mine.items.data[0].current_period_end)
    here.post_form(page, "Don't cancel plan".replace("'", "&#x27;"))
    assert here.api.subscriptions.retrieve(mine.id).cancel_at is None
    here.post_form(page, "Cancel plan")
    here.advance(32)
    assert (status(here, mine), status(here, theirs)) == ("canceled", "active")


def test_the_portal_switches_a_metered_plan_only_if_configured(
    here: Stripe, small: Plan, two: tuple[str, str]
) -> None:
    large = plan(here, "managed_30", 3000, here.api.billing.meters.list().data[0].id)
    mine, theirs = (buy(here, customer, small) for customer in two)
    page = portal(here, two[0])
    assert "Switch to" not in here.http.get(page).text
    here.order("/_settings", portal_changes_any_plan=True)
    assert here.post_form(page, "Switch to managed_30").status_code == 303
    prices = [item.price.id for item in here.api.subscriptions.retrieve(mine.id).items.data]
    assert prices == [large.flat, large.metered]
    assert here.api.subscriptions.retrieve(theirs.id).items.data[0].price.id == small.flat


def test_a_portal_has_what_its_configuration_shows_and_no_more(
    here: Stripe, small: Plan, two: tuple[str, str]
) -> None:
    mine, theirs = (buy(here, customer, small) for customer in two)
    off = {"enabled": False}
    bare: Any = {
        "features": {"subscription_cancel": off, "payment_method_update": off, "invoice_history": off}
    }
    configuration = here.api.billing_portal.configurations.create(bare).id
    opened = here.api.billing_portal.sessions.create(
        {"customer": two[0], "configuration": configuration, "return_url": "http://127.0.0.1:1/"}
    )
    shown = here.http.get(opened.url).text
    assert "Status: active" in shown
    assert not any(word in shown for word in ("<button", "Invoice", "Payment method", "4242"))
    for action, form in (("cancel", {"subscription": mine.id}), ("card", CARD), ("pay", {"invoice": "in_x"})):
        assert "There is no such button." in here.http.post(f"{opened.url}/{action}", data=form).text
    assert here.api.subscriptions.retrieve(mine.id) == mine
    assert "Cancel plan" in here.http.get(portal(here, two[1])).text
    assert here.api.subscriptions.retrieve(theirs.id) == theirs


def test_a_portal_that_cancels_at_once(here: Stripe, small: Plan, two: tuple[str, str]) -> None:
    mine, theirs = (buy(here, customer, small) for customer in two)
    at_once: Any = {"features": {"subscription_cancel": {"enabled": True, "mode": "immediately"}}}
    configuration = here.api.billing_portal.configurations.create(at_once).id
    opened = here.api.billing_portal.sessions.create({"customer": two[0], "configuration": configuration})
    assert here.post_form(opened.url, "Cancel plan").status_code == 303
    assert (status(here, mine), status(here, theirs)) == ("canceled", "active")


def test_a_portal_without_settings_needs_a_configuration(here: Stripe, two: tuple[str, str]) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="default configuration has not been created"):
        here.api.billing_portal.sessions.create({"customer": two[0]})
    assert portal(here, two[0])
