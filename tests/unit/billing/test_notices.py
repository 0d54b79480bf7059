"""Mails and audit entries about changes and dates."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.change_notices import notices_of_change
from functions.billing.subscriptions.notice_texts import READING, BillingNotice, keeping
from functions.billing.subscriptions.reminders import reminders
from functions.billing.subscriptions.subscription import Subscription, snapshot
from functions.shared.tenancy import TenantId
from tests.unit.billing.things import DAY, NOON, invoice, subscription

TENANT = TenantId("acme")
ACTIVE = snapshot(subscription())
DEARER = snapshot(subscription(plan="managed_30"))
ENDING = snapshot(subscription(cancel_at=NOON + DAY))
GONE = snapshot(subscription(status="canceled", ended_at=NOON + DAY))
FREE = snapshot(subscription(status="trialing", trial_end=NOON + 5 * DAY))
GRACE_END = NOON + 7 * DAY


def owing(tries: int) -> Subscription:
    return snapshot(subscription(status="past_due"), [invoice("open", NOON, attempt_count=tries)])


def notices(old: Subscription | None, new: Subscription | None, **more: Any) -> list[BillingNotice]:
    return notices_of_change(
        BillingRecord(TENANT, version=3, subscription=old),
        BillingRecord(TENANT, version=3, subscription=new, **more),
        NOON,
    )


@pytest.mark.parametrize(
    ("old", "new", "kinds", "actions"),
    [
        (None, ACTIVE, ["begun"], ["subscription.begun"]),
        (None, FREE, ["begun"], ["subscription.begun"]),
        (FREE, ACTIVE, [], []),
        (ACTIVE, ACTIVE, [], []),
        (ACTIVE, DEARER, ["plan_changed"], ["subscription.plan_changed"]),
        (ACTIVE, ENDING, ["ending"], ["subscription.ending"]),
        (ENDING, ACTIVE, ["resumed"], ["subscription.resumed"]),
        (ENDING, GONE, ["ended"], ["subscription.ended"]),
        (GONE, GONE, [], []),
        (None, GONE, ["ended"], ["subscription.ended"]),
        (ACTIVE, owing(1), ["payment_failed"], ["payment.failed"]),
        (owing(1), owing(1), [], []),
        (owing(1), owing(2), ["payment_failed"], ["payment.failed"]),
        (owing(2), ACTIVE, ["recovered"], ["payment.recovered"]),
        (owing(2), GONE, ["ended"], ["subscription.ended"]),
        (GONE, replace(ACTIVE, subscription_id="sub_2"), ["begun"], ["subscription.begun"]),
        (None, replace(owing(1), ends_at=NOON), ["begun", "ending", "payment_failed"], None),
    ],
)
def test_a_change_is_notified_once_by_mail_and_in_the_audit_trail(
    old: Subscription | None, new: Subscription, kinds: list[str], actions: list[str] | None
) -> None:
    found = notices(old, new)
    assert [each.kind.removeprefix("billing_") for each in found] == kinds
    assert [each.action for each in found] == actions or actions is None
    assert len({each.notice_id for each in found}) == len(found)
    for each in found:
        assert each.title
        assert each.text.endswith(".")


def test_an_end_says_whether_it_was_asked_for() -> None:
    assert "as requested" in notices(ENDING, GONE)[0].text
    assert "payments were overdue" in notices(owing(3), GONE)[0].text


def test_a_failed_payment_names_the_day_of_rejection_and_that_reading_still_works() -> None:
    (letter,) = notices(ACTIVE, owing(1))
    assert "2027-01-22 08:00 UTC" in letter.text
    assert READING in letter.text


def test_the_same_plan_chosen_again_later_is_notified_again() -> None:
    first, later = (
        notices_of_change(
            BillingRecord(TENANT, version=at, subscription=ACTIVE),
            BillingRecord(TENANT, version=at, subscription=DEARER),
            NOON,
        )
        for at in (3, 5)
    )
    assert first[0].notice_id != later[0].notice_id


def test_who_is_leaving_is_not_written_to_and_the_trail_is_kept() -> None:
    (found,) = notices(ACTIVE, GONE, closing_requested_at=NOON)
    assert (found.action, found.title) == ("subscription.ended", "")


def test_money_that_went_back_is_in_the_trail_once_and_no_mail() -> None:
    noted = frozenset({"payment.refunded ch_1:400", "payment.disputed dp_1"})
    old = BillingRecord(TENANT, noted=frozenset({"payment.disputed dp_1"}))
    assert notices_of_change(old, replace(old, noted=noted), NOON) == [
        BillingNotice("payment.refunded", "ch_1:400")
    ]
    assert notices_of_change(replace(old, noted=noted), replace(old, noted=noted), NOON) == []


def reminded(record: BillingRecord, trial: int | None, day: float) -> list[str]:
    found = reminders(record, trial, NOON + day * DAY)
    return [each.kind.removeprefix("billing_") for each in found]


def test_a_trial_is_notified_three_days_before_its_end_and_after() -> None:
    record, end = BillingRecord(TENANT), NOON + 14 * DAY
    assert [reminded(record, end, day) for day in (10.9, 11, 13.9, 14, 16.9, 17)] == [
        [],
        ["trial_ending"],
        ["trial_ending"],
        ["trial_ended"],
        ["trial_ended"],
        [],
    ]
    bought = BillingRecord(TENANT, subscription=ACTIVE)
    assert reminded(bought, end, 12) == []


def test_the_first_payment_is_announced_unless_there_will_be_none() -> None:
    record = BillingRecord(TENANT, subscription=FREE)
    assert [reminded(record, None, day) for day in (1.9, 2, 5)] == [[], ["first_payment"], []]
    canceled = replace(FREE, ends_at=FREE.trial_end)
    assert reminded(BillingRecord(TENANT, subscription=canceled), None, 2) == []


def test_a_grace_period_is_notified_a_day_before_its_end_and_after() -> None:
    record = BillingRecord(TENANT, subscription=owing(1))
    assert [reminded(record, None, day) for day in (5.9, 6, 6.9, 7, 9.9, 10)] == [
        [],
        ["grace_ending"],
        ["grace_ending"],
        ["suspended"],
        ["suspended"],
        [],
    ]
    assert reminded(BillingRecord(TENANT, subscription=ACTIVE), None, 7) == []
    assert reminded(replace(record, closing_requested_at=NOON), None, 7) == []


def test_a_notice_is_sent_once_for_each_debt() -> None:
    record = BillingRecord(TENANT, subscription=owing(1))
    (first,) = reminders(record, None, GRACE_END)
    after = replace(record, reminders_sent=frozenset({first.notice_id}))
    assert reminders(after, None, GRACE_END + 1) == []
    later = snapshot(subscription(status="past_due"), [invoice("open", NOON + 60 * DAY)])
    assert reminders(replace(after, subscription=later), None, GRACE_END + 60 * DAY) != []


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("managed_30", "managed_15", "Logs that are older than 15 days are deleted on 2027-01-22 08:00 UTC."),
        ("managed_15", "byoc", "can be searched and exported until 2027-01-22 08:00 UTC"),
        ("managed_15", "managed_30", "Logs are kept for 30 days, including those already stored."),
        ("byoc", "managed_15", "Logs are kept for 15 days"),
        ("trial", "byoc", "can be searched and exported until 2027-01-22 08:00 UTC"),
    ],
)
def test_a_change_of_plan_says_what_becomes_of_stored_logs(before: str, after: str, says: str) -> None:
    assert says in keeping(before, after, NOON)


def test_where_the_days_stay_the_same_nothing_is_said_of_them() -> None:
    assert keeping("trial", "managed_15", NOON) == ""


TRIAL_END = NOON + 5 * DAY
FIRST_PAYMENT = "The first payment is due on 2027-01-20."
CREDITED = "What you paid in advance for the old plan is credited on an invoice."
NOTHING_CHARGED = "nothing was charged"
FREE_TO_THE_END = "It ends with your trial, so nothing is charged."
PAID_WORDS = ("paid", "credited", "charged", "payment", "invoice")


def trialing(plan: str = "managed_15", **more: Any) -> Subscription:
    return snapshot(subscription(plan=plan, status="trialing", trial_end=TRIAL_END, **more))


def on(plan: str, **more: Any) -> Subscription:
    return snapshot(subscription(plan=plan, **more))


MONEY = {
    "trial to paid, during the trial": (None, trialing(), [FIRST_PAYMENT], [CREDITED]),
    "trial to paid, after the trial": (None, ACTIVE, [], PAID_WORDS),
    "trial to BYOC, during the trial": (None, trialing("byoc"), [FIRST_PAYMENT], [CREDITED]),
    "another plan during the trial": (
        trialing(), trialing("managed_30"), [NOTHING_CHARGED, FIRST_PAYMENT], [CREDITED],
    ),
    "BYOC during the trial": (
        trialing(), trialing("byoc"), [NOTHING_CHARGED, FIRST_PAYMENT], [CREDITED],
    ),
    "another plan while the trial is cancelled": (
        trialing(cancel_at=TRIAL_END), trialing("managed_30", cancel_at=TRIAL_END),
        [NOTHING_CHARGED], [CREDITED, FIRST_PAYMENT],
    ),
    "another plan as the trial ends": (trialing(), on("managed_30"), [], PAID_WORDS),
    "paid to another paid plan": (ACTIVE, on("managed_30"), [CREDITED], [FIRST_PAYMENT, NOTHING_CHARGED]),
    "paid to BYOC": (ACTIVE, on("byoc"), [CREDITED], [FIRST_PAYMENT, NOTHING_CHARGED]),
    "paid back to a cheaper plan": (on("managed_30"), ACTIVE, [CREDITED], [FIRST_PAYMENT]),
    "another plan while a payment is owed": (
        owing(1), replace(owing(1), plan="managed_30"), [], [CREDITED, NOTHING_CHARGED],
    ),
    "cancelled during the trial": (
        trialing(), trialing(cancel_at=TRIAL_END), [FREE_TO_THE_END], [CREDITED, FIRST_PAYMENT],
    ),
    "begun and cancelled during the trial": (
        None, trialing(cancel_at=TRIAL_END), [FREE_TO_THE_END], [FIRST_PAYMENT],
    ),
    "resumed during the trial": (
        trialing(cancel_at=TRIAL_END), trialing(), [FIRST_PAYMENT], [FREE_TO_THE_END],
    ),
    "cancelled to a day after the trial": (
        trialing(), trialing(cancel_at=TRIAL_END + DAY), [], [FREE_TO_THE_END],
    ),
    "ended with the trial": (trialing(cancel_at=TRIAL_END), GONE, ["as requested"], PAID_WORDS),
    "cancelled when paid": (ACTIVE, ENDING, [], [FREE_TO_THE_END, *PAID_WORDS]),
    "resumed when paid": (ENDING, ACTIVE, [], [FIRST_PAYMENT, *PAID_WORDS]),
    "an owed invoice was voided": (
        owing(2), ACTIVE, ["No payment of your subscription is overdue"], ["arrived"],
    ),
    "begun again after an end": (
        replace(GONE, plan="managed_30"), replace(ACTIVE, subscription_id="sub_2"), [], PAID_WORDS,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "says", "never"), MONEY.values(), ids=MONEY)
def test_what_a_mail_says_about_money_is_true(
    old: Subscription | None, new: Subscription, says: list[str], never: Sequence[str]
) -> None:
    found = notices(old, new)
    assert found
    text = " ".join(f"{each.title}. {each.text}" for each in found)
    assert [each for each in says if each not in text] == []
    assert [each for each in never if each in text] == []


@pytest.mark.parametrize(
    ("old", "new"), [(ACTIVE, on("byoc")), (trialing(), trialing("byoc")), (None, trialing("byoc"))]
)
def test_a_move_to_byoc_names_the_time_until_which_stored_logs_can_be_searched_and_exported(
    old: Subscription | None, new: Subscription
) -> None:
    (notice,) = notices(old, new)
    assert "can be searched and exported until 2027-01-22 08:00 UTC" in notice.text
    assert "Then they are deleted." in notice.text


def test_a_trial_is_said_to_stay_free_only_while_a_plan_chosen_now_keeps_it_free() -> None:
    record, end = BillingRecord(TENANT), NOON + 14 * DAY
    early, late = (reminders(record, end, NOON + day * DAY)[0].text for day in (11, 13))
    assert "If you choose one before 2027-01-27 07:50 UTC, the rest of the trial stays free." in early
    assert "free" not in late.replace("Your free trial", "")


def test_the_first_payment_is_announced_if_the_subscription_ends_later_than_the_trial() -> None:
    later = replace(FREE, ends_at=(FREE.trial_end or 0) + DAY)
    assert reminded(BillingRecord(TENANT, subscription=later), None, 2) == ["first_payment"]
