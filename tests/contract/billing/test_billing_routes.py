"""Against the fake Stripe: caps, wrong bodies, scopes, deleted accounts, and a Stripe without an answer."""

import json
from typing import Any

import pytest

from functions.billing.stripe_client import StripeSdkClient
from functions.shared.secret_text import SecretText
from tests.contract.billing.responses import code_of, shown
from tests.fake_stripe.server import API_KEY
from tests.unit.billing.shop import Shop


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
        ("PATCH /v1/billing", {"soft_cap_gb": 9.9e-10}, "invalid_soft_cap_gb"),
        ("PATCH /v1/billing", {"hard_cap_gb": 1e-12}, "invalid_hard_cap_gb"),
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


@pytest.mark.parametrize("body", [{}, {"plan": "gold"}, {"plan": 15}, {"plan": None}])
@pytest.mark.parametrize("route", ["POST /v1/billing/checkout", "POST /v1/billing/plan"])
def test_a_missing_or_wrong_plan_is_answered_with_the_plans_on_sale(
    here: Shop, route: str, body: Any
) -> None:
    refused = json.loads(here.ask(route, here.account("acme"), body)["body"])
    missing = "" if body else "is missing: it "
    assert refused["error"] == f"'plan' {missing}must be one of byoc, managed_15, managed_30."
    assert refused["field"] == "plan"


def test_a_cap_of_one_byte_is_a_cap_of_one_byte_and_of_less_is_not_a_cap_of_nothing(here: Shop) -> None:
    acme, globex = here.account("acme"), here.account("globex")
    assert here.ask("PATCH /v1/billing", acme, {"hard_cap_gb": 1e-9, "soft_cap_gb": 0})["statusCode"] == 200
    refused = json.loads(here.ask("PATCH /v1/billing", globex, {"hard_cap_gb": 1e-12})["body"])
    assert refused["error"] == (
        "'hard_cap_gb' must be 0, or at least 0.000000001 (one byte), or null for no cap."
    )
    assert (here.record(acme).hard_cap_bytes, here.record(acme).soft_cap_bytes) == (1, 0)
    assert here.record(globex).hard_cap_bytes is None


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
    unknown_account = here.ask("POST /v1/billing/checkout", "unknown", {"plan": "managed_15"})
    assert code_of(unknown_account) == (404, "not_found")
    assert len(here.here.api.customers.list({"limit": 100}).data) == 1, "no customer without an account"


def test_while_stripe_does_not_answer_the_answer_says_to_try_again(here: Shop) -> None:
    acme = here.account("acme")
    here.wrap = lambda _gate: StripeSdkClient(lambda: SecretText(API_KEY), "http://127.0.0.1:9")
    response = here.ask("POST /v1/billing/checkout", acme, {"plan": "managed_15"})
    assert code_of(response) == (503, "try_again")


# The catalogue.
