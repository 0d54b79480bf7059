"""Notices that follow from the date: a trial or a grace period that ends soon or has ended.

Sent notices are recorded in the account's book in the same transaction, so none is sent twice.
"""

from collections.abc import Iterator

from functions.billing.book import Book
from functions.billing.entitlements import SECONDS_A_DAY, grace_ends_at
from functions.billing.subscription import Subscription
from functions.billing.wording import CHOOSE, PORTAL, READING, News, day, moment, terms

TRIAL_NOTICE_DAYS = 3
GRACE_NOTICE_DAYS = 1
TOLD_LATE_DAYS = 3
"""A notice not sent by then, because our functions did not run, is not sent any more."""


def reminders(book: Book, trial_ends_at: int | None, now: float) -> list[News]:
    """The notices to send at `now`, Unix seconds, without those already sent.

    `trial_ends_at`: of an account on its free trial (functions.billing.entitlements).
    """
    return [each for each in _due(book, trial_ends_at, now) if each.notice_id not in book.told]


def _due(book: Book, trial_ends_at: int | None, now: float) -> Iterator[News]:
    if book.closing_requested_at is not None:
        return
    if trial_ends_at is not None and book.subscription is None:
        yield from _of_trial(trial_ends_at, now)
    if book.live and book.live.status == "trialing" and book.live.trial_end:
        yield from _first_payment(book.live, book.live.trial_end, now)
    if book.live and (grace := grace_ends_at(book.live)):
        yield from _of_grace(book.live, grace, now)


def _of_trial(ends_at: int, now: float) -> Iterator[News]:
    choose = f"To continue, {CHOOSE}."
    if _shortly_before(ends_at, TRIAL_NOTICE_DAYS, now):
        yield News(
            notice_id=f"trial_ending-{ends_at}",
            kind="billing_trial_ending",
            title="Your AstraLog trial ends soon",
            text=f"Your free trial ends on {day(ends_at)}. After that, new logs are rejected until you "
            f"choose a plan. If you choose one now, the rest of the trial stays free. {READING} {choose}",
        )
    if _shortly_after(ends_at, now):
        yield News(
            notice_id=f"trial_ended-{ends_at}",
            kind="billing_trial_ended",
            title="Your AstraLog trial has ended",
            text=f"Your free trial ended on {day(ends_at)}. New logs are rejected. {READING} {choose}",
        )


def _first_payment(live: Subscription, ends_at: int, now: float) -> Iterator[News]:
    if _shortly_before(ends_at, TRIAL_NOTICE_DAYS, now) and not live.ends_at:
        yield News(
            notice_id=f"first_payment-{ends_at}",
            kind="billing_first_payment",
            title="Your AstraLog trial ends soon",
            text=f"Your free trial ends on {day(ends_at)}, and the first payment is due then. "
            f"{terms(live.plan)} To cancel before then, {PORTAL}.",
        )


def _of_grace(live: Subscription, ends_at: int, now: float) -> Iterator[News]:
    pay = f"To update the card and pay, {PORTAL}."
    if _shortly_before(ends_at, GRACE_NOTICE_DAYS, now):
        yield News(
            notice_id=f"grace_ending-{live.owes_since}",
            kind="billing_grace_ending",
            title="AstraLog will reject your new logs from tomorrow",
            text=f"A payment is overdue. From {moment(ends_at)} on, new logs are rejected. {READING} {pay}",
        )
    if _shortly_after(ends_at, now):
        yield News(
            "account.suspended",
            live.subscription_id,
            f"suspended-{live.owes_since}",
            "billing_suspended",
            "AstraLog rejects your new logs",
            f"A payment has been overdue since {day(live.owes_since)}. Since {moment(ends_at)} new logs "
            f"are rejected (status 402) until you pay. {READING} {pay}",
        )


def _shortly_before(at: int, days: int, now: float) -> bool:
    return at - days * SECONDS_A_DAY <= now < at


def _shortly_after(at: int, now: float) -> bool:
    return at <= now < at + TOLD_LATE_DAYS * SECONDS_A_DAY
