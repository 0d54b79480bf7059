"""Texts of billing's mails: each says what happened, what follows, and what to do.

Amounts are the catalogue's; Stripe's receipts say how much a card was charged.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from functions.shared.accounts.notice_links import docs_link
from functions.shared.accounts.retention_terms import GRACE_DAYS, SECONDS_A_DAY, days_of_plan
from functions.shared.plans import PLANS

READING = "Stored logs remain, and you can still search them."
PORTAL = f"open the billing portal ({docs_link('billing.md', 'open-the-billing-portal')})"
CHOOSE = f"choose a plan ({docs_link('billing.md', 'choose-a-plan')})"


@dataclass(frozen=True, slots=True)
class BillingNotice:
    """A message: an audit entry if there is an `action`, and a mail if there is a `title`.

    `subject`: the object of the action. `notice_id` makes the mail be sent once; `kind` is for programs.
    """

    action: str = ""
    subject: str = ""
    notice_id: str = ""
    kind: str = ""
    title: str = ""
    text: str = ""


def terms(name: str) -> str:
    plan = PLANS[name]
    return (
        f"It costs {money(plan.monthly_cents)} a month and includes {plan.included_gb} GB; each further GB "
        f"costs {money(plan.cents_a_gb)}."
    )


def keeping(before: str, name: str, now: float) -> str:
    """The effect of a change of plan at `now`, Unix seconds, on logs stored with us; both plans by name."""
    had, days = days_of_plan(PLANS[before]), days_of_plan(PLANS[name])
    if days == had:
        return ""
    if days > had:
        return f" Logs are kept for {days} days, including those already stored."
    until = minute_text(int(now) + GRACE_DAYS * SECONDS_A_DAY)
    back = "To keep them with us, return to your earlier plan before then."
    if days:
        return f" Logs that are older than {days} days are deleted on {until}. {back}"
    export = docs_link("byoc.md", "logs-from-before-the-move")
    return (
        " New logs are stored in your own bucket and ClickHouse only. Logs that are already stored with us "
        f"can be searched and exported until {until} ({export}). Then they are deleted. {back}"
    )


def money(cents: int) -> str:
    return f"${cents // 100}.{cents % 100:02}"


def day(seconds: int | None) -> str:
    return f"{datetime.fromtimestamp(seconds or 0, UTC):%Y-%m-%d}"


def minute_text(seconds: int | None) -> str:
    return f"{datetime.fromtimestamp(seconds or 0, UTC):%Y-%m-%d %H:%M} UTC"
