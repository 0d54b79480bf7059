"""Mails and audit entries about changes of a subscription."""

from collections.abc import Iterator

from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.entitlements import grace_ends_at
from functions.billing.subscriptions.notice_texts import (
    CHOOSE,
    PORTAL,
    READING,
    BillingNotice,
    day,
    keeping,
    minute_text,
    terms,
)
from functions.billing.subscriptions.subscription import ENDED, Subscription
from functions.shared.access import BYOC
from functions.shared.plans import PLANS, TRIAL


def notices_of_change(old: BillingRecord, new: BillingRecord, now: float) -> list[BillingNotice]:
    """Mails and audit entries for the change from `old` to `new` at `now`, Unix seconds.

    No mails while an account is closing.
    """
    found = [*_money_back(new.noted - old.noted)]
    if new.subscription and new.subscription != old.subscription:
        found += _of_subscription(old.subscription, new.subscription, f"v{old.version + 1}", now)
    leaving = new.closing_requested_at is not None
    return [BillingNotice(each.action, each.subject) for each in found] if leaving else found


def _of_subscription(
    old: Subscription | None, new: Subscription, once: str, now: float
) -> Iterator[BillingNotice]:
    """`once` identifies this change."""
    known = old if old and old.subscription_id == new.subscription_id else None
    if new.status in ENDED:
        if known is None or known.status not in ENDED:
            yield _ended(new, unpaid=known is not None and known.owing)
        return
    if known is None:
        yield _begun(old.plan if old else TRIAL, new, now)
    elif known.plan != new.plan:
        yield _plan_changed(known, new, once, now)
    yield from _end_set(known.ends_at if known else None, new, once)
    yield from _payments(known, new)


def _end_set(before: int | None, new: Subscription, once: str) -> Iterator[BillingNotice]:
    if new.ends_at and new.ends_at != before:
        yield BillingNotice(
            "subscription.ending",
            new.subscription_id,
            f"ending-{once}",
            "billing_ending",
            "Your AstraLog subscription will end",
            f"Your subscription ends on {day(new.ends_at)}, as requested.{_free_until_its_end(new)} Until "
            f"then nothing changes; after that, new logs are rejected. {READING} To keep the subscription, "
            f"{PORTAL}.",
        )
    elif before and not new.ends_at:
        yield BillingNotice(
            "subscription.resumed",
            new.subscription_id,
            f"resumed-{once}",
            "billing_resumed",
            "Your AstraLog subscription continues",
            f"Your subscription was to end on {day(before)}. The cancellation was withdrawn: it continues."
            f"{_first_payment(new)}",
        )


def _payments(known: Subscription | None, new: Subscription) -> Iterator[BillingNotice]:
    tried = known.failed_payments if known and known.owing else 0
    if new.owing and (known is None or not known.owing or new.failed_payments > tried):
        yield _payment_failed(new)
    elif known and known.owing and new.status in ("active", "trialing"):
        yield BillingNotice(
            "payment.recovered",
            new.subscription_id,
            f"recovered-{known.owes_since}",
            "billing_recovered",
            "Your payment is no longer overdue",
            "No payment of your subscription is overdue any more. New logs are accepted as before, and all "
            "logs stored in the meantime are available.",
        )


def _payment_failed(new: Subscription) -> BillingNotice:
    again = f" We will try again on {day(new.tries_again_at)}." if new.tries_again_at else ""
    return BillingNotice(
        "payment.failed",
        new.subscription_id,
        f"payment_failed-{new.owes_since}-{new.failed_payments}",
        "billing_payment_failed",
        "A payment for AstraLog failed",
        f"A payment for your plan {PLANS[new.plan].title} failed.{again} Logs are accepted until "
        f"{minute_text(grace_ends_at(new))}. If the payment is still missing then, new logs are rejected. "
        f"{READING} To update the card and pay, {PORTAL}.",
    )


def _begun(before: str, new: Subscription, now: float) -> BillingNotice:
    """`before`: the account's plan until then; a plan that has ended still keeps its stored logs."""
    trial = f" The rest of your trial stays free.{_first_payment(new)}" if new.status == "trialing" else ""
    return BillingNotice(
        "subscription.begun",
        new.subscription_id,
        f"begun-{new.subscription_id}",
        "billing_begun",
        f"Your plan: {PLANS[new.plan].title}",
        f"Your subscription to {PLANS[new.plan].title} has begun.{trial} {terms(new.plan)}"
        f"{keeping(before, new.plan, now)}",
    )


def _plan_changed(known: Subscription, new: Subscription, once: str, now: float) -> BillingNotice:
    return BillingNotice(
        "subscription.plan_changed",
        new.plan,
        f"plan_changed-{once}",
        "billing_plan_changed",
        f"Your plan is now {PLANS[new.plan].title}",
        f"Your plan was changed to {PLANS[new.plan].title}.{_settlement(known, new)} {terms(new.plan)}"
        f"{keeping(known.plan, new.plan, now)}",
    )


def _settlement(known: Subscription, new: Subscription) -> str:
    """What happens to money paid for the old plan; during a trial, or while a payment is owed, none was."""
    if new.status == "trialing":
        return f" Your trial continues, and nothing was charged.{_first_payment(new)}"
    if known.status == new.status == "active":
        return " What you paid in advance for the old plan is credited on an invoice."
    return ""


def _first_payment(new: Subscription) -> str:
    """The day of the first payment after a trial; empty without a trial, or if the subscription ends then."""
    if new.status != "trialing" or not new.trial_end or new.ends_with_trial:
        return ""
    return f" The first payment is due on {day(new.trial_end)}."


def _free_until_its_end(new: Subscription) -> str:
    return " It ends with your trial, so nothing is charged." if new.ends_with_trial else ""


def _ended(new: Subscription, *, unpaid: bool) -> BillingNotice:
    cause = "because payments were overdue" if unpaid else "as requested"
    kept = (
        "They stay in your own bucket and ClickHouse."
        if new.plan == BYOC
        else "They are kept for the retention time of your plan."
    )
    return BillingNotice(
        "subscription.ended",
        new.subscription_id,
        f"ended-{new.subscription_id}",
        "billing_ended",
        "Your AstraLog subscription has ended",
        f"Your subscription has ended, {cause}. New logs are rejected. {READING} {kept} "
        f"To subscribe again, {CHOOSE}.",
    )


def _money_back(noted: frozenset[str]) -> Iterator[BillingNotice]:
    """Refunds and disputes: Stripe mails the customer, we write an audit entry."""
    for each in sorted(noted):
        action, _, subject = each.partition(" ")
        yield BillingNotice(action, subject)
