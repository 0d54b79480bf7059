"""Whether logs are taken, by the clock."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.accounts.account_status import (
    AccountStatus,
    account_status_on,
    raise_if_refused,
    refusal_reason,
)
from functions.shared.errors import HttpError
from functions.shared.plans import PLANS
from functions.shared.tables.accounts import account_status_of
from tests.account_items import account_item, account_of

times = st.none() | st.integers(0, 2**40)
account_statuses = st.builds(
    AccountStatus,
    st.sampled_from(sorted(PLANS)),
    st.integers(1, 3650),
    st.integers(1, 2**40),
    times,
    st.sampled_from(["trial_ended", "payment_overdue"]),
    times,
)


@given(account_statuses)
def test_a_status_is_read_from_its_item_as_it_was(account_status: AccountStatus) -> None:
    assert account_status_of(account_of(account_item("acme", account_status))) == account_status


@given(account_statuses, st.integers(0, 2**40))
def test_an_end_counts_from_its_second_and_a_cap_to_its_own(account_status: AccountStatus, now: int) -> None:
    ended = account_status.accepts_until is not None and now >= account_status.accepts_until
    capped = account_status.capped_until is not None and now < account_status.capped_until
    assert account_status.refusal(now) == (
        account_status.end_reason if ended else account_status.cap_reason if capped else ""
    )


def test_what_is_owed_goes_before_what_is_capped() -> None:
    account_status = account_status_on(PLANS["managed_15"], 100, "payment_overdue", capped_until=200)
    assert [account_status.refusal(at) for at in (99, 100, 300)] == [
        "quota_exceeded",
        "payment_overdue",
        "payment_overdue",
    ]


def test_a_hard_cap_and_a_used_up_trial_are_two_reasons_with_two_remedies() -> None:
    own = account_status_on(PLANS["managed_15"], capped_until=200)
    trial = replace(account_status_on(PLANS["trial"], capped_until=200), cap_reason="trial_quota_exceeded")
    assert [each.refusal(100) for each in (own, trial)] == ["quota_exceeded", "trial_quota_exceeded"]
    assert "raise or remove it" in refusal_reason("quota_exceeded")
    assert "trial" not in refusal_reason("quota_exceeded")
    assert "choose a plan" in refusal_reason("trial_quota_exceeded")
    assert "cap" not in refusal_reason("trial_quota_exceeded")


@pytest.mark.parametrize(
    "code",
    [
        "quota_exceeded",
        "trial_quota_exceeded",
        "trial_ended",
        "payment_overdue",
        "subscription_ended",
        "account_closing",
    ],
)
def test_each_refusal_is_a_402_that_says_reading_still_works(code: str) -> None:
    with pytest.raises(HttpError) as refused:
        raise_if_refused(code)
    assert (refused.value.status, refused.value.code) == (402, code)
    assert refused.value.message.endswith("You can still search your logs.")
    raise_if_refused("")
