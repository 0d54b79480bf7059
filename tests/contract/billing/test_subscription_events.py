"""Against the fake Stripe: a subscription ends, is unpaid or refunded, and changes no other account."""

from functions.billing import catalogue
from functions.shared.accounts.account_status import account_status_on
from functions.shared.plans import PLANS
from tests.contract.billing.responses import shown
from tests.fake_stripe.server import CARD
from tests.unit.billing.shop import FAILS_LATER, Shop


def test_an_end_is_asked_for_taken_back_asked_for_again_and_comes(here: Shop) -> None:
    acme, globex = here.subscribed("acme"), here.subscribed("globex")
    period_end = here.record(acme).subscription.period_end  # type: ignore[union-attr]
    here.portal(acme, "Cancel plan")
    here.deliver()
    ending = here.account_status(acme)
    assert (ending.accepts_until, ending.end_reason) == (period_end, "subscription_ended")
    assert (here.refusal(acme), shown(here, acme)["ends_at"] is not None) == ("", True)
    here.here.advance(0.01)
    here.portal(acme, "Don&#x27;t cancel plan")
    here.deliver()
    assert here.account_status(acme).accepts_until is None
    here.here.advance(0.01)
    here.portal(acme, "Cancel plan")
    here.deliver()
    here.here.advance(32)
    # The end holds by the clock alone, before any event arrived.
    assert here.refusal(acme) == "subscription_ended"
    here.deliver()
    assert (here.refusal(acme), here.account_status(acme).plan) == ("subscription_ended", "managed_15")
    assert here.refusal(globex) == ""
    assert here.mails(acme) == ["begun", "ending", "resumed", "ending", "ended"]
    assert here.mails(globex) == ["begun"]


def test_unpaid_after_all_retries_is_refused_and_paid_is_taken_again(here: Shop) -> None:
    here.here.order("/_settings", after_retries="unpaid")
    acme, globex = here.subscribed("acme"), here.subscribed("globex")
    here.portal(acme, "Save card", **FAILS_LATER)
    here.renew(acme)
    here.deliver()
    since = here.record(acme).subscription.owes_since  # type: ignore[union-attr]
    here.here.advance(8)
    here.deliver()
    kept = here.record(acme).subscription
    assert kept
    assert (kept.status, kept.owes_since) == ("unpaid", since)
    assert (here.refusal(acme), here.refusal(globex)) == ("payment_overdue", "")
    page = here.page("POST /v1/billing/portal", acme)
    here.here.post_form(page, "Save card", **CARD)
    assert here.here.post_form(page, "Pay now").status_code == 303
    here.deliver()
    assert here.account_status(acme) == account_status_on(PLANS["managed_15"])
    assert here.mails(acme).count("recovered") == 1


def test_refunds_and_disputes_are_in_the_trail_once_each_in_any_order(here: Shop) -> None:
    acme, globex = here.subscribed("acme"), here.subscribed("globex")
    charge = here.here.api.charges.list({"customer": here.record(acme).customer_id}).data[0]
    here.here.api.refunds.create({"charge": charge.id, "amount": 400})
    here.here.api.refunds.create({"charge": charge.id, "amount": 500})
    dispute = here.here.order("/_dispute", charge=charge.id, reason="fraudulent")["id"]
    here.here.order("/_dispute", dispute=dispute, status="won")
    events = here.pending()
    # Backwards, and all of it once more.
    for body, signature in [*events[::-1], *events]:
        assert here.webhook(body, signature)["statusCode"] == 200
    money = [
        (each["action"], each["subject"])
        for each in here.audit.page(acme, 100).entries
        if each["action"].startswith("payment.")
    ]
    assert sorted(money) == [
        ("payment.dispute_won", dispute),
        ("payment.disputed", dispute),
        ("payment.refunded", f"{charge.id}:900"),
    ]
    assert not [each for each in here.actions(globex) if each.startswith("payment.")]
    assert here.refusal(acme) == ""


def test_what_a_subscription_of_one_customer_says_of_another_account_changes_nothing_of_it(
    here: Shop,
) -> None:
    """Names in metadata, an e-mail address, a reference: a person typed them, and no code trusts them."""
    acme, globex = here.subscribed("acme", "managed_30"), here.account("globex")
    here.page("POST /v1/billing/checkout", globex, {"plan": "managed_15"})
    before, account_status = here.record(acme), here.account_status(acme)
    customer = here.record(globex).customer_id
    lies = {"tenant": acme, "tenant_id": acme, "plan": "byoc", "customer": before.customer_id}
    prices = [{"price": each} for each in catalogue.prices_of(here.gate, "managed_15")]
    here.here.api.customers.update(customer, {"metadata": lies, "email": "owner@acme.example"})
    here.here.api.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": customer,
            "client_reference_id": acme,
            "metadata": lies,
            "line_items": [{"price": prices[0]["price"], "quantity": 1}, {"price": prices[1]["price"]}],
            "success_url": "http://127.0.0.1:1/",
            "subscription_data": {"metadata": lies, "trial_period_days": 30},
        }
    )
    card = here.here.api.payment_methods.attach("pm_card_visa", {"customer": customer})
    here.here.api.subscriptions.create(
        {"customer": customer, "items": prices, "metadata": lies, "default_payment_method": card.id}  # type: ignore[typeddict-item]
    )
    assert set(here.deliver()) == {200}
    assert (here.record(acme), here.account_status(acme)) == (before, account_status)
    assert here.account_status(globex).plan == "managed_15"
