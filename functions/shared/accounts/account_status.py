"""Account status: whether an account may send logs, by plan and payment. Reading logs is always permitted.

Stored in the account's item, written by billing, read by the authorizer at each request. A status that ends
at a known time stores that time, so that it ends on time and not at the next scheduled run.
"""

from dataclasses import dataclass

from functions.shared.errors import HttpError
from functions.shared.plans import Plan

QUOTA_EXCEEDED = "quota_exceeded"
TRIAL_QUOTA_EXCEEDED = "trial_quota_exceeded"
ACCOUNT_CLOSING = "account_closing"

_REFUSALS = {
    QUOTA_EXCEEDED: "The hard cap that you set is reached: raise or remove it with PATCH /v1/billing.",
    TRIAL_QUOTA_EXCEEDED: "The free trial's volume is used up: choose a plan with POST /v1/billing/checkout.",
    "trial_ended": "The free trial has ended: choose a plan with POST /v1/billing/checkout.",
    "payment_overdue": "Payment is overdue: update the card in the billing portal, POST /v1/billing/portal.",
    "subscription_ended": "The subscription has ended: choose a plan with POST /v1/billing/checkout.",
    ACCOUNT_CLOSING: "This account is being closed: cancel the request with DELETE /v1/erasures/{id}.",
}
"""Code of a 402 -> how to resolve it."""

REFUSAL_CODES = frozenset(_REFUSALS)
"""Codes of a 402: the account's logs are rejected for now."""


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """The account status that billing controls. Times are in Unix seconds.

    `accepts_until`: from then on logs are rejected with `end_reason`; None for no known end.
    `capped_until`: the hard cap or the trial's volume is reached, and applies until the next period begins;
    None when neither is. `cap_reason`: the code of the 402 meanwhile.
    `cap_left_bytes`: what was left of the hard cap, or of a trial's volume, when usage was last counted;
    valid until the period ends at `cap_left_until`. None without a cap.
    """

    plan: str
    retention_days: int
    bytes_per_second: int
    accepts_until: int | None = None
    end_reason: str = ""
    capped_until: int | None = None
    cap_left_bytes: int | None = None
    cap_left_until: int | None = None
    cap_reason: str = QUOTA_EXCEEDED

    def refusal(self, now: float) -> str:
        """The code of the 402 for logs at `now`; empty when they are accepted."""
        if self.accepts_until is not None and self.accepts_until <= now:
            return self.end_reason
        if self.capped_until is not None and now < self.capped_until:
            return self.cap_reason
        return ""

    def bytes_left(self, now: float) -> int | None:
        """The remaining bytes of the period, as last counted; None without a cap, or in a new period."""
        is_over = self.cap_left_until is not None and self.cap_left_until <= now
        return None if is_over else self.cap_left_bytes


def account_status_on(
    plan: Plan, accepts_until: int | None = None, end_reason: str = "", capped_until: int | None = None
) -> AccountStatus:
    """The account status of `plan`."""
    return AccountStatus(
        plan.name, plan.retention_days, plan.bytes_per_second, accepts_until, end_reason, capped_until
    )


def raise_if_refused(code: str) -> None:
    """Reject logs with the reason `code`, unless it is empty.

    Raises
    ------
    HttpError: 402.
    """
    if code:
        raise HttpError(402, code, refusal_reason(code))


def refusal_reason(code: str) -> str:
    """The sentence that says how to resolve a 402 with this code."""
    return f"{_REFUSALS[code]} You can still search your logs."
