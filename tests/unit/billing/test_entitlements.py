"""What an account may do, by what it pays."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.entitlements import GRACE_DAYS, entitled, period
from functions.billing.subscriptions.subscription import LIVE, Subscription, snapshot
from functions.shared.accounts.account_status import AccountStatus, account_status_on
from functions.shared.plans import GIGABYTE, PLANS, TRIAL, TRIAL_DAYS
from functions.shared.tenancy import TenantId
from infra.build import ROOT
from tests.unit.billing.things import DAY, NOON, Thing, invoice, subscription

TENANT = TenantId("acme")
TRIAL_END = NOON + 14 * DAY
ON_TRIAL = account_status_on(PLANS[TRIAL], TRIAL_END, "trial_ended")
PERIOD_END = NOON + 30 * DAY


def account_status(
    thing: Thing, *invoices: Thing, now: float = NOON, before: AccountStatus = ON_TRIAL
) -> AccountStatus:
    return entitled(BillingRecord(TENANT, subscription=snapshot(thing, invoices)), before, 0, now)


def refusals(found: AccountStatus, *moments: int) -> list[str]:
    return [found.refusal(at) for at in moments]


def test_before_a_purchase_the_trial_runs_to_its_end() -> None:
    found = entitled(BillingRecord(TENANT), ON_TRIAL, 0, NOON)
    assert found == replace(
        ON_TRIAL, cap_left_bytes=50 * GIGABYTE, cap_left_until=period(BillingRecord(TENANT), NOON)[1]
    )
    assert refusals(found, TRIAL_END - 1, TRIAL_END) == ["", "trial_ended"]


@pytest.mark.parametrize("plan", [plan.name for plan in PLANS.values() if plan.sold])
@pytest.mark.parametrize("status", ["active", "trialing"])
def test_who_pays_has_the_plan_and_no_end_of_any_trial(plan: str, status: str) -> None:
    assert account_status(subscription(plan=plan, status=status)) == account_status_on(PLANS[plan])


@pytest.mark.parametrize("status", ["past_due", "unpaid"])
def test_a_missing_payment_leaves_seven_days_and_then_refuses(status: str) -> None:
    late = account_status(subscription(status=status), invoice("open", NOON + 100))
    end = NOON + 100 + GRACE_DAYS * DAY
    assert late == account_status_on(PLANS["managed_15"], end, "payment_overdue")
    assert refusals(late, end - 1, end, end + 400 * DAY) == ["", "payment_overdue", "payment_overdue"]
    assert account_status(subscription(), invoice("open", NOON + 100), before=late).refusal(end) == ""


def test_what_is_to_end_ends_then_and_keeps_its_plan_for_what_is_stored() -> None:
    ending = account_status(subscription(plan="managed_30", cancel_at=PERIOD_END))
    assert refusals(ending, PERIOD_END - 1, PERIOD_END) == ["", "subscription_ended"]
    assert account_status(subscription(plan="managed_30"), before=ending).refusal(PERIOD_END) == ""
    gone = account_status(
        subscription(plan="managed_30", status="canceled", ended_at=NOON + 5), before=ending
    )
    assert (gone.plan, gone.retention_days) == ("managed_30", 30)
    assert refusals(gone, NOON + 4, NOON + 5) == ["", "subscription_ended"]


def test_of_two_ends_the_earlier_counts_and_says_why() -> None:
    late = subscription(status="past_due", cancel_at=NOON + DAY)
    assert account_status(late, invoice("open", NOON)).end_reason == "subscription_ended"
    later = subscription(status="past_due", cancel_at=PERIOD_END)
    assert account_status(later, invoice("open", NOON)).end_reason == "payment_overdue"


def test_one_that_is_paused_for_want_of_a_card_takes_no_logs() -> None:
    assert account_status(subscription(status="paused")).refusal(NOON) == "payment_overdue"


def test_an_account_that_is_closing_takes_none_whatever_it_pays() -> None:
    record = BillingRecord(TENANT, subscription=snapshot(subscription()), closing_requested_at=NOON)
    found = entitled(replace(record, hard_cap_bytes=1), ON_TRIAL, 10, NOON)
    assert (found.refusal(NOON), found.plan, found.capped_until) == ("account_closing", "managed_15", None)


def test_a_hard_cap_refuses_from_its_last_byte_to_the_end_of_the_period() -> None:
    record = BillingRecord(TENANT, subscription=snapshot(subscription()), hard_cap_bytes=GIGABYTE)
    found = [entitled(record, ON_TRIAL, used, NOON + DAY) for used in (GIGABYTE - 1, GIGABYTE)]
    assert [each.capped_until for each in found] == [None, PERIOD_END]
    assert refusals(found[1], NOON + DAY, PERIOD_END - 1, PERIOD_END) == ["quota_exceeded"] * 2 + [""]
    lifted = entitled(replace(record, hard_cap_bytes=None), found[1], GIGABYTE, NOON + DAY)
    assert lifted.capped_until is None
    soft = entitled(replace(record, hard_cap_bytes=None, soft_cap_bytes=1), ON_TRIAL, GIGABYTE, NOON)
    assert soft.capped_until is None


def test_a_trial_takes_what_it_includes_and_a_plan_lifts_that_at_once() -> None:
    included = PLANS[TRIAL].included_gb * GIGABYTE
    found = [entitled(BillingRecord(TENANT), ON_TRIAL, used, NOON) for used in (included - 1, included)]
    assert [each.refusal(NOON) for each in found] == ["", "trial_quota_exceeded"]
    assert found[1].refusal(TRIAL_END) == "trial_ended"
    own = entitled(BillingRecord(TENANT, hard_cap_bytes=2 * included), ON_TRIAL, included, NOON)
    assert own.refusal(NOON) == "trial_quota_exceeded", "a hard cap does not raise the volume of a trial"
    lower = entitled(BillingRecord(TENANT, hard_cap_bytes=1), found[1], 1, NOON)
    assert lower.refusal(NOON) == "quota_exceeded", "the customer can raise this cap without a plan"
    bought = BillingRecord(TENANT, subscription=snapshot(subscription()))
    assert entitled(bought, found[1], 10 * included, NOON).refusal(NOON) == ""


def test_the_period_is_the_subscription_s_or_the_calendar_s_month() -> None:
    live = BillingRecord(TENANT, subscription=snapshot(subscription()))
    assert period(live, NOON + DAY) == (NOON, PERIOD_END)
    # A period that is over is followed by one as long, until the event of its renewal arrives.
    assert period(live, PERIOD_END) == (PERIOD_END, PERIOD_END + 30 * DAY)
    january = (1_798_761_600, 1_801_440_000)
    assert period(BillingRecord(TENANT), NOON) == january
    december = 1_796_083_200
    assert period(BillingRecord(TENANT), january[0] - 1) == (december, january[0])


subscriptions = st.builds(
    Subscription,
    subscription_id=st.just("sub_1"),
    status=st.sampled_from([*sorted(LIVE), "canceled"]),
    plan=st.sampled_from(["managed_15", "managed_30", "byoc"]),
    started_at=st.just(NOON),
    period_start=st.just(NOON),
    period_end=st.just(PERIOD_END),
    meters=st.booleans(),
    ends_at=st.none() | st.integers(NOON, PERIOD_END),
    ended_at=st.none() | st.integers(NOON, PERIOD_END),
    owes_since=st.none() | st.integers(NOON, PERIOD_END),
)
account_statuses = st.builds(
    AccountStatus,
    st.sampled_from(sorted(PLANS)),
    st.integers(1, 100),
    st.integers(1, 100),
    st.none() | st.integers(NOON, PERIOD_END),
    st.sampled_from(["trial_ended", "payment_overdue", "account_closing"]),
    st.none() | st.integers(NOON, PERIOD_END),
)


@given(subscriptions, account_statuses, account_statuses, st.integers(NOON, PERIOD_END))
def test_once_something_was_bought_nothing_of_the_standing_before_counts(
    bought: Subscription, first: AccountStatus, second: AccountStatus, now: int
) -> None:
    record = BillingRecord(TENANT, subscription=bought)
    assert entitled(record, first, 0, now) == entitled(record, second, 0, now)


@given(st.none() | subscriptions, account_statuses, st.integers(NOON, PERIOD_END), st.integers(0, 10))
def test_a_standing_made_again_of_itself_is_the_same(
    bought: Subscription | None, before: AccountStatus, now: int, used: int
) -> None:
    record = BillingRecord(TENANT, subscription=bought, hard_cap_bytes=5)
    once = entitled(record, before, used, now)
    assert entitled(record, once, used, now) == once


def test_the_page_for_customers_has_the_figures_of_the_catalogue() -> None:
    page = (ROOT / "docs" / "billing.md").read_text()
    for plan in PLANS.values():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{plan.name}`")]
        assert f"{plan.included_gb} GB" in row
        assert not plan.sold or f"${plan.cents_a_gb / 100:.2f} | ${plan.monthly_cents // 100} |" in row
    assert f"`trial`, {TRIAL_DAYS} days" in page
    assert f"for {GRACE_DAYS} days from" in page
