"""The response of `GET /v1/billing`."""

from datetime import UTC, datetime
from typing import Any

from functions.billing.book import Book
from functions.billing.entitlements import grace_ends_at, period, trial_ends_at
from functions.shared.account.standing import Standing
from functions.shared.plans import CURRENCY, GIGABYTE, PLANS, Plan


def shown(book: Book, standing: Standing, now: float) -> dict[str, Any]:
    """Times are RFC 3339, volumes are gigabytes, amounts are cents; values that do not apply are null."""
    subscription = book.subscription
    start, end = period(book, now)
    return {
        "plan": standing.plan,
        "status": subscription.status if subscription else "none",
        "accepting": not standing.refusal(now),
        "refusal": standing.refusal(now) or None,
        "accepts_until": _moment(standing.accepts_until),
        "capped_until": _moment(standing.capped_until),
        "period": {"start": _moment(start), "end": _moment(end)},
        "trial_ends_at": _moment(
            trial_ends_at(book, standing) if subscription is None else subscription.trial_end
        ),
        "ends_at": _moment(subscription.ends_at if subscription else None),
        "ended_at": _moment(subscription.ended_at if subscription else None),
        "owes_since": _moment(subscription.owes_since if subscription else None),
        "grace_ends_at": _moment(grace_ends_at(subscription) if subscription else None),
        "soft_cap_gb": _volume(book.soft_cap_bytes),
        "hard_cap_gb": _volume(book.hard_cap_bytes),
        "terms": _terms(PLANS[standing.plan]) if standing.plan in PLANS else None,
        "plans": [_terms(plan) for plan in PLANS.values() if plan.sold],
    }


def _terms(plan: Plan) -> dict[str, Any]:
    return {
        "plan": plan.name,
        "title": plan.title,
        "retention_days": plan.retention_days,
        "included_gb": plan.included_gb,
        "currency": CURRENCY,
        "monthly_cents": plan.monthly_cents,
        "cents_a_gb": plan.cents_a_gb,
    }


def _volume(number: int | None) -> float | None:
    return None if number is None else number / GIGABYTE


def _moment(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
