"""Compare counted with stored rows, and reported with billed usage: pure functions.

A day's rows in our warehouse are its counted rows, less erased rows. Of erased rows the number is known, but
not the day. Differences are explained by batches: rows are stored on the day they carry, but counted on the
day in their object's key. These days differ when a client repeats a request after midnight with the same
`Idempotency-Key`. A complete batch with rows of another day than its key's has moved these rows, and explains
that part of the difference.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from functions.billing.reporting.reported_usage import ReportedUsage
from functions.billing.usage.usage_item import UsageDay
from functions.shared.batch_usage import UsageShare
from functions.shared.tenancy import TenantId

STILL_ADDING_UP_SECONDS = 3600
"""How long a landed report may be missing in Stripe's sums, which are eventually consistent."""

MAX_LISTED, MAX_BATCHES_LISTED = 100, 20
"""How many differences, and batches of each, a report lists: a DynamoDB item holds 400 KB."""

TenantDay = tuple[TenantId, date]


@dataclass(frozen=True, slots=True)
class BatchDiffers:
    """A batch with another number of the tenant's rows than in the ledger; `counted` 0: unknown to the
    ledger."""

    batch_id: str
    counted: int
    stored: int


@dataclass(frozen=True, slots=True)
class RowsDiffer:
    """A tenant's day with another number of rows than counted.

    `confirmed_bytes`: of complete batches; the other bytes of the day are in doubt.
    """

    tenant: TenantId
    day: date
    counted: int
    stored: int
    confirmed_bytes: int = 0
    batches: tuple[BatchDiffers, ...] = ()

    @property
    def rows(self) -> int:
        return abs(self.stored - self.counted)


@dataclass(frozen=True, slots=True)
class BytesDiffer:
    """A customer whose usage at Stripe differs from the reported usage."""

    tenant: TenantId
    reported: int
    billed: int

    @property
    def raw_bytes(self) -> int:
        return abs(self.billed - self.reported)


@dataclass(frozen=True, slots=True)
class ReconciliationResult:
    """The result of a reconciliation, for the days from `first` to `last`."""

    first: date
    last: date
    counted_rows: int
    stored_rows: int
    customers: int
    reported_bytes: int
    billed_bytes: int
    rows_differ: tuple[RowsDiffer, ...]
    bytes_differ: tuple[BytesDiffer, ...]

    @property
    def difference_rows(self) -> int:
        return sum(each.rows for each in self.rows_differ)

    @property
    def difference_bytes(self) -> int:
        return sum(each.raw_bytes for each in self.bytes_differ)

    def listed(self) -> "ReconciliationResult":
        """A copy with a limited number of differences; the sums above cover all of them."""
        rows = (
            replace(each, batches=each.batches[:MAX_BATCHES_LISTED]) for each in self.rows_differ[:MAX_LISTED]
        )
        return replace(self, rows_differ=tuple(rows), bytes_differ=self.bytes_differ[:MAX_LISTED])

    def as_json(self) -> dict[str, Any]:
        """With days as text; the sums cover all differences, the lists only the first ones."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self.listed()), default=date.isoformat))
        return {
            **plain,
            "days_differing": len(self.rows_differ),
            "difference_rows": self.difference_rows,
            "customers_differing": len(self.bytes_differ),
            "difference_bytes": self.difference_bytes,
        }


def rows_differ(days: Iterable[UsageDay], stored: Mapping[TenantDay, int]) -> list[RowsDiffer]:
    """The days on which the rows in our warehouse, `stored`, differ from the counted rows; in order."""
    counted = {(each.tenant, each.day): _expected(each) for each in days}
    return [
        RowsDiffer(*which, counted.get(which, 0), stored.get(which, 0))
        for which in sorted(counted.keys() | stored.keys())
        if counted.get(which, 0) != stored.get(which, 0)
    ]


def explained(
    difference: RowsDiffer,
    found: Mapping[str, Mapping[date, int]],
    shares: Mapping[str, tuple[UsageShare, ...]],
) -> RowsDiffer | None:
    """The part of `difference` that its batches do not explain; None if they explain all of it.

    `found`: the tenant's rows by batch and day, of all batches that may have rows of this day; `shares`:
    their shares in the ledger.
    """
    moved, confirmed_bytes, culprits = 0, 0, []
    for batch_id, days in sorted(found.items()):
        own = [each for each in shares.get(batch_id, ()) if each.tenant == difference.tenant]
        counted, stored = sum(each.rows for each in own), sum(days.values())
        if counted != stored:
            culprits.append(BatchDiffers(batch_id, counted, stored))
            continue
        of_day = [each for each in own if each.day == difference.day]
        moved += days.get(difference.day, 0) - sum(each.rows for each in of_day)
        confirmed_bytes += sum(each.raw_bytes for each in of_day)
    if difference.stored - moved == difference.counted:
        return None
    return RowsDiffer(
        difference.tenant,
        difference.day,
        difference.counted + moved,
        difference.stored,
        confirmed_bytes,
        tuple(culprits),
    )


def not_erased(differences: Iterable[RowsDiffer], erased: Callable[[TenantId], float]) -> list[RowsDiffer]:
    """Without the missing days of tenants whose missing rows do not exceed `erased`, their erased rows."""
    missing: dict[TenantId, list[RowsDiffer]] = defaultdict(list)
    remaining = []
    for each in differences:
        if each.stored < each.counted:
            missing[each.tenant].append(each)
        else:
            remaining.append(each)
    for tenant, days in missing.items():
        if sum(each.rows for each in days) > erased(tenant):
            remaining += days
    return remaining


def bytes_differ(reported: ReportedUsage, billed: int, now: float) -> BytesDiffer | None:
    """The difference between Stripe's and the reported usage, if any; a pending report may be included or
    not."""
    possible = {reported.landed_bytes}
    if reported.pending:
        possible.add(reported.landed_bytes + reported.pending.value_bytes)
    if now - reported.last_dated < STILL_ADDING_UP_SECONDS:
        possible.add(reported.landed_bytes - reported.last_bytes)
    if billed in possible:
        return None
    return BytesDiffer(reported.tenant, reported.landed_bytes, billed)


def _expected(day: UsageDay) -> int:
    return day.rows - day.own_rows
