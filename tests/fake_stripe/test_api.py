"""What the fake Stripe promises: the official SDK drives it, and finds what Stripe's reference says."""

import json
from typing import Any

import httpx
import pytest
import stripe

from fake_stripe import API_VERSION
from tests.fake_stripe import conformity
from tests.fake_stripe.server import API_KEY, CARD, DAY, Stripe
from tests.fake_stripe.shop import Plan, buy, checkout, plan, portal, status, use

LISTS = (
    "customers products prices billing/meters subscriptions invoices charges payment_intents "
    "checkout/sessions events?limit=100 webhook_endpoints invoice_payments billing_portal/configurations"
)
FAILS_LATER = {**CARD, "number": "4000 0000 0000 0341"}


def renew(here: Stripe, subscription: Any) -> None:
    """Move time to just after the invoice of its next period."""
    boundary = here.api.subscriptions.retrieve(subscription.id).items.data[0].current_period_end
    here.advance((boundary - here.now()) / DAY + 0.1)


def newest_invoice(here: Stripe, customer: str) -> Any:
    return here.api.invoices.list({"customer": customer}).data[0]


def test_the_version_is_that_of_the_installed_sdk() -> None:
    assert stripe.api_version == API_VERSION


def test_two_customers_from_checkout_through_usage_to_the_second_invoice(
    here: Stripe, small: Plan, two: tuple[str, str]
) -> None:
    first, second = (buy(here, customer, small) for customer in two)
    assert (first.status, second.status) == ("active", "active")
    assert here.api.invoices.retrieve(first.latest_invoice).amount_paid == 1000
    use(here, two[0], 60, "a")
    use(here, two[0], 10, "b")
    use(here, two[1], 7, "c")
    here.advance(32)
    for customer, usage in ((two[0], 70), (two[1], 7)):
        invoice = newest_invoice(here, customer)
        lines = [line for line in invoice.lines.data if line.pricing.price_details.price == small.metered]
        assert sum(line.quantity for line in lines) == usage
        assert invoice.status == "paid"
        assert invoice.billing_reason == "subscription_cycle"
        assert invoice.total == 1000 + 25 * max(0, usage - 50)
    assert here.api.subscriptions.retrieve(first.id).items.data[0].current_period_start > first.start_date


def test_a_card_that_fails_later_leads_to_past_due_and_back(
    here: Stripe, small: Plan, two: tuple[str, str]
) -> None:
    late, other = (buy(here, customer, small) for customer in two)
    assert here.post_form(portal(here, two[0]), "Save card", **FAILS_LATER).status_code == 303
    renew(here, late)
    assert (status(here, late), status(here, other)) == ("past_due", "active")
    invoice = newest_invoice(here, two[0])
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    assert invoice.next_payment_attempt
    page = portal(here, two[0])
    assert here.post_form(page, "Pay now").status_code == 402
    # Only scheduled tries use up retries.
    assert here.api.invoices.retrieve(invoice.id).attempt_count == 1
    here.post_form(page, "Save card", **CARD)
    assert here.post_form(page, "Pay now").status_code == 303
    assert (status(here, late), status(here, other)) == ("active", "active")
    assert here.api.invoices.retrieve(invoice.id).status == "paid"


def test_retries_follow_their_days_and_their_end_cancels(
    here: Stripe, small: Plan, two: tuple[str, str]
) -> None:
    late, other = (buy(here, customer, small) for customer in two)
    here.post_form(portal(here, two[0]), "Save card", **FAILS_LATER)
    renew(here, late)
    attempts = [newest_invoice(here, two[0]).attempt_count]
    for days in (1, 2, 2, 2):
        here.advance(days)
        attempts.append(newest_invoice(here, two[0]).attempt_count)
    assert attempts == [1, 2, 3, 4, 5]
    ended = here.api.subscriptions.retrieve(late.id)
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")
    assert (newest_invoice(here, two[0]).status, status(here, other)) == ("open", "active")


def test_settings_leave_the_subscription_unpaid_and_the_invoice_uncollectible(
    here: Stripe, small: Plan, two: tuple[str, str]
) -> None:
    late, other = (buy(here, customer, small) for customer in two)
    here.order("/_settings", after_retries="unpaid", uncollectible_after_retries=True, retry_days=[1])
    here.post_form(portal(here, two[0]), "Save card", **FAILS_LATER)
    here.advance(34)
    assert (status(here, late), status(here, other)) == ("unpaid", "active")
    assert newest_invoice(here, two[0]).status == "uncollectible"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("4000 0000 0000 0002", "Your card was declined."),
        ("4000 0000 0000 9995", "insufficient funds"),
        ("4242 4242 4242 4241", "number is incorrect"),
    ],
)
def test_a_refused_card_begins_nothing_and_is_kept_nowhere(
    here: Stripe, small: Plan, two: tuple[str, str], number: str, said: str
) -> None:
    session = checkout(here, two[0], small)
    answer = here.post_form(session.url, "Subscribe", **{**CARD, "number": number})
    assert (answer.status_code, said in answer.text) == (402, True)
    assert "".join(number.split()) not in "".join(answer.text.split())
    assert here.api.subscriptions.list({"status": "all"}).data == []
    assert here.api.checkout.sessions.retrieve(session.id).status == "open"


def test_no_answer_and_no_webhook_holds_a_card_number(
    here: Stripe, small: Plan, two: tuple[str, str]
) -> None:
    for customer in two:
        buy(here, customer, small)
    here.settle()
    said = b"".join(body for body, _, _ in here.receiver.received).decode()
    said += "".join(str(each) for each in here.api.events.list({"limit": 100}).data)
    assert "4242424242424242" not in said
    assert '"last4":"4242"' in said


def test_a_trial_warns_ends_and_is_billed(here: Stripe, small: Plan, two: tuple[str, str]) -> None:
    trial = buy(
        here, two[0], small, subscription_data={"trial_period_days": 14, "metadata": {"tenant": "t1"}}
    )
    other = here.api.subscriptions.create(
        {
            "customer": two[1],
            "items": [{"price": small.flat}],
            "trial_period_days": 14,
            "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
        }
    )
    assert (trial.status, trial.metadata["tenant"], other.status) == ("trialing", "t1", "trialing")
    use(here, two[0], 500, "during the trial")
    here.advance(15)
    assert (status(here, trial), status(here, other)) == ("active", "canceled")
    assert newest_invoice(here, two[0]).total == 1000
    here.settle()
    assert here.receiver.kinds().count("customer.subscription.trial_will_end") == 2


def test_a_plan_change_is_previewed_to_the_cent_and_then_done(
    here: Stripe, small: Plan, two: tuple[str, str]
) -> None:
    large = plan(here, "managed_30", 3000, here.api.billing.meters.list().data[0].id)
    mine, theirs = (buy(here, customer, small) for customer in two)
    item = mine.items.data[0]
    middle = (item.current_period_start + item.current_period_end) // 2
    here.advance((middle - here.now()) / DAY)
    wanted = {"items": [{"id": item.id, "price": large.flat}], "proration_date": middle}
    details = {**wanted, "proration_behavior": "always_invoice"}
    preview = here.api.invoices.create_preview({"subscription": mine.id, "subscription_details": details})
    assert [line.amount for line in preview.lines.data] == [-500, 1500]
    assert here.api.subscriptions.retrieve(mine.id).items.data[0].price.id == small.flat
    here.api.subscriptions.update(mine.id, {**wanted, "proration_behavior": "always_invoice"})
    invoice = newest_invoice(here, two[0])
    assert (invoice.total, invoice.status, invoice.billing_reason) == (1000, "paid", "subscription_update")
    assert here.api.subscriptions.retrieve(theirs.id).items.data[0].price.id == small.flat


def test_a_downgrade_is_given_back_on_the_next_invoice(
    here: Stripe, small: Plan, two: tuple[str, str]
) -> None:
    large = plan(here, "managed_30", 3000, here.api.billing.meters.list().data[0].id)
    mine, _ = (buy(here, customer, large) for customer in two)
    item = mine.items.data[0]
    middle = (item.current_period_start + item.current_period_end) // 2
    here.api.subscriptions.update(
        mine.id, {"items": [{"id": item.id, "price": small.flat}], "proration_date": middle}
    )
    here.advance(32)
    totals = [newest_invoice(here, customer).total for customer in two]
    assert totals == [1000 - 1500 + 500, 3000]


def test_a_change_that_is_refused_changes_nothing(here: Stripe, small: Plan, two: tuple[str, str]) -> None:
    mine, _ = (buy(here, customer, small) for customer in two)
    with pytest.raises(stripe.InvalidRequestError):
        here.api.subscriptions.update(
            mine.id, {"metadata": {"a": "b"}, "items": [{"price": small.flat}, {"price": "price_none"}]}
        )
    assert here.api.subscriptions.retrieve(mine.id) == mine


def test_a_meter_event_counts_once_within_a_day_and_within_its_limits(
    here: Stripe, small: Plan, two: tuple[str, str]
) -> None:
    assert small
    now = here.now()
    use(here, two[0], 3, "same")
    with pytest.raises(stripe.InvalidRequestError, match="already exists with identifier same") as refused:
        use(here, two[1], 3, "same")
    assert refused.value.code == "duplicate_meter_event"
    for at in (now - 36 * DAY, now + 600):
        with pytest.raises(stripe.InvalidRequestError):
            use(here, two[0], 1, f"at {at}", timestamp=at)
    use(here, two[1], 5, "old", timestamp=now - 34 * DAY)
    here.advance(1.01)
    use(here, two[0], 4, "same")
    the_meter = here.api.billing.meters.list().data[0].id
    span = {"start_time": (now - 35 * DAY) // DAY * DAY, "end_time": (here.now() // DAY + 1) * DAY}
    sums = [
        here.api.billing.meters.event_summaries.list(the_meter, {"customer": customer, **span})
        for customer in two
    ]
    assert [each.data[0].aggregated_value for each in sums] == [7, 5]
    windows = {**span, "customer": two[0], "value_grouping_window": "day"}
    days = here.api.billing.meters.event_summaries.list(the_meter, windows)
    assert sum(day.aggregated_value for day in days.data) == 7


def test_an_idempotency_key_has_one_request_and_one_answer(here: Stripe) -> None:
    options: Any = {"idempotency_key": "once"}
    made = here.api.customers.create({"email": "a@example.com"}, options)
    again = here.api.customers.create({"email": "a@example.com"}, options)
    assert made.id == again.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        here.api.customers.create({"email": "b@example.com"}, options)
    assert len(here.api.customers.list().data) == 1
    here.advance(1.01)
    assert here.api.customers.create({"email": "b@example.com"}, options).id != made.id


def test_errors_are_those_the_sdk_knows(here: Stripe, small: Plan) -> None:
    with pytest.raises(stripe.AuthenticationError) as stranger:
        stripe.StripeClient("sk_test_other", base_addresses={"api": here.url}).v1.customers.list()
    assert stranger.value.http_status == 401
    with pytest.raises(stripe.InvalidRequestError) as missing:
        here.api.customers.retrieve("cus_none")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    assert missing.value.request_id.startswith("req_")
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        here.api.customers.create({"nonsense": "1"})  # type: ignore[arg-type]
    assert (unknown.value.code, unknown.value.param) == ("parameter_unknown", "nonsense")
    broke = here.api.customers.create({})
    with pytest.raises(stripe.CardError) as declined:
        here.api.payment_methods.attach("pm_card_chargeDeclined", {"customer": broke.id})
    assert declined.value.code == "card_declined"
    old = httpx.get(
        f"{here.url}/v1/customers",
        headers={"Authorization": f"Bearer {API_KEY}", "Stripe-Version": "2019-01-01"},
    )
    assert (old.status_code, old.json()["error"]["type"]) == (400, "invalid_request_error")
    assert small


def test_lists_come_in_pages_newest_first(here: Stripe) -> None:
    made = [here.api.customers.create({"name": str(n)}).id for n in range(7)]
    first = here.api.customers.list({"limit": 3})
    assert ([each.id for each in first.data], first.has_more) == (made[:3:-1], True)
    assert [each.id for each in first.auto_paging_iter()] == made[::-1]
    with pytest.raises(stripe.InvalidRequestError):
        here.api.customers.list({"limit": 101})


def test_expansion_follows_ids_into_objects(here: Stripe, small: Plan, two: tuple[str, str]) -> None:
    bought = buy(here, two[0], small)
    wanted = ["customer", "latest_invoice.payments", "items.data.price.tiers"]
    expanded = here.api.subscriptions.retrieve(bought.id, {"expand": wanted})
    assert expanded.customer.email == "first@example.com"
    assert expanded.latest_invoice.payments.data[0].status == "paid"
    assert expanded.items.data[1].price.tiers[0].up_to == 50
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        here.api.subscriptions.retrieve(bought.id, {"expand": ["nonsense"]})


def test_a_deleted_customer_leaves_a_stub_and_no_subscription(
    here: Stripe, small: Plan, two: tuple[str, str]
) -> None:
    canceled, stays = (buy(here, customer, small) for customer in two)
    assert here.api.customers.delete(two[0]).deleted
    assert here.api.customers.retrieve(two[0]).to_dict() == {
        "id": two[0],
        "object": "customer",
        "deleted": True,
    }
    assert (status(here, canceled), status(here, stays)) == ("canceled", "active")
    here.advance(40)


def test_refunds_and_disputes_are_recorded_and_sent(here: Stripe, small: Plan, two: tuple[str, str]) -> None:
    for customer in two:
        buy(here, customer, small)
    charges = [here.api.charges.list({"customer": customer}).data[0] for customer in two]
    refund = here.api.refunds.create({"charge": charges[0].id, "amount": 400})
    with pytest.raises(stripe.InvalidRequestError):
        here.api.refunds.create({"charge": charges[0].id, "amount": 700})
    dispute = here.order("/_dispute", charge=charges[1].id, reason="fraudulent")
    here.order("/_dispute", dispute=dispute["id"], status="won")
    assert [here.api.charges.retrieve(each.id).amount_refunded for each in charges] == [400, 0]
    assert conformity.problems(refund.to_dict()) + conformity.problems(dispute) == []
    here.settle()
    expected = {"refund.created", "charge.refunded", "charge.dispute.created", "charge.dispute.closed"}
    assert expected <= set(here.receiver.kinds())


def test_the_child_takes_its_configuration_from_its_line() -> None:
    from bench.children import child

    with child("fake_stripe", api_key=API_KEY) as running:
        sdk = stripe.StripeClient(API_KEY, base_addresses={"api": f"http://127.0.0.1:{running.port}"})
        made = sdk.v1.customers.create({"name": "of a child"})
        assert json.loads(str(sdk.v1.customers.retrieve(made.id)))["name"] == "of a child"
