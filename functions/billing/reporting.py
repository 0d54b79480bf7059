"""How usage is told to Stripe, and never told twice: pure transitions of what is written down of it.

Of what was counted for a tenant a part was told (`landed`), a part never will be (`waived`: it was stored
before there was a subscription), and the rest is told by the next report. There is one report of a tenant at
a time. It is written down before it is sent, with an identifier of its own, and stays pending until it is
known to have landed; nothing else is told meanwhile.

Stripe refuses an identifier that it has taken within 24 hours. So a pending report may simply be sent again,
and a refusal as a duplicate says that it has landed. After LOOK_AFTER_SECONDS that protects no longer: then
Stripe is asked what it has in the minutes in which the report was sent. These minutes are no other report's,
so their sum says whether it is there.

A report is dated when it is sent, again and again, never back: so it falls into a period that is still open,
whenever it gets through.
"""

from dataclasses import dataclass, replace
from hashlib import sha256

from functions.shared.tenancy import TenantId

MINUTE_SECONDS = 60
LOOK_AFTER_SECONDS = 23 * 3600
"""An hour less than Stripe's 24: clocks differ, and a request takes its time."""


@dataclass(frozen=True, slots=True)
class Report:
    """One report. `began_at`, and when it was sent first and last, as dated: Unix seconds."""

    identifier: str
    value_bytes: int
    customer_id: str
    began_at: int
    first_dated: int
    last_dated: int

    @property
    def minutes(self) -> tuple[int, int]:
        """From when until when it may have been dated, in whole minutes, Unix seconds."""
        return whole_minute(self.first_dated), whole_minute(self.last_dated) + MINUTE_SECONDS

    def must_be_looked_for(self, now: float) -> bool:
        """Whether Stripe might take it twice if it was sent now."""
        return now - self.began_at >= LOOK_AFTER_SECONDS


@dataclass(frozen=True, slots=True)
class Reported:
    """What was told of a tenant's usage, and to whom.

    `landed_bytes` of `customer_id`, dated from `first_dated` to `last_dated`, `last_bytes` of them with the
    last report; `earlier_bytes` of customers the tenant had before. `period_bytes` of what has landed is in
    the period that began at `period_start`.
    """

    tenant: TenantId
    version: int = 0
    subscription_id: str = ""
    customer_id: str = ""
    landed_bytes: int = 0
    waived_bytes: int = 0
    earlier_bytes: int = 0
    first_dated: int = 0
    last_dated: int = 0
    last_bytes: int = 0
    period_start: int = 0
    period_bytes: int = 0
    pending: Report | None = None

    @property
    def settled_bytes(self) -> int:
        """What need not be told any more."""
        return self.landed_bytes + self.waived_bytes + self.earlier_bytes

    def left_bytes(self, counted_bytes: int) -> int:
        """What of `counted_bytes`, all there ever was, has not landed; a pending report is part of it."""
        return max(0, counted_bytes - self.settled_bytes)

    def used_bytes(self, counted_bytes: int, period_start: int) -> int:
        """What the period from `period_start` on comes to: what has landed in it, and what will."""
        landed = self.period_bytes if self.period_start == period_start else 0
        return landed + self.left_bytes(counted_bytes)


def opened(reported: Reported, counted_bytes: int, customer_id: str, subscription_id: str) -> Reported:
    """A subscription has begun, and no report is pending: what was stored before is waived."""
    new = replace(
        reported,
        subscription_id=subscription_id,
        waived_bytes=reported.waived_bytes + reported.left_bytes(counted_bytes),
        period_start=0,
        period_bytes=0,
    )
    if customer_id == reported.customer_id:
        return new
    return replace(
        new,
        customer_id=customer_id,
        earlier_bytes=reported.earlier_bytes + reported.landed_bytes,
        landed_bytes=0,
        first_dated=0,
        last_bytes=0,
    )


def begun(reported: Reported, counted_bytes: int, period_start: int, now: float) -> Reported | None:
    """With a report of all that is left to tell; None when that is nothing, or one is pending."""
    value = reported.left_bytes(counted_bytes)
    if reported.pending or not value:
        return None
    at = max(int(now), period_start, whole_minute(reported.last_dated) + MINUTE_SECONDS)
    named = f"{reported.tenant}|{reported.customer_id}|{reported.settled_bytes}|{value}"
    identifier = sha256(named.encode()).hexdigest()[:32]
    return replace(reported, pending=Report(identifier, value, reported.customer_id, int(now), at, at))


def dated_anew(reported: Reported, report: Report, period_start: int, now: float) -> Reported:
    """With the pending `report` dated now, for it is to be sent again."""
    at = max(int(now), period_start, report.last_dated)
    return replace(reported, pending=replace(report, last_dated=at))


def landed(reported: Reported, report: Report, dated: int, period_start: int) -> Reported:
    """With the pending `report` known to be at Stripe; `dated`: when, as far as that is known."""
    before = reported.period_bytes if reported.period_start == period_start else 0
    return replace(
        reported,
        landed_bytes=reported.landed_bytes + report.value_bytes,
        first_dated=reported.first_dated or report.first_dated,
        last_dated=report.last_dated,
        last_bytes=report.value_bytes,
        period_start=period_start,
        period_bytes=before + (report.value_bytes if dated >= period_start else 0),
        pending=None,
    )


def given_up(reported: Reported, report: Report) -> Reported:
    """With the pending `report` waived, for its customer is gone: nobody will ever be billed for it."""
    return replace(reported, waived_bytes=reported.waived_bytes + report.value_bytes, pending=None)


def withdrawn(reported: Reported, report: Report) -> Reported:
    """With the pending `report` known not to be at Stripe, nor on its way: the next one tells it, later."""
    return replace(reported, last_dated=report.last_dated, pending=None)


def whole_minute(seconds: int) -> int:
    """The minute that `seconds`, Unix, is in."""
    return seconds - seconds % MINUTE_SECONDS
