"""Reporting usage to Stripe exactly once: pure transitions of the stored state.

The counted usage of a tenant has three parts: already reported (`landed`), never to be reported (`waived`:
stored before the subscription began), and the rest, which the next report contains. A tenant has one report
at a time. It is written with its own identifier before it is sent, and stays pending until it is known to
have landed; no other usage is reported meanwhile.

Stripe rejects an identifier that it accepted within 24 hours. So a pending report may be sent again, and a
rejection as a duplicate proves that it has landed. After LOOK_AFTER_SECONDS this protection ends: then Stripe
is asked for the usage in the minutes in which the report was sent. No other report is dated in these minutes,
so their sum shows whether it has landed.

A report is dated with the time of each attempt to send it, never earlier. So it belongs to an open billing
period whenever it arrives.
"""

from dataclasses import dataclass, replace
from hashlib import sha256

from functions.shared.tenancy import TenantId

MINUTE_SECONDS = 60
DEDUPLICATED_SECONDS = 23 * 3600
"""One hour less than Stripe's 24, because clocks differ and requests take time."""


@dataclass(frozen=True, slots=True)
class PendingReport:
    """One report. `began_at`, and the dates of its first and last attempt: Unix seconds."""

    identifier: str
    value_bytes: int
    customer_id: str
    began_at: int
    first_dated: int
    last_dated: int

    @property
    def minutes(self) -> tuple[int, int]:
        """The range of its possible dates, in whole minutes, Unix seconds."""
        return whole_minute(self.first_dated), whole_minute(self.last_dated) + MINUTE_SECONDS

    def must_be_searched(self, now: float) -> bool:
        """Whether Stripe might accept it twice if it was sent now."""
        return now - self.began_at >= DEDUPLICATED_SECONDS


@dataclass(frozen=True, slots=True)
class ReportedUsage:
    """The reported usage of a tenant, and the customer it was reported for.

    `landed_bytes` of `customer_id`, dated from `first_dated` to `last_dated`, `last_bytes` of them with the
    last report; `earlier_bytes` of the tenant's earlier customers. `period_bytes` of the landed usage is in
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
    pending: PendingReport | None = None

    @property
    def settled_bytes(self) -> int:
        """The usage that needs no further report."""
        return self.landed_bytes + self.waived_bytes + self.earlier_bytes

    def left_bytes(self, counted_bytes: int) -> int:
        """The part of `counted_bytes`, all usage ever counted, that has not landed, including a pending
        report."""
        return max(0, counted_bytes - self.settled_bytes)

    def used_bytes(self, counted_bytes: int, period_start: int) -> int:
        """The usage of the period from `period_start` on: landed in it, or still to be reported."""
        landed = self.period_bytes if self.period_start == period_start else 0
        return landed + self.left_bytes(counted_bytes)


def opened(
    reported: ReportedUsage, counted_bytes: int, customer_id: str, subscription_id: str
) -> ReportedUsage:
    """Start reporting for a new subscription, without a pending report: earlier usage is waived."""
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


def begun(reported: ReportedUsage, counted_bytes: int, period_start: int, now: float) -> ReportedUsage | None:
    """`reported` with a report of all remaining usage; None if nothing remains, or a report is pending."""
    value = reported.left_bytes(counted_bytes)
    if reported.pending or not value:
        return None
    at = max(int(now), period_start, whole_minute(reported.last_dated) + MINUTE_SECONDS)
    named = f"{reported.tenant}|{reported.customer_id}|{reported.settled_bytes}|{value}"
    identifier = sha256(named.encode()).hexdigest()[:32]
    return replace(reported, pending=PendingReport(identifier, value, reported.customer_id, int(now), at, at))


def dated_anew(
    reported: ReportedUsage, report: PendingReport, period_start: int, now: float
) -> ReportedUsage:
    """`reported` with the pending `report` dated now, to send it again."""
    at = max(int(now), period_start, report.last_dated)
    return replace(reported, pending=replace(report, last_dated=at))


def landed(reported: ReportedUsage, report: PendingReport, dated: int, period_start: int) -> ReportedUsage:
    """`reported` with the pending `report` known to be at Stripe; `dated`: its date, as far as known."""
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


def waived(reported: ReportedUsage, report: PendingReport) -> ReportedUsage:
    """`reported` with the pending `report` waived: its customer is deleted, so it can never be billed."""
    return replace(reported, waived_bytes=reported.waived_bytes + report.value_bytes, pending=None)


def withdrawn(reported: ReportedUsage, report: PendingReport) -> ReportedUsage:
    """`reported` with the pending `report` known not to be at Stripe, nor in flight: the next report contains
    it."""
    return replace(reported, last_dated=report.last_dated, pending=None)


def whole_minute(seconds: int) -> int:
    """The start of the minute of `seconds`, Unix seconds."""
    return seconds - seconds % MINUTE_SECONDS
