"""Plan small transactions that add done batches to the usage of tenants: pure functions.

Each transaction counts some shares of some batches and records this on these batches. So a later or
concurrent run knows which shares are counted, and each share is counted once (docs/adr/0012). One transaction
covers many batches, because a busy tenant is in each of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from functions.shared.batch_usage import UsageShare
from functions.shared.tenancy import TenantId

MAX_WRITES = 90
"""DynamoDB accepts 100 items in a transaction."""


@dataclass(frozen=True, slots=True)
class UncountedBatch:
    """A done batch. `counted`: how many of its shares, in their order, are counted already.

    `own`: it was loaded into the tenant's own ClickHouse (BYOC).
    """

    batch_id: str
    shares: tuple[UsageShare, ...]
    counted: int = 0
    own: bool = False


@dataclass(frozen=True, slots=True)
class CountedMark:
    """Records that the first `after` shares are counted, `before` of them earlier; `last`: these are all."""

    batch_id: str
    before: int
    after: int
    last: bool


@dataclass(slots=True)
class UsageSums:
    """Rows and raw bytes, and the part of them in the tenant's own ClickHouse (BYOC)."""

    rows: int = 0
    raw_bytes: int = 0
    own_rows: int = 0
    own_bytes: int = 0

    def add(self, share: UsageShare, *, own: bool) -> None:
        self.rows += share.rows
        self.raw_bytes += share.raw_bytes
        if own:
            self.own_rows += share.rows
            self.own_bytes += share.raw_bytes


@dataclass(slots=True)
class CountTransaction:
    """One transaction: its marks, and the sums it adds to each tenant's days."""

    marks: list[CountedMark] = field(default_factory=list)
    days: dict[tuple[TenantId, date], UsageSums] = field(default_factory=dict)

    @property
    def totals(self) -> dict[TenantId, UsageSums]:
        """The sums it adds to each tenant's total."""
        totals: dict[TenantId, UsageSums] = {}
        for (tenant, _), day in self.days.items():
            total = totals.setdefault(tenant, UsageSums())
            total.rows += day.rows
            total.raw_bytes += day.raw_bytes
        return totals

    @property
    def writes(self) -> int:
        """The number of items it writes."""
        return len(self.marks) + len(self.days) + len({tenant for tenant, _ in self.days})

    def has_room_for(self, share: UsageShare) -> bool:
        """Whether `share` fits in, with a mark for its batch."""
        new_day = (share.tenant, share.day) not in self.days
        new_tenant = new_day and all(tenant != share.tenant for tenant, _ in self.days)
        return self.writes + new_day + new_tenant + 1 <= MAX_WRITES

    def take(self, batch: UncountedBatch, before: int) -> int:
        """Add as many of the batch's shares from `before` on as fit; returns the index of the next share."""
        after = before
        for share in batch.shares[before:]:
            if not self.has_room_for(share):
                break
            self.days.setdefault((share.tenant, share.day), UsageSums()).add(share, own=batch.own)
            after += 1
        if after > before:
            self.marks.append(CountedMark(batch.batch_id, before, after, last=after == len(batch.shares)))
        return after


def plan_transactions(batches: Iterable[UncountedBatch]) -> list[CountTransaction]:
    """Counts that together cover every uncounted share of `batches`, in their order."""
    counts = [CountTransaction()]
    for batch in batches:
        counted = batch.counted
        while (counted := counts[-1].take(batch, counted)) < len(batch.shares):
            counts.append(CountTransaction())
    return [count for count in counts if count.marks]
