"""The response of `GET /v1/billing`."""

from datetime import UTC, datetime
from typing import Any

from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.entitlements import grace_ends_at, period, trial_ends_at
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.plans import CURRENCY, GIGABYTE, PLANS, Plan


def billing_page(
    record: BillingRecord, account_status: AccountStatus, refusal: str, now: float
) -> dict[str, Any]:
    """Times are RFC 3339, volumes are gigabytes, amounts are cents; values that do not apply are null.

    `refusal`: the code of the 402 for logs at `now`; empty when they are accepted.
    """
    subscription = record.subscription
    start, end = period(record, now)
    return {
        "plan": account_status.plan,
        "status": subscription.status if subscription else "none",
        "accepting": not refusal,
        "refusal": refusal or None,
        "accepts_until": _moment(account_status.accepts_until),
        "capped_until": _moment(account_status.capped_until),
        "period": {"start": _moment(start), "end": _moment(end)},
        "trial_ends_at": _moment(
            trial_ends_at(record, account_status) if subscription is None else subscription.trial_end
        ),
        "ends_at": _moment(subscription.ends_at if subscription else None),
        "ended_at": _moment(subscription.ended_at if subscription else None),
        "owes_since": _moment(subscription.owes_since if subscription else None),
        "grace_ends_at": _moment(grace_ends_at(subscription) if subscription else None),
        "soft_cap_gb": _volume(record.soft_cap_bytes),
        "hard_cap_gb": _volume(record.hard_cap_bytes),
        "terms": _terms(PLANS[account_status.plan]) if account_status.plan in PLANS else None,
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
