"""What was used, shown and capped, around the real fake Stripe: days, the period, warnings, the hard cap."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.billing.usage.caps import cap_notices
from functions.billing.usage.count_transactions import UncountedEntry, plan_transactions
from functions.billing.usage.follow_ups import FollowUps
from functions.billing.usage.usage_page import MAX_DAYS, estimate_cents
from functions.billing.usage.usage_store import UsageStore
from functions.billing.wiring import BillingSettings, FollowUpSettings, follow_ups_of, meter_event_sender_of
from functions.shared.batch_usage import UsageShare
from functions.shared.http import Answer
from functions.shared.plans import GIGABYTE, PLANS
from functions.shared.tables.transaction import write_all
from functions.shared.tenancy import TenantId
from tests.unit.billing.shop import DAY, KEPT, Shop

CARETAKING = {name: table for name, table in KEPT.items() if not name.startswith("stripe")}


def store(here: Shop, tenant: TenantId, raw_bytes: int, day: date | None = None, rows: int = 1) -> None:
    """Count usage, as of today by Stripe's clock."""
    share = UsageShare(tenant, day or today(here), rows, raw_bytes)
    for count in plan_transactions([UncountedEntry("log#managed#0", ((share,),))]):
        write_all(here.client, UsageStore("usage", here.client).added(count))


def today(here: Shop) -> date:
    return datetime.fromtimestamp(here.now(), UTC).date()


def follow_ups(here: Shop) -> FollowUps:
    return follow_ups_of(FollowUpSettings(**CARETAKING), here.client, here.now)


def caps(here: Shop, tenant: TenantId, **given: float | None) -> None:
    answer = here.ask("PATCH /v1/billing", tenant, given)
    assert answer["statusCode"] == 200, answer


def ask(here: Shop, tenant: str, scopes: str = "read", **query: str) -> Answer:
    """`GET /v1/usage`, and the query with underscores for what Python keeps for itself."""
    return here.ask(
        "GET /v1/usage", tenant, scopes=scopes, query={name.strip("_"): query[name] for name in query}
    )


def page(here: Shop, tenant: str, **query: str) -> Any:
    answer = ask(here, tenant, **query)
    assert answer["statusCode"] == 200, answer
    return json.loads(answer["body"])


def report(here: Shop, tenant: TenantId) -> Any:
    reporter = meter_event_sender_of(BillingSettings(**KEPT), here.client, here.gate, here.now)
    return reporter.report(here.record(tenant))


def cap_mails(here: Shop, tenant: str) -> list[str]:
    return [each for each in here.mails(tenant) if each.endswith("_cap")]


def test_a_hard_cap_warns_twice_then_refuses_until_it_is_raised(here: Shop) -> None:
    acme, globex = here.subscribed("acme"), here.subscribed("globex")
    for tenant in (acme, globex):
        follow_ups(here).follow_up(tenant)
    caps(here, acme, hard_cap_gb=10)

    store(here, acme, 7_999_999_999)
    follow_ups(here).follow_up(acme)
    assert cap_mails(here, acme) == []
    store(here, acme, 1)
    for _ in range(3):
        follow_ups(here).follow_up(acme)
    assert cap_mails(here, acme) == ["hard_cap"]
    assert here.refusal(acme) == ""

    store(here, acme, 2 * GIGABYTE)
    for _ in range(3):
        follow_ups(here).follow_up(acme)
    assert cap_mails(here, acme) == ["hard_cap"] * 2
    assert here.refusal(acme) == "quota_exceeded"
    assert page(here, acme)["capped_until"] == page(here, acme)["period"]["end"]
    assert (here.refusal(globex), cap_mails(here, globex)) == ("", [])

    caps(here, acme, hard_cap_gb=20)
    assert here.refusal(acme) == "", "at once: not when a schedule comes round"
    caps(here, acme, hard_cap_gb=10)
    assert here.refusal(acme) == "quota_exceeded"


def test_a_hard_cap_ends_with_its_period_and_the_next_begins_with_nothing(here: Shop) -> None:
    acme = here.subscribed("acme")
    follow_ups(here).follow_up(acme)
    caps(here, acme, hard_cap_gb=1)
    store(here, acme, 2 * GIGABYTE)
    report(here, acme)
    follow_ups(here).follow_up(acme)
    assert here.refusal(acme) == "quota_exceeded"

    here.pass_by(32 * DAY)
    assert here.refusal(acme) == "", "before the event of the renewal"
    assert page(here, acme)["period"]["bytes"] == 0
    here.deliver()
    follow_ups(here).follow_up(acme)
    assert here.refusal(acme) == ""
    store(here, acme, GIGABYTE)
    follow_ups(here).follow_up(acme)
    assert here.refusal(acme) == "quota_exceeded"
    assert cap_mails(here, acme) == ["hard_cap"] * 2, "another period, another warning"


def test_what_is_counted_for_an_account_that_is_gone_does_not_stay(here: Shop) -> None:
    """The meter was behind when the account was erased; a neighbour's count is its own."""
    acme, globex = here.subscribed("acme"), here.subscribed("globex")
    here.client.delete_item(TableName="accounts", Key={"tenant_id": {"S": acme}})
    for tenant in (acme, globex):
        store(here, tenant, GIGABYTE)
        follow_ups(here).follow_up(tenant)
    usage = UsageStore("usage", here.client)

    assert not [each for each in here.client.scan(TableName="usage")["Items"] if acme in repr(each)]
    assert (usage.tally(acme).rows, usage.tally(globex).raw_bytes) == (0, GIGABYTE)


def test_years_of_counting_do_not_stay_either(here: Shop) -> None:
    """A query gives 1 MB at the most."""
    tenant, year = TenantId("acme"), "x" * 10_000
    for number in range(230):
        item = {"tenant_id": {"S": tenant}, "entry": {"S": f"day#{number:03}"}, "x": {"S": year}}
        here.client.put_item(TableName="usage", Item=item)
    UsageStore("usage", here.client).delete_all(tenant)

    assert here.client.scan(TableName="usage")["Items"] == []


def test_a_soft_cap_only_notifies(here: Shop) -> None:
    acme = here.subscribed("acme")
    follow_ups(here).follow_up(acme)
    caps(here, acme, soft_cap_gb=1)
    for _ in range(3):
        store(here, acme, GIGABYTE)
        follow_ups(here).follow_up(acme)
    assert cap_mails(here, acme) == ["soft_cap"]
    assert here.refusal(acme) == ""


def test_a_closing_account_gets_no_notices_of_caps(here: Shop) -> None:
    """What was accepted last is counted after the end was asked for."""
    acme, globex = here.account("acme"), here.account("globex")
    for tenant in (acme, globex):
        caps(here, tenant, soft_cap_gb=1, hard_cap_gb=1)
    assert here.closings.request(acme)
    for tenant in (acme, globex):
        store(here, tenant, GIGABYTE)
        follow_ups(here).follow_up(tenant)
    assert (cap_mails(here, acme), len(cap_mails(here, globex))) == ([], 2)
    assert here.refusal(acme) == "account_closing"


def test_an_account_on_trial_is_capped_by_the_month(here: Shop) -> None:
    acme = here.account("acme")
    caps(here, acme, hard_cap_gb=1)
    first = today(here).replace(day=1)
    store(here, acme, 5 * GIGABYTE, first - timedelta(days=1))
    follow_ups(here).follow_up(acme)
    assert here.refusal(acme) == ""
    store(here, acme, GIGABYTE)
    follow_ups(here).follow_up(acme)
    assert here.refusal(acme) == "quota_exceeded"
    assert page(here, acme)["period"]["estimate_cents"] is None


def test_a_cap_that_a_trial_has_reached_does_not_hold_back_who_buys_a_plan(here: Shop) -> None:
    """At once: what is refused is not counted, so nothing would look at the cap again for an hour."""
    acme, globex = here.account("acme"), here.account("globex")
    for tenant in (acme, globex):
        caps(here, tenant, hard_cap_gb=10)
        store(here, tenant, 12 * GIGABYTE)
        follow_ups(here).follow_up(tenant)
        assert here.refusal(tenant) == "quota_exceeded"
    here.buy(acme)
    here.deliver()
    assert (here.refusal(acme), here.refusal(globex)) == ("", "quota_exceeded")
    assert page(here, acme)["period"]["bytes"] == 0
    follow_ups(here).follow_up(acme)
    store(here, acme, 10 * GIGABYTE)
    follow_ups(here).follow_up(acme)
    assert here.refusal(acme) == "quota_exceeded"


def test_what_was_stored_before_a_subscription_is_not_of_its_period(here: Shop) -> None:
    acme = here.account("acme")
    store(here, acme, 40 * GIGABYTE)
    here.buy(acme)
    here.deliver()
    follow_ups(here).follow_up(acme)
    assert page(here, acme)["period"]["bytes"] == 0
    store(here, acme, 100)
    assert page(here, acme)["period"]["bytes"] == 100
    assert page(here, acme)["days"][-1]["bytes"] == 40 * GIGABYTE + 100


def test_the_page_shows_every_requested_day_of_one_account_only(here: Shop) -> None:
    acme, globex = here.account("acme"), here.account("globex")
    day = today(here)
    store(here, acme, 300, day, rows=3)
    store(here, acme, 100, day - timedelta(days=2))
    store(here, globex, 77, day - timedelta(days=1))

    shown = page(here, acme, from_=f"{day - timedelta(days=3)}", to=f"{day}")
    assert [(each["rows"], each["bytes"]) for each in shown["days"]] == [(0, 0), (1, 100), (0, 0), (3, 300)]
    assert shown["days"][0]["day"] == shown["from"]
    assert sum(each["bytes"] for each in page(here, globex, from_=f"{day - timedelta(days=3)}")["days"]) == 77


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"from": "yesterday"}, "invalid_from"),
        ({"to": "2026-02-30"}, "invalid_to"),
        ({"from": "2026-11-24", "to": "2026-11-23"}, "invalid_from"),
        ({"from": "2020-01-01", "to": "2026-11-23"}, "invalid_from"),
    ],
)
def test_days_that_are_none_are_refused(here: Shop, query: dict[str, str], code: str) -> None:
    answer = ask(here, here.account("acme"), **query)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (400, code)


def test_the_longest_span_is_shown(here: Shop) -> None:
    day = today(here)
    shown = page(here, here.account("acme"), from_=f"{day - timedelta(days=MAX_DAYS - 1)}")
    assert len(shown["days"]) == MAX_DAYS


def test_a_key_that_may_read_sees_usage_and_one_that_may_only_write_does_not(here: Shop) -> None:
    acme = here.account("acme")
    assert ask(here, acme, scopes="read")["statusCode"] == 200
    assert ask(here, acme, scopes="admin")["statusCode"] == 200
    assert ask(here, acme, scopes="ingest")["statusCode"] == 403
    assert here.ask("GET /v1/billing", acme, scopes="read")["statusCode"] == 403


def test_the_estimate_is_what_the_invoice_comes_to(here: Shop) -> None:
    """Stripe's own tiers and rounding against ours, to the cent."""
    acme = here.subscribed("acme")
    follow_ups(here).follow_up(acme)
    store(here, acme, 123_456_789_012)
    estimated = page(here, acme)["period"]
    assert estimated["estimate_cents"] == 2_900 + 469
    assert report(here, acme).landed_bytes == estimated["bytes"] == 123_456_789_012

    subscription = here.subscription(acme)
    here.pass_by(32 * DAY)
    lines = [
        line
        for invoice in here.gate.invoices(subscription["id"])
        for line in invoice["lines"]["data"]
        if (line["pricing"]["price_details"]["price"]) == subscription["items"]["data"][1]["price"]["id"]
    ]
    assert sum(each["quantity"] for each in lines) == 123_456_789_012
    assert sum(each["amount"] for each in lines) == 469


def test_after_a_subscription_the_period_is_the_month_with_all_that_was_stored_in_it(here: Shop) -> None:
    """Reported to Stripe or not: no account sees less in a period than in its days."""
    acme = here.subscribed("acme")
    follow_ups(here).follow_up(acme)
    in_next_month = (today(here).replace(day=1) + timedelta(days=32)).replace(day=2)
    here.pass_by((in_next_month - today(here)).days * DAY)
    here.deliver()
    store(here, acme, 2 * GIGABYTE)
    report(here, acme)
    store(here, acme, GIGABYTE)
    here.gate.cancel(here.subscription(acme)["id"], prorate=False)
    here.deliver()
    assert not here.record(acme).live
    shown = page(here, acme)
    assert shown["period"]["bytes"] == sum(each["bytes"] for each in shown["days"]) == 3 * GIGABYTE
    assert shown["period"]["estimate_cents"] is None


def test_what_is_left_of_a_trial_is_estimated_as_free_and_is(here: Shop) -> None:
    acme = here.account("acme")
    here.buy(acme)
    here.deliver()
    follow_ups(here).follow_up(acme)
    store(here, acme, 150 * GIGABYTE)
    report(here, acme)
    assert page(here, acme)["period"]["estimate_cents"] == 0
    here.pass_by(15 * DAY)
    here.deliver()
    assert page(here, acme)["period"]["estimate_cents"] == 2_900
    invoices = here.gate.invoices(here.subscription(acme)["id"])
    assert [each["total"] for each in invoices] == [2_900, 0]


@given(st.sampled_from([each for each in PLANS.values() if each.sold]), st.integers(0, 10**15))
def test_an_estimate_never_falls_and_begins_beyond_what_is_included(plan: Any, used_bytes: int) -> None:
    included = plan.included_gb * GIGABYTE
    estimate = estimate_cents(plan, used_bytes)
    assert estimate == plan.monthly_cents or used_bytes > included
    assert estimate_cents(plan, used_bytes + 1) - estimate in (0, 1)
    assert (
        abs(estimate - plan.monthly_cents - max(0, used_bytes - included) * plan.cents_a_gb / GIGABYTE) <= 0.5
    )


@given(st.integers(0, 10**6), st.integers(1, 1000))
def test_of_each_cap_the_highest_mark_that_is_reached_is_notified(used_bytes: int, cap_bytes: int) -> None:
    notice_ids = [each.notice_id for each in cap_notices({"soft cap": cap_bytes}, used_bytes, 7)]
    mark = 100 if used_bytes >= cap_bytes else 80 if used_bytes * 5 >= cap_bytes * 4 else None
    assert notice_ids == ([] if mark is None else [f"cap-soft-cap-{mark}-{cap_bytes}-7"])
