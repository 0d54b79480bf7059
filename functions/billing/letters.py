"""What people are told of billing, and what the audit trail says of it: made of what changed, or of the date.

Every letter says what happened, what follows from it and what to do, and that searching goes on where logs
are refused. Amounts are the catalogue's; what a card was charged is Stripe's to say, in its receipts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from functions.billing.book import Book
from functions.billing.entitlements import SECONDS_A_DAY, grace_ends_at, trial_ends_at
from functions.billing.subscription import ENDED, Subscription
from functions.shared.account.standing import Standing
from functions.shared.plans import PLANS

TRIAL_NOTICE_DAYS = 3
GRACE_NOTICE_DAYS = 1
TOLD_LATE_DAYS = 3
"""Who has not been told by then, for nothing of ours ran, is not told any more."""

READING = "What is stored stays, and searching goes on."


@dataclass(frozen=True, slots=True)
class News:
    """Something to be told: in the audit trail, if there is an `action`, and by mail, if there is a `title`.

    `subject`: what the action was done to. `notice_id` makes the mail be sent once, `kind` is for programs.
    """

    action: str = ""
    subject: str = ""
    notice_id: str = ""
    kind: str = ""
    title: str = ""
    text: str = ""


def news(old: Book, new: Book) -> list[News]:
    """What the change from `old` to `new` is to people."""
    found = [*_money_back(new.noted - old.noted)]
    if new.subscription and new.subscription != old.subscription:
        found += _of_subscription(old.subscription, new.subscription)
    return found


def by_date(book: Book, standing: Standing, now: float) -> list[News]:
    """What is to be told because of the date, Unix seconds, and has not been."""
    return [each for each in _by_date(book, standing, now) if each.notice_id not in book.told]


def _of_subscription(old: Subscription | None, new: Subscription) -> Iterator[News]:
    known = old if old and old.subscription_id == new.subscription_id else None
    if new.status in ENDED:
        if known is None or known.status not in ENDED:
            yield _ended(new, unpaid=known is not None and known.owing)
        return
    if known is None:
        yield _begun(new)
    elif known.plan != new.plan:
        yield _plan_changed(new)
    yield from _end_set(known.ends_at if known else None, new)
    yield from _payments(known, new)


def _end_set(before: int | None, new: Subscription) -> Iterator[News]:
    if new.ends_at and new.ends_at != before:
        yield News(
            "subscription.ending",
            new.subscription_id,
            f"ending-{new.subscription_id}-{new.ends_at}",
            "billing_ending",
            "Your AstraLog subscription will end",
            f"Your subscription ends on {_day(new.ends_at)}, as was asked for. Until then nothing changes; from "
            f"then on no new logs are taken. {READING} POST /v1/billing/portal opens the page where that "
            "can be taken back.",
        )
    elif before and not new.ends_at:
        yield News(
            "subscription.resumed",
            new.subscription_id,
            f"resumed-{new.subscription_id}-{before}",
            "billing_resumed",
            "Your AstraLog subscription goes on",
            f"Your subscription would have ended on {_day(before)}; that was taken back, and it goes on.",
        )


def _payments(known: Subscription | None, new: Subscription) -> Iterator[News]:
    tried = known.failed_payments if known and known.owing else 0
    if new.owing and (known is None or not known.owing or new.failed_payments > tried):
        yield _payment_failed(new)
    elif known and known.owing and not new.owing:
        yield News(
            "payment.recovered",
            new.subscription_id,
            f"recovered-{known.owes_since}",
            "billing_recovered",
            "Your payment arrived",
            "The payment that was missing has arrived. Logs are taken as before; what was stored meanwhile "
            "is all there.",
        )


def _payment_failed(new: Subscription) -> News:
    again = f" It is tried again on {_day(new.tries_again_at)}." if new.tries_again_at else ""
    return News(
        "payment.failed",
        new.subscription_id,
        f"payment_failed-{new.owes_since}-{new.failed_payments}",
        "billing_payment_failed",
        "A payment for AstraLog failed",
        f"A payment for your plan {PLANS[new.plan].title} could not be taken.{again} Logs are taken until "
        f"{_moment(grace_ends_at(new))}; if nothing was paid by then, new logs are refused. {READING} "
        "POST /v1/billing/portal opens the page where you can change the card and pay.",
    )


def _begun(new: Subscription) -> News:
    trial = ""
    if new.status == "trialing" and new.trial_end:
        trial = (
            f" What is left of your trial stays free: the first payment is taken on {_day(new.trial_end)}."
        )
    return News(
        "subscription.begun",
        new.subscription_id,
        f"begun-{new.subscription_id}",
        "billing_begun",
        f"Your plan: {PLANS[new.plan].title}",
        f"Your subscription to {PLANS[new.plan].title} has begun.{trial} {_terms(new.plan)}",
    )


def _plan_changed(new: Subscription) -> News:
    return News(
        "subscription.plan_changed",
        new.plan,
        f"plan-{new.subscription_id}-{new.plan}-{new.period_start}",
        "billing_plan_changed",
        f"Your plan is now {PLANS[new.plan].title}",
        f"Your plan was changed to {PLANS[new.plan].title}. What was paid ahead for the old one is given back "
        f"to the day on an invoice. {_terms(new.plan)}",
    )


def _ended(new: Subscription, *, unpaid: bool) -> News:
    cause = "because payments were missing" if unpaid else "as was asked for"
    return News(
        "subscription.ended",
        new.subscription_id,
        f"ended-{new.subscription_id}",
        "billing_ended",
        "Your AstraLog subscription has ended",
        f"Your subscription has ended, {cause}. New logs are refused. {READING} It is kept as long as your "
        "plan promised. POST /v1/billing/checkout begins a new one.",
    )


def _money_back(noted: frozenset[str]) -> Iterator[News]:
    """Refunds and disputes: Stripe tells the customer, we write them down."""
    for each in sorted(noted):
        action, _, subject = each.partition(" ")
        yield News(action, subject)


def _by_date(book: Book, standing: Standing, now: float) -> Iterator[News]:
    if book.closing_requested_at is not None:
        return
    if trial := trial_ends_at(book, standing):
        yield from _of_trial(trial, now)
    if book.live and book.live.status == "trialing" and book.live.trial_end:
        yield from _first_payment(book.live, book.live.trial_end, now)
    if book.live and (grace := grace_ends_at(book.live)):
        yield from _of_grace(book.live, grace, now)


def _of_trial(ends_at: int, now: float) -> Iterator[News]:
    choose = "POST /v1/billing/checkout chooses a plan."
    if _shortly_before(ends_at, TRIAL_NOTICE_DAYS, now):
        yield News(
            notice_id=f"trial_ending-{ends_at}",
            kind="billing_trial_ending",
            title="Your AstraLog trial ends soon",
            text=f"Your free trial ends on {_day(ends_at)}. From then on new logs are refused, unless you have "
            f"chosen a plan; what is left of the trial stays free if you choose one now. {READING} {choose}",
        )
    if _shortly_after(ends_at, now):
        yield News(
            notice_id=f"trial_ended-{ends_at}",
            kind="billing_trial_ended",
            title="Your AstraLog trial is over",
            text=f"Your free trial ended on {_day(ends_at)}. New logs are refused. {READING} {choose}",
        )


def _first_payment(live: Subscription, ends_at: int, now: float) -> Iterator[News]:
    if _shortly_before(ends_at, TRIAL_NOTICE_DAYS, now) and not live.ends_at:
        yield News(
            notice_id=f"first_payment-{ends_at}",
            kind="billing_first_payment",
            title="Your AstraLog trial ends soon",
            text=f"Your free trial ends on {_day(ends_at)}, and the first payment is taken then. "
            f"{_terms(live.plan)} POST /v1/billing/portal opens the page where you can cancel before.",
        )


def _of_grace(live: Subscription, ends_at: int, now: float) -> Iterator[News]:
    mend = "POST /v1/billing/portal opens the page where you can change the card and pay."
    if _shortly_before(ends_at, GRACE_NOTICE_DAYS, now):
        yield News(
            notice_id=f"grace_ending-{live.owes_since}",
            kind="billing_grace_ending",
            title="AstraLog will refuse your logs from tomorrow",
            text=f"A payment is still missing. From {_moment(ends_at)} on new logs are refused. {READING} {mend}",
        )
    if _shortly_after(ends_at, now):
        yield News(
            "account.suspended",
            live.subscription_id,
            f"suspended-{live.owes_since}",
            "billing_suspended",
            "AstraLog refuses your logs",
            f"A payment has been missing since {_day(live.owes_since)}. Since {_moment(ends_at)} new logs are "
            f"refused with 402. {READING} As soon as it is paid they are taken again. {mend}",
        )


def _shortly_before(at: int, days: int, now: float) -> bool:
    return at - days * SECONDS_A_DAY <= now < at


def _shortly_after(at: int, now: float) -> bool:
    return at <= now < at + TOLD_LATE_DAYS * SECONDS_A_DAY


def _terms(name: str) -> str:
    plan = PLANS[name]
    return (
        f"It costs {_money(plan.monthly_cents)} a month and includes {plan.included_gb} GB; each further GB "
        f"costs {_money(plan.cents_a_gb)}."
    )


def _money(cents: int) -> str:
    return f"${cents // 100}.{cents % 100:02}"


def _day(seconds: int | None) -> str:
    return f"{datetime.fromtimestamp(seconds or 0, UTC):%Y-%m-%d}"


def _moment(seconds: int | None) -> str:
    return f"{datetime.fromtimestamp(seconds or 0, UTC):%Y-%m-%d %H:%M} UTC"
