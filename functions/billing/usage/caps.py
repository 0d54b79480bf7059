"""Caps set by customers, and the volume of a trial: which marks are reached, and the notices for them.

A soft cap only notifies. A hard cap also rejects new logs until the period ends or the cap is raised, the
volume of a trial until the period ends or a plan is chosen (functions.billing.subscriptions.entitlements).
Pure functions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.entitlements import trial_bytes
from functions.billing.subscriptions.notice_texts import CHOOSE, READING
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.accounts.notice_links import docs_link

WARN_AT_PERCENT = (80, 100)

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_NEXT_UNIT = 999.5
"""From here on a value of three digits is 1.00 of the next unit."""

CHANGE_CAP = docs_link("billing.md", "change-a-cap")
USAGE_BY_DAY = docs_link("usage.md", "see-usage-by-day")

_REMEDIES = {
    "soft cap": f"You can change the cap ({CHANGE_CAP}).",
    "hard cap": f"To store more, raise the cap ({CHANGE_CAP}).",
    "trial volume": f"To store more, {CHOOSE}.",
}


@dataclass(frozen=True, slots=True)
class CapNotice:
    """A mail; one `notice_id` is sent once, so each cap warns once per period at each mark."""

    notice_id: str
    kind: str
    title: str
    text: str


def caps_of(record: BillingRecord, account_status: AccountStatus) -> dict[str, int]:
    """The account's caps in bytes per period, by their names for customers."""
    caps = {
        "soft cap": record.soft_cap_bytes,
        "hard cap": record.hard_cap_bytes,
        "trial volume": trial_bytes(record, account_status),
    }
    return {name: cap for name, cap in caps.items() if cap is not None}


def cap_notices(caps: Mapping[str, int], used_bytes: int, period_start: int) -> list[CapNotice]:
    """The notices to send at `used_bytes`: for each cap, the highest mark that is reached."""
    return [
        _notice(name, cap, percent, used_bytes, period_start)
        for name, cap in caps.items()
        for percent in _reached(used_bytes, cap)
    ]


def _reached(used_bytes: int, cap_bytes: int) -> Iterator[int]:
    marks = [percent for percent in WARN_AT_PERCENT if used_bytes * 100 >= cap_bytes * percent]
    yield from marks[-1:]


def _notice(name: str, cap_bytes: int, percent: int, used_bytes: int, period_start: int) -> CapNotice:
    reached = percent >= WARN_AT_PERCENT[-1]
    title = f"Your {name} is reached" if reached else f"{percent} % of your {name} is used"
    named = name.replace(" ", "-")
    return CapNotice(
        notice_id=f"cap-{named}-{percent}-{cap_bytes}-{period_start}",
        kind=f"billing_{named.replace('-', '_')}",
        title=title,
        text=f"{_bytes_text(used_bytes)} of logs were stored in this period; "
        f"your {name} is {_bytes_text(cap_bytes)}. "
        f"{_follows(name, reached=reached)} You can see your usage by day ({USAGE_BY_DAY}). "
        f"{_REMEDIES[name]}",
    )


def _follows(name: str, *, reached: bool) -> str:
    if name == "soft cap":
        return "A soft cap only sends this notice: logs are accepted as before."
    since = "From now on" if reached else "When it is reached,"
    until = "the period ends or you choose a plan" if name == "trial volume" else "the period ends"
    return f"{since} new logs are rejected (status 402) until {until}. {READING}"


def _bytes_text(size: int) -> str:
    """A size in three digits and a decimal unit, such as `1.25 GB`, as the dashboard shows it."""
    value, unit = float(size), 0
    while value >= _NEXT_UNIT and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    digits = 0 if unit == 0 else max(0, 3 - len(f"{value:.0f}"))
    number = f"{value:.{digits}f}"
    return f"{number.rstrip('0').rstrip('.') if digits else number} {_UNITS[unit]}"
