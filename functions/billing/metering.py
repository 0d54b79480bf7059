"""From batches that are done to what is added to whose usage: a pure plan of small transactions.

Each transaction counts some shares of some batches and says so on these batches, so that whoever comes later,
after a crash or at the same time, finds what is counted and what is not: a share is counted once
(docs/adr/0012). Many batches go into one transaction, for a busy tenant is in each of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from functions.shared.tenancy import TenantId
from functions.shared.usage import Share

MAX_WRITES = 90
"""DynamoDB takes 100 in a transaction."""


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A batch that is done. `counted`: how many of its shares, in their order, are counted already.

    `own`: it went into the tenant's own cloud.
    """

    batch_id: str
    shares: tuple[Share, ...]
    counted: int = 0
    own: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Of a batch whose first `before` shares were counted, the first `after` are; `last`: these are all."""

    batch_id: str
    before: int
    after: int
    last: bool


@dataclass(slots=True)
class Sums:
    """Rows and raw bytes, and what of them went into the tenant's own cloud."""

    rows: int = 0
    raw_bytes: int = 0
    own_rows: int = 0
    own_bytes: int = 0

    def add(self, share: Share, *, own: bool) -> None:
        self.rows += share.rows
        self.raw_bytes += share.raw_bytes
        if own:
            self.own_rows += share.rows
            self.own_bytes += share.raw_bytes


@dataclass(slots=True)
class Count:
    """One transaction: the marks it makes, and what it adds to each tenant's days."""

    marks: list[Mark] = field(default_factory=list)
    days: dict[tuple[TenantId, date], Sums] = field(default_factory=dict)

    @property
    def totals(self) -> dict[TenantId, Sums]:
        """What it adds to each tenant's total."""
        totals: dict[TenantId, Sums] = {}
        for (tenant, _), day in self.days.items():
            total = totals.setdefault(tenant, Sums())
            total.rows += day.rows
            total.raw_bytes += day.raw_bytes
        return totals

    @property
    def writes(self) -> int:
        """How many items it changes."""
        return len(self.marks) + len(self.days) + len({tenant for tenant, _ in self.days})

    def has_room_for(self, share: Share) -> bool:
        """Whether `share` fits in, with a mark for its batch."""
        new_day = (share.tenant, share.day) not in self.days
        new_tenant = new_day and all(tenant != share.tenant for tenant, _ in self.days)
        return self.writes + new_day + new_tenant + 1 <= MAX_WRITES

    def take(self, batch: Uncounted, before: int) -> int:
        """Take in as many of the batch's shares from `before` on as there is room for; where it ends."""
        after = before
        for share in batch.shares[before:]:
            if not self.has_room_for(share):
                break
            self.days.setdefault((share.tenant, share.day), Sums()).add(share, own=batch.own)
            after += 1
        if after > before:
            self.marks.append(Mark(batch.batch_id, before, after, last=after == len(batch.shares)))
        return after


def plan(batches: Iterable[Uncounted]) -> list[Count]:
    """Counts that together take in every uncounted share of `batches`, in their order."""
    counts = [Count()]
    for batch in batches:
        counted = batch.counted
        while (counted := counts[-1].take(batch, counted)) < len(batch.shares):
            counts.append(Count())
    return [count for count in counts if count.marks]
