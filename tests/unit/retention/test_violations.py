"""Whose rows are where they should not be, by the clock."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from functions.retention.limits import AccountRetention
from functions.retention.plan import Cut
from functions.retention.violations import (
    TenantRowCount,
    byoc_tenants,
    past_retention,
    rows_of,
    rows_without_account,
)
from functions.shared.accounts.retention_terms import SECONDS_A_DAY, RetentionStep, RetentionTerms
from functions.shared.tenancy import TenantId

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
ACME, GLOBEX = TenantId("acme"), TenantId("globex")
DAY = timedelta(days=1)


def managed(tenant: TenantId, days: int, *steps: RetentionStep) -> AccountRetention:
    return AccountRetention(tenant, f"managed_{days}", RetentionTerms(days, steps))


def own(tenant: TenantId, *steps: RetentionStep) -> AccountRetention:
    return AccountRetention(tenant, "byoc", RetentionTerms(0, steps))


def step(ago: timedelta, days: int) -> RetentionStep:
    return RetentionStep(int((NOW - ago).timestamp()), days)


def census(tenant: str, oldest: datetime, rows: int = 3) -> TenantRowCount:
    return TenantRowCount(tenant, oldest, rows)


def test_a_row_is_a_violation_a_day_after_the_end_of_its_last_day_and_no_sooner() -> None:
    """Kept through the 15th day after its receipt, whatever the hour it came at."""
    accounts = [managed(ACME, 15)]
    received = NOW.replace(hour=23) - 17 * DAY
    last_day_ends = received.replace(hour=0) + 16 * DAY
    found = [census(ACME, received)]
    assert past_retention(found, accounts, last_day_ends + DAY - timedelta(seconds=1)) == []
    assert past_retention(found, accounts, last_day_ends + DAY) == [Cut((ACME,), received.date() + DAY)]


def test_each_tenant_is_judged_by_its_own_plan() -> None:
    found = [census(ACME, NOW - 20 * DAY), census(GLOBEX, NOW - 20 * DAY)]
    (cut,) = past_retention(found, [managed(ACME, 15), managed(GLOBEX, 30)], NOW)
    assert cut.tenants == (ACME,)


def test_a_shorter_plan_has_a_day_to_take_effect() -> None:
    found = [census(ACME, NOW - 20 * DAY)]
    for ago, late in ((23, []), (25, [ACME])):
        terms = (step(9 * DAY, 30), step(timedelta(hours=ago), 15))
        assert [
            tenant
            for cut in past_retention(found, [managed(ACME, 15, *terms)], NOW)
            for tenant in cut.tenants
        ] == late


def test_rows_stamped_with_more_days_than_their_plan_are_violations() -> None:
    """As when an operator changes a figure in an account by hand: it deletes nothing, and is reported."""
    assert past_retention([census(ACME, NOW - 20 * DAY)], [managed(ACME, 15)], NOW)


def test_of_byoc_tenants_nothing_may_rest_but_in_the_grace_of_another_plan() -> None:
    accounts = [
        managed(TenantId("managed"), 15),
        own(TenantId("ever")),
        own(TenantId("coming"), step(3 * DAY, 15), step(-4 * DAY, 0)),
        own(TenantId("just-came"), step(9 * DAY, 15), step(timedelta(hours=23), 0)),
        own(TenantId("came"), step(9 * DAY, 15), step(timedelta(hours=25), 0)),
    ]
    assert byoc_tenants(accounts, NOW) == ["came", "ever"]
    found = [census(each.tenant, NOW) for each in accounts]
    assert rows_of(byoc_tenants(accounts, NOW), found) == {"came": 3, "ever": 3}


def test_in_that_grace_rows_too_old_before_are_still_violations() -> None:
    coming = own(ACME, step(3 * DAY, 15), step(-4 * DAY, 0))
    assert past_retention([census(ACME, NOW - 20 * DAY)], [coming], NOW)
    assert not past_retention([census(ACME, NOW - 10 * DAY)], [coming], NOW)


def test_rows_without_an_account_are_counted() -> None:
    found = [census(ACME, NOW), census("gone", NOW, 7), census("No Tenant!", NOW, 1)]
    assert rows_without_account(found, [managed(ACME, 15)]) == 8
    assert past_retention(found, [managed(ACME, 15)], NOW) == []


@given(st.sampled_from([15, 30]), st.integers(0, 40 * SECONDS_A_DAY))
def test_violations_are_by_the_day_of_receipt(days: int, age: int) -> None:
    received = NOW - timedelta(seconds=age)
    midnight = datetime.combine(received.date(), datetime.min.time(), UTC)
    late = midnight + timedelta(days=days + 2) <= NOW
    assert bool(past_retention([census(ACME, received)], [managed(ACME, days)], NOW)) is late
