"""Notices that follow from the date: a trial or a grace period that ends soon or has ended.

Sent notices are recorded in the account's billing record in the same transaction, so none is sent twice.
"""

from collections.abc import Iterator

from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.entitlements import (
    LEAST_TRIAL_SECONDS,
    SECONDS_A_DAY,
    grace_ends_at,
)
from functions.billing.subscriptions.notice_texts import (
    CHOOSE,
    PORTAL,
    READING,
    BillingNotice,
    day,
    minute_text,
    terms,
)
from functions.billing.subscriptions.subscription import Subscription

TRIAL_NOTICE_DAYS = 3
GRACE_NOTICE_DAYS = 1
MAX_LATE_DAYS = 3
"""A notice not sent by then, because our functions did not run, is not sent any more."""


def reminders(record: BillingRecord, trial_ends_at: int | None, now: float) -> list[BillingNotice]:
    """The notices to send at `now`, Unix seconds, without those already sent.

    `trial_ends_at`: of an account on its free trial (functions.billing.subscriptions.entitlements).
    """
    return [each for each in _due(record, trial_ends_at, now) if each.notice_id not in record.reminders_sent]


def _due(record: BillingRecord, trial_ends_at: int | None, now: float) -> Iterator[BillingNotice]:
    if record.closing_requested_at is not None:
        return
    if trial_ends_at is not None and record.subscription is None:
        yield from _of_trial(trial_ends_at, now)
    if record.live and record.live.status == "trialing" and record.live.trial_end:
        yield from _first_payment(record.live, record.live.trial_end, now)
    if record.live and (grace := grace_ends_at(record.live)):
        yield from _of_grace(record.live, grace, now)


def _of_trial(ends_at: int, now: float) -> Iterator[BillingNotice]:
    choose = f"To continue, {CHOOSE}."
    if _shortly_before(ends_at, TRIAL_NOTICE_DAYS, now):
        free_until = ends_at - LEAST_TRIAL_SECONDS
        free = f" If you choose one before {minute_text(free_until)}, the rest of the trial stays free."
        yield BillingNotice(
            notice_id=f"trial_ending-{ends_at}",
            kind="billing_trial_ending",
            title="Your AstraLog trial ends soon",
            text=f"Your free trial ends on {day(ends_at)}. After that, new logs are rejected until you "
            f"choose a plan.{free if now < free_until else ''} {READING} {choose}",
        )
    if _shortly_after(ends_at, now):
        yield BillingNotice(
            notice_id=f"trial_ended-{ends_at}",
            kind="billing_trial_ended",
            title="Your AstraLog trial has ended",
            text=f"Your free trial ended on {day(ends_at)}. New logs are rejected. {READING} {choose}",
        )


def _first_payment(live: Subscription, ends_at: int, now: float) -> Iterator[BillingNotice]:
    if _shortly_before(ends_at, TRIAL_NOTICE_DAYS, now) and not live.ends_with_trial:
        yield BillingNotice(
            notice_id=f"first_payment-{ends_at}",
            kind="billing_first_payment",
            title="Your AstraLog trial ends soon",
            text=f"Your free trial ends on {day(ends_at)}, and the first payment is due then. "
            f"{terms(live.plan)} To cancel before then, {PORTAL}.",
        )


def _of_grace(live: Subscription, ends_at: int, now: float) -> Iterator[BillingNotice]:
    pay = f"To update the card and pay, {PORTAL}."
    if _shortly_before(ends_at, GRACE_NOTICE_DAYS, now):
        yield BillingNotice(
            notice_id=f"grace_ending-{live.owes_since}",
            kind="billing_grace_ending",
            title="AstraLog will reject your new logs from tomorrow",
            text=f"A payment is overdue. From {minute_text(ends_at)} on, new logs are rejected. "
            f"{READING} {pay}",
        )
    if _shortly_after(ends_at, now):
        yield BillingNotice(
            "account.suspended",
            live.subscription_id,
            f"suspended-{live.owes_since}",
            "billing_suspended",
            "AstraLog rejects your new logs",
            f"A payment has been overdue since {day(live.owes_since)}. Since {minute_text(ends_at)} new logs "
            f"are rejected (status 402) until you pay. {READING} {pay}",
        )


def _shortly_before(at: int, days: int, now: float) -> bool:
    return at - days * SECONDS_A_DAY <= now < at


def _shortly_after(at: int, now: float) -> bool:
    return at <= now < at + MAX_LATE_DAYS * SECONDS_A_DAY
