"""Whether an account's logs are taken, by its plan and what is paid: never whether they can be read.

Kept with the account, written by billing, read by the authorizer at each request. What ends at a known time
is kept as that time, so that it ends then and not when a schedule comes round.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.shared.errors import RefusalError
from functions.shared.plans import Plan

QUOTA_EXCEEDED = "quota_exceeded"
ACCOUNT_CLOSING = "account_closing"

_REFUSALS = {
    QUOTA_EXCEEDED: "Your hard cap or the trial's volume is reached: raise the cap or choose a plan.",
    "trial_ended": "The free trial has ended: choose a plan with POST /v1/billing/checkout.",
    "payment_overdue": "Payment overdue: update the card in the billing portal, POST /v1/billing/portal.",
    "subscription_ended": "The subscription has ended: choose a plan with POST /v1/billing/checkout.",
    ACCOUNT_CLOSING: "This account is being closed: to keep it, cancel with DELETE /v1/erasures/{id}.",
}
"""Code of a 402 -> what to do about it."""

REFUSAL_CODES = frozenset(_REFUSALS)
"""Codes of a 402: the account takes no logs now, and may again."""

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """What of an account is billing's to say. Times are in Unix seconds.

    `accepts_until`: logs are refused from then on, with `end_reason`; None for no end in sight.
    `capped_until`: the customer's hard cap is reached, until a period begins anew; None when it is not.
    `cap_left_bytes`: what of the hard cap, or of a trial's volume, was left when usage was last counted;
    it holds until the period ends at `cap_left_until`. None without a cap.
    """

    plan: str
    retention_days: int
    bytes_per_second: int
    accepts_until: int | None = None
    end_reason: str = ""
    capped_until: int | None = None
    cap_left_bytes: int | None = None
    cap_left_until: int | None = None

    def refusal(self, now: float) -> str:
        """The code of the 402 that logs are answered with at `now`; empty when they are taken."""
        if self.accepts_until is not None and self.accepts_until <= now:
            return self.end_reason
        if self.capped_until is not None and now < self.capped_until:
            return QUOTA_EXCEEDED
        return ""

    def bytes_left(self, now: float) -> int | None:
        """What may still be stored in the period, as last counted; None without a cap, or in a new period."""
        is_over = self.cap_left_until is not None and self.cap_left_until <= now
        return None if is_over else self.cap_left_bytes


def standing_on(
    plan: Plan, accepts_until: int | None = None, end_reason: str = "", capped_until: int | None = None
) -> Standing:
    """The standing that `plan` gives."""
    return Standing(
        plan.name, plan.retention_days, plan.bytes_per_second, accepts_until, end_reason, capped_until
    )


def refuse(code: str) -> None:
    """Refuse logs for the reason `code`, if there is one.

    Raises
    ------
    RefusalError: 402.
    """
    if code:
        raise RefusalError(402, code, refusal_reason(code))


def refusal_reason(code: str) -> str:
    """What to do about a refusal of that code."""
    return f"{_REFUSALS[code]} You can still search stored logs."


def standing_item(standing: Standing) -> Item:
    """The attributes of an account's item that hold its standing; unset ones overwrite too."""
    return {
        "plan": {"S": standing.plan},
        "retention_days": {"N": str(standing.retention_days)},
        "bytes_per_second": {"N": str(standing.bytes_per_second)},
        "accepts_until": _number(standing.accepts_until),
        "end_reason": {"S": standing.end_reason},
        "capped_until": _number(standing.capped_until),
        "cap_left_bytes": _number(standing.cap_left_bytes),
        "cap_left_until": _number(standing.cap_left_until),
    }


def standing_of(item: Mapping[str, Any]) -> Standing:
    """The standing in an account's item."""
    return Standing(
        plan=item["plan"]["S"],
        retention_days=int(item["retention_days"]["N"]),
        bytes_per_second=int(item["bytes_per_second"]["N"]),
        accepts_until=_whole(item.get("accepts_until")),
        end_reason=item.get("end_reason", {}).get("S", ""),
        capped_until=_whole(item.get("capped_until")),
        cap_left_bytes=_whole(item.get("cap_left_bytes")),
        cap_left_until=_whole(item.get("cap_left_until")),
    )


def _number(value: int | None) -> Item:
    return {"NULL": True} if value is None else {"N": str(value)}


def _whole(attribute: Mapping[str, Any] | None) -> int | None:
    return int(attribute["N"]) if attribute and "N" in attribute else None
