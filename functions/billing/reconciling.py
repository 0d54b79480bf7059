"""What was counted against what is there, and what was told against what Stripe has: pure.

A day's rows in our warehouse are those that were counted for it, less those that an erasure took out; of
these it is known how many there are, and not of which day. Where they differ the batches say why. Rows are
stored on the day they carry, and counted on the day their object's key names; these differ when a client
repeats a request after midnight under the same `Idempotency-Key`. A batch that is whole, with rows of another
day than its key says, has moved them and explains that much.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from functions.billing.reporting import Reported
from functions.billing.usage_item import Day
from functions.shared.tenancy import TenantId
from functions.shared.usage import Share

STILL_ADDING_UP_SECONDS = 3600
"""So long a report that has landed may be missing in Stripe's sums, which are consistent eventually."""

MAX_TOLD, MAX_BATCHES_TOLD = 100, 20
"""How many differences, and batches of each, a report names: DynamoDB keeps 400 KB of it."""

TenantsDay = tuple[TenantId, date]


@dataclass(frozen=True, slots=True)
class BatchDiffers:
    """A batch that has not as many of the tenant's rows as the ledger says; `counted` 0: it is unknown."""

    batch_id: str
    counted: int
    stored: int


@dataclass(frozen=True, slots=True)
class RowsDiffer:
    """A tenant's day on which another number of rows is there than was counted.

    `confirmed_bytes`: of the batches that are whole; the rest of the day's bytes is in doubt.
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
    """A customer of whom Stripe has other usage than was told."""

    tenant: TenantId
    told: int
    billed: int

    @property
    def raw_bytes(self) -> int:
        return abs(self.billed - self.told)


@dataclass(frozen=True, slots=True)
class Found:
    """What a reconciliation has found, of the days from `first` to `last`."""

    first: date
    last: date
    counted_rows: int
    stored_rows: int
    customers: int
    told_bytes: int
    billed_bytes: int
    rows_differ: tuple[RowsDiffer, ...]
    bytes_differ: tuple[BytesDiffer, ...]

    @property
    def difference_rows(self) -> int:
        return sum(each.rows for each in self.rows_differ)

    @property
    def difference_bytes(self) -> int:
        return sum(each.raw_bytes for each in self.bytes_differ)

    def told(self) -> "Found":
        """With as many differences as are told one by one; the sums above are those of all."""
        rows = (
            replace(each, batches=each.batches[:MAX_BATCHES_TOLD]) for each in self.rows_differ[:MAX_TOLD]
        )
        return replace(self, rows_differ=tuple(rows), bytes_differ=self.bytes_differ[:MAX_TOLD])

    def as_json(self) -> dict[str, Any]:
        """With days as text; all that differs in sums, and of what differs the first."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self.told()), default=date.isoformat))
        return {
            **plain,
            "days_differing": len(self.rows_differ),
            "difference_rows": self.difference_rows,
            "customers_differing": len(self.bytes_differ),
            "difference_bytes": self.difference_bytes,
        }


def rows_differ(days: Iterable[Day], stored: Mapping[TenantsDay, int]) -> list[RowsDiffer]:
    """The days on which `stored`, rows in our warehouse, is not what was counted; in order."""
    counted = {(each.tenant, each.day): _expected(each) for each in days}
    return [
        RowsDiffer(*which, counted.get(which, 0), stored.get(which, 0))
        for which in sorted(counted.keys() | stored.keys())
        if counted.get(which, 0) != stored.get(which, 0)
    ]


def explained(
    difference: RowsDiffer,
    found: Mapping[str, Mapping[date, int]],
    shares: Mapping[str, tuple[Share, ...]],
) -> RowsDiffer | None:
    """What of `difference` remains when its batches are looked at; None when that is nothing.

    `found`: the tenant's rows by batch and day, of all batches that may have rows of this day; `shares`: what
    the ledger says of these.
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
    """Less the days of tenants of whom no more rows are missing than `erased`, how many an erasure took."""
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


def bytes_differ(reported: Reported, billed: int, now: float) -> BytesDiffer | None:
    """Whether Stripe has something else than was told; a pending report may be there or not."""
    possible = {reported.landed_bytes}
    if reported.pending:
        possible.add(reported.landed_bytes + reported.pending.value_bytes)
    if now - reported.last_dated < STILL_ADDING_UP_SECONDS:
        possible.add(reported.landed_bytes - reported.last_bytes)
    if billed in possible:
        return None
    return BytesDiffer(reported.tenant, reported.landed_bytes, billed)


def _expected(day: Day) -> int:
    return day.rows - day.own_rows
