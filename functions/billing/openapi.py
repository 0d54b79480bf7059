"""Documentation of billing's routes; see functions.shared.openapi."""

from typing import Literal

from msgspec import Struct

from functions.billing.forms import CapsForm, PlanForm
from functions.shared.openapi import (
    INVALID_BODY,
    Body,
    DayText,
    LinkText,
    Operation,
    Operations,
    Parameter,
    Reply,
    TimestampText,
)


class BillingPeriod(Struct):
    """From `start` up to, but excluding, `end`."""

    start: TimestampText | None
    end: TimestampText | None


class PlanTerms(Struct):
    """What a plan includes and costs. A gigabyte is 10^9 bytes."""

    plan: str
    title: str
    retention_days: int
    included_gb: int
    currency: str
    monthly_cents: int
    cents_a_gb: int


class BillingState(Struct):
    """`accepting`: whether logs are accepted; if not, `refusal` is the code of the 402. Others are null
    where they do not apply. `plans`: what is on sale.
    """

    plan: str
    status: str
    accepting: bool
    refusal: str | None
    accepts_until: TimestampText | None
    capped_until: TimestampText | None
    period: BillingPeriod
    trial_ends_at: TimestampText | None
    ends_at: TimestampText | None
    ended_at: TimestampText | None
    owes_since: TimestampText | None
    grace_ends_at: TimestampText | None
    soft_cap_gb: float | None
    hard_cap_gb: float | None
    terms: PlanTerms | None
    plans: list[PlanTerms]


class StripePage(Struct):
    """A page of Stripe, to open in a browser."""

    url: LinkText


class UsageOfDay(Struct):
    """Rows and bytes received on a UTC day."""

    day: DayText
    rows: int
    bytes: int


class UsagePeriod(Struct):
    """Usage of the billing period. `estimate_cents`: null without a live subscription."""

    start: TimestampText
    end: TimestampText
    bytes: int
    included_bytes: int | None
    soft_cap_bytes: int | None
    hard_cap_bytes: int | None
    estimate_cents: int | None
    currency: str


class UsageReport(Struct, rename={"first": "from", "last": "to"}):
    """Days from `from` to `to`, both included."""

    first: DayText
    last: DayText
    days: list[UsageOfDay]
    period: UsagePeriod
    capped_until: TimestampText | None


class WebhookReceived(Struct):
    """The event is processed."""

    received: Literal[True]


_TERMS = {
    "plan": "managed_30",
    "title": "Managed, 30 days",
    "retention_days": 30,
    "included_gb": 100,
    "currency": "usd",
    "monthly_cents": 3900,
    "cents_a_gb": 28,
}
_STATE = {
    "plan": "managed_30",
    "status": "active",
    "accepting": True,
    "refusal": None,
    "accepts_until": None,
    "capped_until": None,
    "period": {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"},
    "trial_ends_at": None,
    "ends_at": None,
    "ended_at": None,
    "owes_since": None,
    "grace_ends_at": None,
    "soft_cap_gb": None,
    "hard_cap_gb": 200.0,
    "terms": _TERMS,
    "plans": [_TERMS],
}
_USAGE = {
    "from": "2026-11-23",
    "to": "2026-11-23",
    "days": [{"day": "2026-11-23", "rows": 1200, "bytes": 481_920}],
    "period": {
        "start": "2026-11-01T00:00:00Z",
        "end": "2026-12-01T00:00:00Z",
        "bytes": 481_920,
        "included_bytes": 100_000_000_000,
        "soft_cap_bytes": None,
        "hard_cap_bytes": None,
        "estimate_cents": 3900,
        "currency": "usd",
    },
    "capped_until": None,
}
_STRIPE_PAGE = {"url": "https://checkout.stripe.com/c/pay/cs_test_1"}

OPERATIONS: Operations = {
    "GET /v1/billing": Operation(
        "getBilling",
        "Read plan, payment state and caps",
        "admin",
        {200: Reply("The state of billing.", BillingState, _STATE)},
        errors=("not_found",),
        page="billing.md",
    ),
    "PATCH /v1/billing": Operation(
        "changeCaps",
        "Set or remove the caps",
        "admin",
        {200: Reply("The state of billing.", BillingState, _STATE)},
        description="Gigabytes per billing period; null removes a cap.",
        body=Body.json(CapsForm, {"hard_cap_gb": 200}),
        errors=(*INVALID_BODY, "not_found", "409 account_closing"),
        page="billing.md#patch-v1billing",
    ),
    "POST /v1/billing/checkout": Operation(
        "checkOut",
        "Buy a plan on a page of Stripe",
        "admin",
        {201: Reply("The page.", StripePage, _STRIPE_PAGE)},
        body=Body.json(PlanForm, {"plan": "managed_30"}),
        errors=(
            *INVALID_BODY,
            "not_found",
            "already_subscribed",
            "409 no_destination",
            "409 account_closing",
        ),
        page="billing.md#post-v1billingcheckout",
    ),
    "POST /v1/billing/plan": Operation(
        "changePlan",
        "Change the plan",
        "admin",
        {200: Reply("The state of billing.", BillingState, _STATE)},
        description="Upgrades are charged immediately, prorated. Downgrades are credited later.",
        body=Body.json(PlanForm, {"plan": "managed_15"}),
        errors=(
            *INVALID_BODY,
            "not_found",
            "card_declined",
            "no_subscription",
            "409 payment_overdue",
            "409 no_destination",
            "409 account_closing",
        ),
        page="billing.md#post-v1billingplan",
    ),
    "POST /v1/billing/portal": Operation(
        "openBillingPortal",
        "Change the card, pay or cancel on a page of Stripe",
        "admin",
        {201: Reply("The page.", StripePage, {"url": "https://billing.stripe.com/p/session/test_1"})},
        errors=("no_subscription", "not_found"),
        page="billing.md#post-v1billingportal",
    ),
    "GET /v1/usage": Operation(
        "getUsage",
        "Read rows and bytes by day, and the period's cost",
        "read",
        {200: Reply("Usage by day.", UsageReport, _USAGE)},
        description="Without `from` and `to`, the days are those of the billing period until today.",
        parameters=(
            Parameter("from", "The first day, at most 400 days before `to`.", DayText, example="2026-11-23"),
            Parameter("to", "The last day.", DayText, example="2026-11-23"),
        ),
        errors=("invalid_<field>", "not_found"),
        page="usage.md",
    ),
    "POST /v1/stripe/webhook": Operation(
        "receiveStripeEvent",
        "Receive an event of Stripe",
        "none",
        {200: Reply("Processed, or done before.", WebhookReceived, {"received": True})},
        description="For Stripe alone: the header `Stripe-Signature` identifies the sender.",
        parameters=(Parameter("Stripe-Signature", "Stripe's signature of the body.", place="header"),),
        body=Body.json({"type": "object"}, {"id": "evt_1", "type": "customer.subscription.updated"}),
        errors=("invalid_signature", "invalid_body"),
        page="billing.md",
    ),
}
