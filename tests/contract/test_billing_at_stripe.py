"""Billing against the fake Stripe: what accounts buy, change, end and get back, and what is theirs then."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from functions.billing import catalogue
from functions.billing.stripe_client import StripeSdkClient
from functions.billing.stripe_contract import (
    API_VERSION,
    DUPLICATE_METER_EVENT,
    StripeRefusedError,
    StripeUnavailableError,
)
from functions.shared.accounts.account_status import account_status_on
from functions.shared.plans import PLANS, TRIAL, TRIAL_DAYS
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId
from tests.fake_stripe.server import API_KEY, CARD
from tests.unit.billing.shop import DAY, FAILS_LATER, Shop, shop


@pytest.fixture(autouse=True)
def nobodys_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def here() -> Iterator[Shop]:
    with shop() as made:
        yield made


def code_of(answer: Any) -> tuple[int, str]:
    return answer["statusCode"], json.loads(answer["body"]).get("code", "")


def shown(here: Shop, tenant: str) -> Any:
    return json.loads(here.ask("GET /v1/billing", tenant)["body"])


def test_the_version_is_the_sdk_s_own() -> None:
    import stripe

    assert stripe.api_version == API_VERSION


def test_two_accounts_buy_and_each_has_what_it_bought(here: Shop) -> None:
    acme, globex, other = (here.account(name) for name in ("acme", "globex", "other"))
    here.buy(acme, "managed_15")
    here.buy(globex, "managed_30")
    assert set(here.deliver()) == {200}
    assert [here.account_status(each).plan for each in (acme, globex, other)] == [
        "managed_15",
        "managed_30",
        TRIAL,
    ]
    assert [shown(here, each)["status"] for each in (acme, globex, other)] == ["trialing", "trialing", "none"]
    assert here.actions(acme) == ["billing.checkout_begun", "subscription.begun"]
    assert (here.mails(acme), here.mails(other)) == (["begun"], [])
    customers = {here.record(each).customer_id for each in (acme, globex)}
    assert len(customers) == 2
    assert here.record(other).customer_id == ""


def test_what_is_left_of_a_trial_stays_free_and_two_days_are_too_little(here: Shop) -> None:
    acme, late = here.account("acme"), here.account("late", trial_of(here, days=2))
    ends_at = here.account_status(acme).accepts_until
    here.buy(acme)
    here.buy(late)
    here.deliver()
    bought, billed = here.subscription(acme), here.subscription(late)
    assert (bought["status"], bought["trial_end"]) == ("trialing", ends_at)
    assert (billed["status"], billed["trial_end"]) == ("active", None)
    assert here.refusal(acme) == ""
    here.here.advance(TRIAL_DAYS + 1)
    here.deliver()
    assert here.subscription(acme)["status"] == "active"
    assert here.account_status(acme) == account_status_on(PLANS["managed_15"])


def trial_of(here: Shop, days: float) -> Any:
    return account_status_on(PLANS[TRIAL], int(here.now() + days * DAY), "trial_ended")


def test_who_has_a_plan_is_not_sold_another_beside_it(here: Shop) -> None:
    acme = here.subscribed("acme")
    asked = here.ask("POST /v1/billing/checkout", acme, {"plan": "managed_30"})
    assert code_of(asked) == (409, "already_subscribed")
    # Even before Stripe's event arrived.
    globex = here.account("globex")
    here.buy(globex)
    assert here.record(globex).subscription is None
    asked = here.ask("POST /v1/billing/checkout", globex, {"plan": "managed_30"})
    assert code_of(asked) == (409, "already_subscribed")


def test_of_the_pages_that_were_asked_for_only_the_last_can_be_paid(here: Shop) -> None:
    acme = here.account("acme")
    pages = [here.page("POST /v1/billing/checkout", acme, {"plan": "managed_15"}) for _ in range(3)]
    for old in pages[:-1]:
        assert "Subscribe" not in here.here.http.get(old).text
    assert here.here.post_form(pages[-1], "Subscribe", **CARD).status_code == 303
    here.deliver()
    assert here.record(acme).live
    made = here.here.api.customers.list({"limit": 100}).data
    assert len(made) == 1


def test_two_first_checkouts_at_once_make_one_customer_and_one_page_that_can_be_paid(here: Shop) -> None:
    """The second runs whole while the first is between two calls, at each of them."""
    for number in range(12):
        tenant = here.account(f"acme-{number}")
        pages: list[str] = []

        class Meddling:
            """Runs the second checkout before the call of that number of the first."""

            def __init__(self, gate: Any, before: int, tenant: TenantId, pages: list[str]) -> None:
                self._gate, self._left, self._tenant, self._pages = gate, before, tenant, pages

            def __getattr__(self, name: str) -> Any:
                self._left -= 1
                if self._left == -1:
                    here.wrap = lambda gate: gate
                    asked = {"plan": "managed_30"}
                    self._pages.append(here.page("POST /v1/billing/checkout", self._tenant, asked))
                return getattr(self._gate, name)

        meddling = Meddling(here.gate, number, tenant, pages)
        here.wrap = lambda _gate, meddling=meddling: meddling
        pages.append(here.page("POST /v1/billing/checkout", tenant, {"plan": "managed_15"}))
        here.wrap = lambda gate: gate
        open_ones = [page for page in pages if "Subscribe" in here.here.http.get(page).text]
        customer = here.record(tenant).customer_id
        sessions = here.here.api.checkout.sessions.list({"customer": customer, "limit": 100}).data
        assert len(open_ones) == 1, number
        assert [each.status for each in sessions].count("open") == 1, number
        assert here.record(tenant).checkout_session in {each.id for each in sessions if each.status == "open"}


def test_a_page_that_is_paid_while_another_is_asked_for_leaves_none_to_be_paid(here: Shop) -> None:
    """A payment in one window comes before each call of a second checkout in another window."""
    paid_last = 0
    for number in range(8):
        tenant = here.account(f"acme-{number}")
        first = here.page("POST /v1/billing/checkout", tenant, {"plan": "managed_15"})

        class Paying:
            """Stripe, at which the first page is paid before the call of that number."""

            def __init__(self, gate: Any, before: int, page: str) -> None:
                self._gate, self._left, self._page = gate, before, page

            def __getattr__(self, name: str) -> Any:
                self._left -= 1
                if self._left == -1 and "Subscribe" in here.here.http.get(self._page).text:
                    assert here.here.post_form(self._page, "Subscribe", **CARD).status_code == 303
                return getattr(self._gate, name)

        paying = Paying(here.gate, number, first)
        here.wrap = lambda _gate, paying=paying: paying
        answer = here.ask("POST /v1/billing/checkout", tenant, {"plan": "managed_30"})
        here.wrap = lambda gate: gate
        customer = here.record(tenant).customer_id
        sessions = here.here.api.checkout.sessions.list({"customer": customer, "limit": 100}).data
        bought, can_be_paid = len(here.gate.subscriptions(customer)), "open" in {s.status for s in sessions}
        assert (bought, can_be_paid, answer["statusCode"]) in ((1, False, 409), (0, True, 201)), number
        paid_last += bought
    assert paid_last >= 3


def test_a_customer_deleted_at_stripe_is_made_anew_and_can_buy_again(here: Shop) -> None:
    acme = here.subscribed("acme")
    old = here.record(acme).customer_id
    here.here.api.customers.delete(old)
    here.deliver()
    assert here.refusal(acme) == "subscription_ended"
    assert code_of(here.ask("POST /v1/billing/portal", acme)) == (409, "no_subscription")
    here.buy(acme, "managed_30")
    here.deliver()
    assert here.record(acme).customer_id != old
    assert here.account_status(acme) == account_status_on(PLANS["managed_30"])
    assert here.records.owner(old) is None


def test_a_plan_goes_up_at_once_and_down_with_what_is_given_back(here: Shop) -> None:
    acme, globex = here.subscribed("acme", "managed_15"), here.subscribed("globex", "managed_15")
    half = 15 * DAY
    here.here.advance(half / DAY)
    up = here.ask("POST /v1/billing/plan", acme, {"plan": "managed_30"})
    assert (up["statusCode"], json.loads(up["body"])["plan"]) == (200, "managed_30")
    invoice = here.gate.invoices(here.subscription(acme)["id"])[0]
    assert (invoice["status"], 0 < invoice["total"] < 1000) == ("paid", True)
    down = here.ask("POST /v1/billing/plan", acme, {"plan": "managed_15"})
    assert json.loads(down["body"])["plan"] == "managed_15"
    assert here.gate.invoices(here.subscription(acme)["id"])[0]["id"] == invoice["id"]
    here.deliver()
    assert here.account_status(acme) == here.account_status(globex) == account_status_on(PLANS["managed_15"])
    here.here.advance(20)
    renewed = [here.gate.invoices(here.subscription(each)["id"])[0]["total"] for each in (acme, globex)]
    assert renewed[0] < renewed[1] == PLANS["managed_15"].monthly_cents
    changes = [each for each in here.actions(acme) if "plan" in each]
    assert changes == ["billing.plan_asked_for", "subscription.plan_changed"] * 2
    assert here.mails(acme).count("plan_changed") == 2
    items = {item["price"]["lookup_key"] for item in here.subscription(acme)["items"]["data"]}
    assert items == {"astralog_managed_15_month", "astralog_managed_15_bytes"}


def test_a_change_that_the_card_refuses_changes_nothing(here: Shop) -> None:
    acme = here.subscribed("acme", "managed_15")
    assert here.portal(acme, "Save card", **FAILS_LATER) == 303
    here.deliver()
    before = here.account_status(acme)
    asked = here.ask("POST /v1/billing/plan", acme, {"plan": "managed_30"})
    assert code_of(asked) == (402, "card_declined")
    here.deliver()
    thing = here.subscription(acme)
    assert (thing["status"], here.account_status(acme)) == ("active", before)
    assert "managed_15" in str(thing["items"]["data"][0]["price"]["product"])


def test_the_same_plan_again_is_no_change_and_who_owes_must_pay_first(here: Shop) -> None:
    acme = here.subscribed("acme", "managed_15")
    same = here.ask("POST /v1/billing/plan", acme, {"plan": "managed_15"})
    assert same["statusCode"] == 200
    assert "billing.plan_asked_for" not in here.actions(acme)
    here.portal(acme, "Save card", **FAILS_LATER)
    here.here.advance(32)
    asked = here.ask("POST /v1/billing/plan", acme, {"plan": "managed_30"})
    assert code_of(asked) == (409, "payment_overdue")


def test_without_a_subscription_there_is_nothing_to_change_and_no_portal(here: Shop) -> None:
    acme = here.account("acme")
    asked = here.ask("POST /v1/billing/plan", acme, {"plan": "managed_30"})
    assert code_of(asked) == (409, "no_subscription")
    assert code_of(here.ask("POST /v1/billing/portal", acme)) == (409, "no_subscription")


def test_an_account_without_a_destination_cannot_choose_the_byoc_plan(here: Shop) -> None:
    acme, globex = here.account("acme"), here.subscribed("globex")
    for tenant, route in ((acme, "checkout"), (globex, "plan")):
        asked = here.ask(f"POST /v1/billing/{route}", tenant, {"plan": "byoc"})
        assert code_of(asked) == (409, "no_destination")
    here.client.put_item(TableName="destinations", Item={"tenant_id": {"S": globex}})
    assert here.ask("POST /v1/billing/plan", globex, {"plan": "byoc"})["statusCode"] == 200
    assert here.account_status(globex).plan == "byoc"
    assert code_of(here.ask("POST /v1/billing/checkout", acme, {"plan": "byoc"})) == (409, "no_destination")


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
    here.here.advance(31)
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
    told = here.pending()
    # Backwards, and all of it once more.
    for body, signature in [*told[::-1], *told]:
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


def test_an_event_that_never_came_is_made_up_for(here: Shop) -> None:
    acme, globex = here.subscribed("acme"), here.subscribed("globex")
    here.portal(acme, "Save card", **FAILS_LATER)
    here.here.order("/_webhooks", drop=1000)
    here.here.advance(32)
    assert here.bookkeeper.run()["missed"] == 2
    assert shown(here, acme)["status"] == "past_due"
    assert here.record(globex).live
    assert here.bookkeeper.run() == {"notified": 0, "missed": 0, "failed": 0}
    here.here.order("/_webhooks")


def test_a_retry_that_stripe_has_moved_is_no_event_that_never_came(here: Shop) -> None:
    """Smart retries choose the moment anew; that is `invoice.updated`, which nothing else follows from."""
    acme = here.subscribed("acme")
    here.portal(acme, "Save card", **FAILS_LATER)
    here.here.advance(31)
    here.deliver()
    before = here.record(acme).subscription
    assert before
    assert before.tries_again_at

    class Moved:
        def __getattr__(self, name: str) -> Any:
            return getattr(here.gate, name)

        def invoices(self, which: str) -> list[Any]:
            found = here.gate.invoices(which)
            moved = {"next_payment_attempt": before.tries_again_at + 3600}
            return [{**each, **(moved if each["status"] == "open" else {})} for each in found]

    here.wrap = lambda _gate: Moved()
    here.ahead += 7 * 3600
    assert here.bookkeeper.run()["missed"] == 0
    now = here.record(acme).subscription
    assert now == replace(before, tries_again_at=before.tries_again_at + 3600), "and it is kept"


def test_a_purchase_of_which_no_event_came_is_found_and_a_page_that_was_left_is_not_asked_for_ever(
    here: Shop,
) -> None:
    acme, globex = here.account("acme"), here.account("globex")
    here.here.order("/_webhooks", drop=1000)
    here.buy(acme)
    here.page("POST /v1/billing/checkout", globex, {"plan": "managed_15"})
    assert here.bookkeeper.run()["missed"] == 0, "an event has its time to come"
    here.here.advance(0.3)
    assert here.bookkeeper.run()["missed"] == 1
    assert (shown(here, acme)["status"], shown(here, globex)["status"]) == ("trialing", "none")
    for _ in range(4):
        here.here.advance(0.3)
        here.bookkeeper.run()
    looked_at = here.record(globex).looked_at
    for _ in range(3):
        here.here.advance(0.3)
        assert here.bookkeeper.run() == {"notified": 0, "missed": 0, "failed": 0}
    assert here.record(globex).looked_at == looked_at
    here.here.order("/_webhooks")


def test_caps_are_set_shown_and_taken_away_one_by_one(here: Shop) -> None:
    acme, globex = here.account("acme"), here.account("globex")
    both = here.ask("PATCH /v1/billing", acme, {"soft_cap_gb": 1.5, "hard_cap_gb": 2})
    assert both["statusCode"] == 200
    assert (shown(here, acme)["soft_cap_gb"], shown(here, acme)["hard_cap_gb"]) == (1.5, 2)
    here.ask("PATCH /v1/billing", acme, {"soft_cap_gb": None})
    assert (here.record(acme).soft_cap_bytes, here.record(acme).hard_cap_bytes) == (None, 2 * 10**9)
    assert shown(here, globex)["hard_cap_gb"] is None
    assert here.ask("PATCH /v1/billing", acme, {})["statusCode"] == 200
    assert here.actions(acme) == ["billing.caps_changed"] * 2, "where none is named none was changed"


@pytest.mark.parametrize(
    ("route", "body", "code"),
    [
        ("PATCH /v1/billing", {"hard_cap_gb": -1}, "invalid_hard_cap_gb"),
        ("PATCH /v1/billing", {"soft_cap_gb": "1"}, "invalid_soft_cap_gb"),
        ("PATCH /v1/billing", {"plan": "byoc"}, "unknown_field"),
        ("PATCH /v1/billing", [], "invalid_body"),
        ("POST /v1/billing/checkout", {"plan": "trial"}, "invalid_plan"),
        ("POST /v1/billing/checkout", {"plan": "gold"}, "invalid_plan"),
        ("POST /v1/billing/checkout", {}, "invalid_plan"),
        ("POST /v1/billing/plan", {"plan": "managed_30", "price": "price_1"}, "unknown_field"),
    ],
)
def test_a_wrong_body_is_rejected_without_a_request_to_stripe(
    here: Shop, route: str, body: Any, code: str
) -> None:
    here.wrap = lambda _gate: None
    acme = here.account("acme")
    assert code_of(here.ask(route, acme, body)) == (400, code)
    assert here.record(acme).version == 0


def test_only_who_may_administer_sees_or_buys(here: Shop) -> None:
    acme = here.account("acme")
    for route in ("GET /v1/billing", "POST /v1/billing/portal", "PATCH /v1/billing"):
        assert code_of(here.ask(route, acme, {}, scopes="ingest read")) == (403, "forbidden_scope")


def test_of_an_account_that_is_gone_meanwhile_every_route_says_so(here: Shop) -> None:
    acme = here.subscribed("acme")
    here.client.delete_item(TableName="accounts", Key={"tenant_id": {"S": acme}})
    asked: list[tuple[str, Any]] = [
        ("GET /v1/billing", None),
        ("GET /v1/usage", None),
        ("PATCH /v1/billing", {"hard_cap_gb": 1}),
        ("POST /v1/billing/checkout", {"plan": "managed_30"}),
        ("POST /v1/billing/plan", {"plan": "managed_30"}),
    ]
    for route, body in asked:
        assert code_of(here.ask(route, acme, body)) == (404, "not_found"), route
    asked_first = here.ask("POST /v1/billing/checkout", "nobody", {"plan": "managed_15"})
    assert code_of(asked_first) == (404, "not_found")
    assert len(here.here.api.customers.list({"limit": 100}).data) == 1, "no customer without an account"


def test_while_stripe_does_not_answer_the_answer_says_to_try_again(here: Shop) -> None:
    acme = here.account("acme")
    here.wrap = lambda _gate: StripeSdkClient(lambda: SecretText(API_KEY), "http://127.0.0.1:9")
    asked = here.ask("POST /v1/billing/checkout", acme, {"plan": "managed_15"})
    assert code_of(asked) == (503, "try_again")


# The catalogue.


def test_the_catalogue_is_made_once_and_the_same_again_changes_nothing(here: Shop) -> None:
    assert catalogue.sync(here.gate) == []
    prices = here.here.api.prices.list({"limit": 100, "expand": ["data.tiers"]}).data
    assert len(prices) == 6
    tiered = next(each for each in prices if each.lookup_key == "astralog_managed_15_bytes")
    assert [tier.up_to for tier in tiered.tiers or []] == [100 * 10**9, None]
    assert (tiered.tiers or [])[1].unit_amount_decimal == Decimal("0.00000002")
    assert here.here.api.billing.meters.retrieve(catalogue.meter_of(here.gate)).event_name == "astralog_bytes"
    here.here.settle()
    assert len(here.here.api.products.list().data) == 3


def test_a_dry_run_says_what_would_be_done_and_does_nothing(here: Shop) -> None:
    dearer = replace(PLANS["managed_15"], monthly_cents=3100)
    steps = catalogue.sync(here.gate, dry_run=True, plans=[dearer])
    assert [each.says for each in steps] == ["make the price astralog_managed_15_month anew"]
    assert catalogue.sync(here.gate) == []


def test_another_amount_is_another_price_and_who_pays_by_the_old_one_keeps_the_plan(here: Shop) -> None:
    acme = here.subscribed("acme", "managed_15")
    old = catalogue.prices_of(here.gate, "managed_15")
    dearer = replace(PLANS["managed_15"], monthly_cents=3100, cents_a_gb=25, title="Managed, new")
    kinds = [each.kind for each in catalogue.sync(here.gate, plans=[dearer])]
    assert kinds == ["product", "price", "price", "price", "price"]
    assert catalogue.sync(here.gate, plans=[dearer]) == []
    new = catalogue.prices_of(here.gate, "managed_15")
    assert set(new).isdisjoint(old)
    assert [here.here.api.prices.retrieve(each).active for each in (*old, *new)] == [False] * 2 + [True] * 2
    here.here.advance(32)
    here.deliver()
    assert here.account_status(acme) == account_status_on(PLANS["managed_15"])
    assert here.subscription(acme)["items"]["data"][0]["price"]["id"] == old[0]


def test_a_sync_that_dies_at_any_step_is_finished_by_the_next(here: Shop) -> None:
    dearer = [replace(plan, monthly_cents=plan.monthly_cents + 1) for plan in PLANS.values() if plan.sold]

    class Dying:
        def __init__(self, left: int) -> None:
            self.left = left

        def __getattr__(self, name: str) -> Any:
            if name in ("create", "update"):
                if not self.left:
                    raise StripeUnavailableError("dead")
                self.left -= 1
            return getattr(here.gate, name)

    # Six changes, three new prices and three to be archived; each run makes one and dies at the next.
    for _ in range(5):
        with pytest.raises(StripeUnavailableError):
            catalogue.sync(Dying(1), plans=dearer)
    assert len(catalogue.sync(Dying(1), plans=dearer)) == 1
    assert catalogue.sync(here.gate, plans=dearer) == []
    active = [each for each in here.here.api.prices.list({"limit": 100}).data if each.active]
    assert len(active) == 6


# The gate.


def test_meter_events_land_once_and_are_found_in_their_minute(here: Shop) -> None:
    acme, globex = here.subscribed("acme"), here.subscribed("globex")
    mine, theirs = (here.record(each).customer_id for each in (acme, globex))
    meter, minute = catalogue.meter_of(here.gate), int(here.now()) // 60 * 60
    event = catalogue.METER_EVENT
    here.gate.send_meter_event(event, mine, 5, "one", minute)
    with pytest.raises(StripeRefusedError) as refused:
        here.gate.send_meter_event(event, mine, 5, "one", minute)
    assert refused.value.code == DUPLICATE_METER_EVENT
    here.gate.send_meter_event(event, theirs, 7, "two", minute)
    spans = [(mine, minute), (theirs, minute), (mine, minute - 60), (mine, minute + 60)]
    assert [here.gate.usage_between(meter, who, at, at + 60) for who, at in spans] == [5, 7, 0, 0]


def test_an_error_has_a_code_and_nothing_of_the_request(here: Shop) -> None:
    for gate, kind in (
        (here.gate, StripeRefusedError),
        (StripeSdkClient(lambda: SecretText("sk_test_canary"), here.here.url), StripeRefusedError),
        (StripeSdkClient(lambda: SecretText("sk_test_canary"), "http://127.0.0.1:9"), StripeUnavailableError),
    ):
        with pytest.raises(kind) as fault:
            gate.charge("ch_canary")
        seen = repr(fault.value) + repr(fault.value.__context__) + repr(fault.value.__cause__)
        assert "canary" not in seen
        assert fault.value.__context__ is None
