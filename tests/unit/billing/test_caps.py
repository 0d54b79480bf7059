"""Caps and a trial's volume: which notices are sent, and when."""

from hypothesis import given
from hypothesis import strategies as st

from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.subscription import snapshot
from functions.billing.usage.caps import cap_notices, caps_of
from functions.shared.accounts.account_status import account_status_on
from functions.shared.plans import GIGABYTE, PLANS, TRIAL
from functions.shared.tenancy import TenantId
from tests.unit.billing.things import subscription

TENANT = TenantId("acme")
PAYING = BillingRecord(TENANT, subscription=snapshot(subscription()))
MANAGED = account_status_on(PLANS["managed_15"])


def test_only_a_trial_has_a_volume_by_default() -> None:
    volume = PLANS[TRIAL].included_gb * GIGABYTE
    assert caps_of(BillingRecord(TENANT), account_status_on(PLANS[TRIAL])) == {"trial volume": volume}
    assert caps_of(BillingRecord(TENANT), MANAGED) == {}
    assert caps_of(PAYING, account_status_on(PLANS[TRIAL])) == {}


@given(st.integers(1, 10**15), st.integers(0, 10**15))
def test_each_cap_reports_the_highest_mark_that_is_reached(cap: int, used: int) -> None:
    notices = cap_notices({"hard cap": cap}, used, 7)
    marks = [mark for mark in (80, 100) if used * 100 >= cap * mark]
    assert [each.notice_id for each in notices] == [f"cap-hard-cap-{mark}-{cap}-7" for mark in marks[-1:]]


def test_a_soft_cap_never_speaks_of_refusing_and_the_others_do() -> None:
    for used in (80, 100):
        soft, hard, trial = cap_notices({"soft cap": 100, "hard cap": 100, "trial volume": 100}, used, 0)
        assert "402" not in soft.text
        assert "402" in hard.text
        assert "raise the cap" in hard.text
        assert "choose a plan" in trial.text


def test_a_small_cap_is_not_shown_as_zero() -> None:
    (notice,) = cap_notices({"hard cap": 10_000_000}, 8_049_999, 0)
    assert notice.text.startswith("8.05 MB of logs were stored in this period; your hard cap is 10 MB. ")
    (notice,) = cap_notices({"soft cap": 1}, 999, 0)
    assert notice.text.startswith("999 B of logs were stored in this period; your soft cap is 1 B. ")
    (notice,) = cap_notices({"soft cap": 1_250_000_000}, 999_999_999_999, 0)
    assert notice.text.startswith("1 TB of logs were stored in this period; your soft cap is 1.25 GB. ")


def test_the_notice_of_a_trial_says_that_a_plan_lifts_the_limit() -> None:
    for used in (80, 100):
        (notice,) = cap_notices({"trial volume": 100}, used, 0)
        assert "until the period ends or you choose a plan" in notice.text


def test_the_next_period_and_another_cap_notify_again() -> None:
    ids = {cap_notices({"soft cap": cap}, 200, start)[0].notice_id for cap in (100, 101) for start in (0, 1)}
    assert len(ids) == 4
