"""Plan small transactions that add done batches to the usage of tenants: pure functions.

Each transaction counts some shares of some batches and records this on the entries of the ledger that name
the batches. So a later or concurrent run knows which shares are counted, and each share is counted once
(docs/adr/0012). One transaction covers many batches, because a busy tenant is in each of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from functions.shared.batch_usage import UsageShare
from functions.shared.tenancy import TenantId

MAX_WRITES = 90
"""DynamoDB accepts 100 items in a transaction."""


@dataclass(frozen=True, slots=True)
class CountedPart:
    """What is counted of an entry: so many whole batches, and so many shares of the next one."""

    batches: int = 0
    shares: int = 0


@dataclass(frozen=True, slots=True)
class UncountedEntry:
    """An entry of the ledger with done batches: a page of the commit log, or one batch of an earlier version.

    `batches`: the shares of each batch that is not wholly counted, in the entry's order.
    `own`: they were loaded into the tenant's own ClickHouse (BYOC).
    """

    entry: str
    batches: tuple[tuple[UsageShare, ...], ...]
    counted: CountedPart = CountedPart()
    own: bool = False

    @property
    def end(self) -> CountedPart:
        """What is counted once everything is."""
        return CountedPart(self.counted.batches + len(self.batches))

    def next_shares(self, counted: CountedPart) -> tuple[UsageShare, ...]:
        """The shares after `counted` of the batch that they belong to."""
        return self.batches[counted.batches - self.counted.batches][counted.shares :]


@dataclass(frozen=True, slots=True)
class CountedMark:
    """Records on an entry what is counted of it after a transaction; `last`: these are all its batches."""

    entry: str
    before: CountedPart
    after: CountedPart
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
        """Whether `share` fits in, with a mark for its entry."""
        new_day = (share.tenant, share.day) not in self.days
        new_tenant = new_day and all(tenant != share.tenant for tenant, _ in self.days)
        return self.writes + new_day + new_tenant + 1 <= MAX_WRITES

    def take(self, entry: UncountedEntry, before: CountedPart) -> CountedPart:
        """Add as many of the entry's shares after `before` as fit; returns what is counted of it then."""
        if self.writes == MAX_WRITES:
            return before
        after = before
        while after != entry.end:
            shares = entry.next_shares(after)
            taken = self._add(shares, own=entry.own)
            if taken < len(shares):
                after = CountedPart(after.batches, after.shares + taken)
                break
            after = CountedPart(after.batches + 1)
        if after != before:
            self.marks.append(CountedMark(entry.entry, before, after, last=after == entry.end))
        return after

    def _add(self, shares: Iterable[UsageShare], *, own: bool) -> int:
        """Add the first of `shares` that fit; returns how many."""
        taken = 0
        for share in shares:
            if not self.has_room_for(share):
                break
            self.days.setdefault((share.tenant, share.day), UsageSums()).add(share, own=own)
            taken += 1
        return taken


def plan_transactions(entries: Iterable[UncountedEntry]) -> list[CountTransaction]:
    """Counts that together cover every uncounted share of `entries`, in their order."""
    counts = [CountTransaction()]
    for entry in entries:
        counted = entry.counted
        while (counted := counts[-1].take(entry, counted)) != entry.end:
            counts.append(CountTransaction())
    return [count for count in counts if count.marks]
