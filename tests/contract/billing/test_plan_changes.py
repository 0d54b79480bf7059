"""Against the fake Stripe: a plan goes up and down, and what must be there before it can."""

import json

from functions.shared.accounts.account_status import account_status_on
from functions.shared.plans import PLANS
from tests.contract.billing.responses import code_of
from tests.unit.billing.shop import DAY, FAILS_LATER, Shop


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
    response = here.ask("POST /v1/billing/plan", acme, {"plan": "managed_30"})
    assert code_of(response) == (402, "card_declined")
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
    response = here.ask("POST /v1/billing/plan", acme, {"plan": "managed_30"})
    assert code_of(response) == (409, "payment_overdue")


def test_without_a_subscription_there_is_nothing_to_change_and_no_portal(here: Shop) -> None:
    acme = here.account("acme")
    response = here.ask("POST /v1/billing/plan", acme, {"plan": "managed_30"})
    assert code_of(response) == (409, "no_subscription")
    assert code_of(here.ask("POST /v1/billing/portal", acme)) == (409, "no_subscription")


def test_an_account_without_a_destination_cannot_choose_the_byoc_plan(here: Shop) -> None:
    acme, globex = here.account("acme"), here.subscribed("globex")
    for tenant, route in ((acme, "checkout"), (globex, "plan")):
        response = here.ask(f"POST /v1/billing/{route}", tenant, {"plan": "byoc"})
        assert code_of(response) == (409, "no_destination")
    here.client.put_item(TableName="destinations", Item={"tenant_id": {"S": globex}})
    assert here.ask("POST /v1/billing/plan", globex, {"plan": "byoc"})["statusCode"] == 200
    assert here.account_status(globex).plan == "byoc"
    assert code_of(here.ask("POST /v1/billing/checkout", acme, {"plan": "byoc"})) == (409, "no_destination")
