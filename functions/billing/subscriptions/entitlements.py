"""The entitlements of an account, derived from its subscription: a pure function.

Reading is never blocked. Accepting logs ends at times known in advance, so no function has to run to end it;
a later payment reopens it, because the account status is recomputed as a whole each time.
"""

from dataclasses import replace
from datetime import UTC, datetime

from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.subscription import Subscription
from functions.shared.accounts.account_status import (
    ACCOUNT_CLOSING,
    QUOTA_EXCEEDED,
    TRIAL_QUOTA_EXCEEDED,
    AccountStatus,
    account_status_on,
)
from functions.shared.plans import GIGABYTE, PLANS, TRIAL

GRACE_DAYS = 7
SECONDS_A_DAY = 86_400

LEAST_TRIAL_SECONDS = 48 * 3600 + 600
"""Stripe rejects trials shorter than 48 hours; ten minutes cover the time in between."""

PAYMENT_OVERDUE = "payment_overdue"
SUBSCRIPTION_ENDED = "subscription_ended"
TRIAL_ENDED = "trial_ended"


def entitled(record: BillingRecord, now_has: AccountStatus, used_bytes: int, now: float) -> AccountStatus:
    """The account status at `now`, Unix seconds.

    `now_has`: the current status; without a subscription so far it stays, with the trial's end. `used_bytes`:
    of the period that `period` names. After a subscription has ended the plan stays as it was: stored logs
    are kept for the promised time and can be searched.
    """
    account_status = replace(
        now_has,
        capped_until=None,
        cap_left_bytes=None,
        cap_left_until=None,
        cap_reason=QUOTA_EXCEEDED,
    )
    if record.subscription:
        account_status = _subscribed(record.subscription)
    if record.closing_requested_at is not None:
        return replace(account_status, accepts_until=record.closing_requested_at, end_reason=ACCOUNT_CLOSING)
    limit = limit_bytes(record, now_has)
    if limit is None:
        return account_status
    until = period(record, now)[1]
    is_reached = used_bytes >= limit
    return replace(
        account_status,
        capped_until=until if is_reached else None,
        cap_left_bytes=max(0, limit - used_bytes),
        cap_left_until=until,
        cap_reason=TRIAL_QUOTA_EXCEEDED if is_reached and limit != record.hard_cap_bytes else QUOTA_EXCEEDED,
    )


def trial_bytes(record: BillingRecord, account_status: AccountStatus) -> int | None:
    """The volume of a trial per period; None after a first subscription, or without a trial."""
    trial = record.subscription is None and account_status.plan == TRIAL
    return PLANS[TRIAL].included_gb * GIGABYTE if trial else None


def limit_bytes(record: BillingRecord, account_status: AccountStatus) -> int | None:
    """The usage from which on logs are rejected, in bytes; None for no limit."""
    limits = [
        each for each in (record.hard_cap_bytes, trial_bytes(record, account_status)) if each is not None
    ]
    return min(limits, default=None)


def period(record: BillingRecord, now: float) -> tuple[int, int]:
    """The period whose usage counts, as (from, until): the subscription's, or the calendar month in UTC.

    After its end the next period has the same length, until Stripe reports the real one.
    """
    if live := record.live:
        length = max(live.period_end - live.period_start, 1)
        over = max(0, (int(now) - live.period_start) // length)
        return live.period_start + over * length, live.period_end + over * length
    first = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return int(first.timestamp()), int(following.timestamp())


def grace_ends_at(subscription: Subscription) -> int | None:
    """When logs are rejected because of an unpaid invoice; None if no payment is missing."""
    since = subscription.owes_since
    return None if since is None else since + GRACE_DAYS * SECONDS_A_DAY


def trial_ends_at(record: BillingRecord, account_status: AccountStatus) -> int | None:
    """When the free trial ends or ended; None after a first subscription, or without a trial."""
    trial = record.subscription is None and account_status.end_reason == TRIAL_ENDED
    return account_status.accepts_until if trial else None


def _subscribed(subscription: Subscription) -> AccountStatus:
    """The earliest of its end times counts."""
    ends = [
        (subscription.ended_at, SUBSCRIPTION_ENDED),
        (subscription.ends_at, SUBSCRIPTION_ENDED),
        (grace_ends_at(subscription), PAYMENT_OVERDUE),
        (subscription.period_start if subscription.status == "paused" else None, PAYMENT_OVERDUE),
    ]
    known = [(at, reason) for at, reason in ends if at is not None]
    at, reason = min(known, default=(None, ""))
    return account_status_on(PLANS[subscription.plan], accepts_until=at, end_reason=reason)
