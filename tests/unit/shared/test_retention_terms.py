"""A shorter plan takes effect after its grace, a longer one at once; what is pending can be averted."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from functions.shared.accounts.account_status import AccountStatus, account_status_on
from functions.shared.accounts.retention_terms import (
    GRACE_DAYS,
    SECONDS_A_DAY,
    RetentionStep,
    RetentionTerms,
    terms_after,
)
from functions.shared.plans import PLANS
from functions.shared.tables.accounts import terms_of
from tests.account_items import account_item, account_of

DAY = SECONDS_A_DAY
GRACE = GRACE_DAYS * DAY
T = 1_800_000_000

SHORT, LONG, OWN = (account_status_on(PLANS[name]) for name in ("managed_15", "managed_30", "byoc"))
changes = st.lists(st.tuples(st.sampled_from([SHORT, LONG, OWN]), st.integers(0, 12 * DAY)), max_size=8)


def after(*changes: tuple[AccountStatus, int], start: int = 30) -> RetentionTerms:
    terms = RetentionTerms(start)
    for account_status, now in changes:
        terms = terms_after(terms, account_status, now)
    return terms


def days(terms: RetentionTerms, now: float) -> int:
    return terms.in_force(now).days


def test_a_shorter_plan_counts_after_its_grace_and_not_a_second_before() -> None:
    terms = after((SHORT, T))
    assert terms.plan_days == 15
    assert [days(terms, at) for at in (T, T + GRACE - 1, T + GRACE)] == [30, 30, 15]
    assert terms.pending(T) == RetentionStep(T + GRACE, 15)
    assert terms.pending(T + GRACE) is None


def test_going_back_within_the_grace_averts_it() -> None:
    terms = after((SHORT, T), (LONG, T + GRACE - 1))
    assert terms.pending(T + GRACE - 1) is None
    assert days(terms, T + 30 * DAY) == 30


def test_going_back_after_it_counts_from_then_on() -> None:
    short = after((SHORT, T))
    assert days(short, T + GRACE + DAY) == 15
    assert days(terms_after(short, LONG, T + GRACE + DAY), T + GRACE + DAY) == 30


def test_a_longer_plan_counts_at_once() -> None:
    assert days(after((LONG, T), start=15), T) == 30


def test_a_second_change_down_has_a_grace_of_its_own_and_leaves_the_first_its_date() -> None:
    terms = after((SHORT, T), (OWN, T + 3 * DAY))
    assert [days(terms, T + at) for at in (GRACE - 1, GRACE, GRACE + 3 * DAY - 1, GRACE + 3 * DAY)] == [
        30, 15, 15, 0,
    ]  # fmt: skip


def test_a_change_that_takes_back_a_part_postpones_nothing() -> None:
    """Everything was to go in a week; now it is what is older than 15 days, on the same date."""
    terms = after((OWN, T), (SHORT, T + 3 * DAY))
    assert terms.pending(T + 3 * DAY) == RetentionStep(T + GRACE, 15)


def test_a_plan_of_the_same_days_changes_nothing() -> None:
    trial = AccountStatus("trial", 15, 1)
    pending = after((SHORT, T))
    assert terms_after(pending, trial, T + DAY) == pending
    assert terms_after(RetentionTerms(15), SHORT, T) == RetentionTerms(15)


def test_an_account_whose_plan_never_changed_has_no_steps() -> None:
    assert terms_of(account_of(account_item("acme", LONG))) == RetentionTerms(30)
    assert terms_of(account_of(account_item("acme", OWN))) == RetentionTerms(0)


def test_rows_from_before_a_move_to_byoc_are_with_us_until_its_grace_is_over() -> None:
    assert after((OWN, T)).managed_until == T + GRACE
    assert after((SHORT, T), (OWN, T + 3 * DAY)).managed_until == T + 3 * DAY + GRACE
    assert after((OWN, T), (LONG, T + DAY)).managed_until == 0
    assert after((OWN, T), (LONG, T + 30 * DAY), (OWN, T + 40 * DAY)).managed_until == T + 40 * DAY + GRACE
    assert terms_of(account_of(account_item("acme", OWN))).managed_until == 0


@given(changes, st.integers(0, 40 * DAY))
def test_a_byoc_account_has_rows_with_us_exactly_until_its_terms_keep_none(
    made: list[tuple[AccountStatus, int]], look_ahead: int
) -> None:
    terms, now = RetentionTerms(30), T
    for account_status, later in [*made, (OWN, DAY)]:
        now += later
        terms = terms_after(terms, account_status, now)
    moment = now + look_ahead
    assert (moment < terms.managed_until) == (days(terms, moment) > 0)


@given(changes)
def test_terms_are_read_from_an_account_s_item_as_they_were(made: list[tuple[AccountStatus, int]]) -> None:
    terms, now = RetentionTerms(30), T
    account_status = LONG
    for account_status, later in made:
        now += later
        terms = terms_after(terms, account_status, now)
    assert terms_of(account_of(account_item("acme", account_status, terms))) == terms


@given(changes, st.integers(0, 40 * DAY))
def test_no_change_takes_anything_away_within_its_grace(
    made: list[tuple[AccountStatus, int]], look_ahead: int
) -> None:
    """Whatever was kept at the moment of a change is kept for the grace, unless it was pending before."""
    terms, now = RetentionTerms(30), T
    for account_status, later in made:
        now += later
        before, terms = terms, terms_after(terms, account_status, now)
        assert terms_after(terms, account_status, now) == terms
        for ahead in (0, min(look_ahead, GRACE - 1), look_ahead):
            if ahead < GRACE:
                assert days(terms, now + ahead) >= min(days(before, now + ahead), 30)
        assert days(terms, now) >= terms.plan_days


@given(changes)
def test_after_a_grace_without_a_change_the_plan_is_what_counts(
    made: list[tuple[AccountStatus, int]],
) -> None:
    terms, now = RetentionTerms(30), T
    for account_status, later in made:
        now += later
        terms = terms_after(terms, replace(account_status), now)
    assert days(terms, now + GRACE) == terms.plan_days
    assert [step.since for step in terms.steps] == sorted(step.since for step in terms.steps)


@given(st.sampled_from([15, 30]), changes, st.integers(0, 40 * DAY))
def test_what_is_kept_is_the_longest_plan_of_the_last_seven_days(
    start: int, made: list[tuple[AccountStatus, int]], look_ahead: int
) -> None:
    terms, now, plans = RetentionTerms(start), T, [(0, start)]
    for account_status, later in made:
        now += later
        terms = terms_after(terms, account_status, now)
        plans.append((now, terms.plan_days))
    moment = now + look_ahead
    at_the_start = [days for since, days in plans if since <= moment - GRACE][-1:]
    during = [days for since, days in plans if moment - GRACE < since <= moment]
    assert days(terms, moment) == max(at_the_start + during)
