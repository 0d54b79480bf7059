"""How billing speaks to people: every letter says what happened, what follows, and what to do.

Amounts are the catalogue's; what a card was charged is Stripe's to say, in its receipts.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from functions.shared.plans import PLANS

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


def terms(name: str) -> str:
    plan = PLANS[name]
    return (
        f"It costs {money(plan.monthly_cents)} a month and includes {plan.included_gb} GB; each further GB "
        f"costs {money(plan.cents_a_gb)}."
    )


def money(cents: int) -> str:
    return f"${cents // 100}.{cents % 100:02}"


def day(seconds: int | None) -> str:
    return f"{datetime.fromtimestamp(seconds or 0, UTC):%Y-%m-%d}"


def moment(seconds: int | None) -> str:
    return f"{datetime.fromtimestamp(seconds or 0, UTC):%Y-%m-%d %H:%M} UTC"
