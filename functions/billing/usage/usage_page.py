"""`GET /v1/usage`: usage by day, and an estimate for the current period.

Days are UTC days of receipt; bytes are those of rows as NDJSON before compression, as billed. Usage is
counted within about a minute of being stored. The period is the invoice's: usage of a period's last hour may
be reported in the next period, and is then in that period's figures and on its invoice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.entitlements import period
from functions.billing.usage.usage_item import UsageDay
from functions.billing.usage.usage_store import UsageStore
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.forms import invalid
from functions.shared.plans import CURRENCY, GIGABYTE, PLANS, Plan

MAX_DAYS = 400


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def every(self) -> Iterable[date]:
        return (self.first + timedelta(number) for number in range((self.last - self.first).days + 1))


def usage_page(
    usage: UsageStore,
    record: BillingRecord,
    account_status: AccountStatus,
    query: Mapping[str, str],
    now: float,
) -> dict[str, Any]:
    """The response body; `query` may have `from` and `to`, else the days are the period's until today.

    Raises
    ------
    HttpError: 400, for an invalid day, or a span that is empty or too long.
    StoreUnavailableError
    """
    since, until = period(record, now)
    span = requested_span(query, DaySpan(_day(since), _day(int(now))))
    days = usage.days(record.tenant, span.first, span.last)
    # A subscription that has ended has invoices, but none of the calendar month.
    of_period = usage.used_bytes if record.live else usage.stored_bytes
    used_bytes = of_period(record.tenant, since, until)
    return {
        "from": span.first.isoformat(),
        "to": span.last.isoformat(),
        "days": shown_days(days, span),
        "period": {
            "start": _moment(since),
            "end": _moment(until),
            **_costs(record, account_status, used_bytes),
        },
        "capped_until": None if account_status.capped_until is None else _moment(account_status.capped_until),
    }


def requested_span(query: Mapping[str, str], otherwise: DaySpan) -> DaySpan:
    """The days that a query asks for.

    Raises
    ------
    HttpError: 400.
    """
    last = _parsed("to", query, otherwise.last)
    first = _parsed("from", query, min(otherwise.first, last))
    if not 0 <= (last - first).days < MAX_DAYS:
        raise invalid("from", f"must be a day not after 'to', and at most {MAX_DAYS} days before")
    return DaySpan(first, last)


def shown_days(days: Iterable[UsageDay], span: DaySpan) -> list[dict[str, Any]]:
    """One entry for each day of `span`, also for days without usage, in order."""
    stored = {each.day: each for each in days}
    return [
        {
            "day": day.isoformat(),
            "rows": stored[day].rows if day in stored else 0,
            "bytes": stored[day].raw_bytes if day in stored else 0,
        }
        for day in span.every()
    ]


def estimate_cents(plan: Plan, used_bytes: int) -> int:
    """The cost of a period of `plan` at `used_bytes`, before taxes and proration."""
    beyond = max(0, used_bytes - plan.included_gb * GIGABYTE)
    return plan.monthly_cents + (2 * beyond * plan.cents_a_gb + GIGABYTE) // (2 * GIGABYTE)


def _costs(record: BillingRecord, account_status: AccountStatus, used_bytes: int) -> dict[str, Any]:
    """The estimated cost; none without a live subscription, because nothing is billed. A trial is free."""
    plan = PLANS.get(record.live.plan if record.live else account_status.plan)
    free = record.live is not None and record.live.status == "trialing"
    return {
        "bytes": used_bytes,
        "included_bytes": plan.included_gb * GIGABYTE if plan else None,
        "soft_cap_bytes": record.soft_cap_bytes,
        "hard_cap_bytes": record.hard_cap_bytes,
        "estimate_cents": 0 if free else estimate_cents(plan, used_bytes) if plan and record.live else None,
        "currency": CURRENCY,
    }


def _parsed(name: str, query: Mapping[str, str], otherwise: date) -> date:
    text = query.get(name)
    if text is None:
        return otherwise
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise invalid(name, "must be a day: YYYY-MM-DD") from None


def _day(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
