"""What an account may do, by what it pays: a function from values to a value.

Reading is never switched off. Writing ends at moments that are known ahead, so that nothing has to run for
it to end; what is paid again opens it again, for the whole standing is made anew each time.
"""

from dataclasses import replace
from datetime import UTC, datetime

from functions.billing.book import Book
from functions.billing.subscription import Subscription
from functions.shared.account.standing import ACCOUNT_CLOSING, Standing, standing_on
from functions.shared.plans import GIGABYTE, PLANS, TRIAL

GRACE_DAYS = 7
SECONDS_A_DAY = 86_400

PAYMENT_OVERDUE = "payment_overdue"
SUBSCRIPTION_ENDED = "subscription_ended"
TRIAL_ENDED = "trial_ended"


def entitled(book: Book, now_has: Standing, used_bytes: int, now: float) -> Standing:
    """The standing of an account at `now`, Unix seconds.

    `now_has`: its standing so far, which stays, the trial's end with it, until a subscription has begun.
    `used_bytes`: of the period that `period` names. A subscription that ended leaves the plan as it was:
    what is stored is kept as long as was promised, and is searched where it is.
    """
    standing = replace(now_has, capped_until=None, cap_left_bytes=None, cap_left_until=None)
    if book.subscription:
        standing = _subscribed(book.subscription)
    if book.closing_requested_at is not None:
        return replace(standing, accepts_until=book.closing_requested_at, end_reason=ACCOUNT_CLOSING)
    limit = limit_bytes(book, now_has)
    if limit is None:
        return standing
    until = period(book, now)[1]
    return replace(
        standing,
        capped_until=until if used_bytes >= limit else None,
        cap_left_bytes=max(0, limit - used_bytes),
        cap_left_until=until,
    )


def trial_bytes(book: Book, standing: Standing) -> int | None:
    """How much a trial may store in a period; None once there was a subscription, or without a trial."""
    trial = book.subscription is None and standing.plan == TRIAL
    return PLANS[TRIAL].included_gb * GIGABYTE if trial else None


def limit_bytes(book: Book, standing: Standing) -> int | None:
    """From which byte of a period on logs are refused; None for no limit."""
    limits = [each for each in (book.hard_cap_bytes, trial_bytes(book, standing)) if each is not None]
    return min(limits, default=None)


def period(book: Book, now: float) -> tuple[int, int]:
    """The period whose usage counts, as (from, until): the subscription's, or the calendar's month in UTC.

    A period that is over is followed by one as long, until Stripe has told of the next.
    """
    if live := book.live:
        length = max(live.period_end - live.period_start, 1)
        over = max(0, (int(now) - live.period_start) // length)
        return live.period_start + over * length, live.period_end + over * length
    first = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return int(first.timestamp()), int(following.timestamp())


def grace_ends_at(subscription: Subscription) -> int | None:
    """When logs stop being taken for a payment that is missing; None when none is."""
    since = subscription.owes_since
    return None if since is None else since + GRACE_DAYS * SECONDS_A_DAY


def trial_ends_at(book: Book, standing: Standing) -> int | None:
    """When the free trial ends, or ended; None once there was a subscription, or without a trial."""
    trial = book.subscription is None and standing.end_reason == TRIAL_ENDED
    return standing.accepts_until if trial else None


def _subscribed(subscription: Subscription) -> Standing:
    """The first of its ends is the one that counts."""
    ends = [
        (subscription.ended_at, SUBSCRIPTION_ENDED),
        (subscription.ends_at, SUBSCRIPTION_ENDED),
        (grace_ends_at(subscription), PAYMENT_OVERDUE),
        (subscription.period_start if subscription.status == "paused" else None, PAYMENT_OVERDUE),
    ]
    known = [(at, reason) for at, reason in ends if at is not None]
    at, reason = min(known, default=(None, ""))
    return standing_on(PLANS[subscription.plan], accepts_until=at, end_reason=reason)
