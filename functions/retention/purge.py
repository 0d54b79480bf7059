"""One run of the purge: remove what is expired, each partition independently, and report what was done."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Protocol

from functions.retention.limits import Limits
from functions.retention.plan import Partition, PurgePlan, Rewriting, TenantRows, plan
from functions.shared import journal
from functions.shared.errors import AstralogError
from functions.shared.tenancy import TenantId


class PartitionStore(Protocol):
    """Stored logs in partitions, one for each expiry day; see functions.retention.partitions."""

    def all(self) -> list[Partition]:
        """Every partition that holds rows."""

    def expired(self, today: date) -> list[TenantRows]:
        """The rows in partitions whose day is over, by tenant and day of receipt."""

    def of(self, tenants: Sequence[TenantId], today: date) -> list[TenantRows]:
        """The rows of `tenants` in partitions whose day is not over, by tenant and day of receipt."""

    def oldest_received(self) -> str | None:
        """When the oldest stored row was received; None if there is none."""

    def drop(self, partition: Partition) -> None:
        """Drop every row of `partition`; one that is already gone is not an error."""

    def rewrite(self, rewritings: Sequence[Rewriting]) -> None:
        """Remove the rows to remove from each of the partitions; on return they are gone."""


@dataclass(frozen=True, slots=True)
class PurgeResult:
    """What a run did.

    `partitions` were dropped whole, `thinned` kept only the rows of tenants who have a longer plan now,
    `shortened` lost the rows of tenants who have a shorter one. `rows` and `bytes` are the total removed.
    `failed` partitions are unchanged, or their state is unknown, which may apply to all that are left. For
    `undone` no time was left. `overdue` have rows that should have been gone for more than a day.
    `oldest_left` is the first expiry day that still has rows; `oldest_received` is when the oldest row left
    was received, if the run removed anything.
    """

    partitions: int
    thinned: int
    shortened: int
    rows: int
    bytes: int
    failed: int
    undone: int
    overdue: int
    oldest_left: str | None
    oldest_received: str | None

    @property
    def is_notable(self) -> bool:
        return bool(self.rows or self.failed or self.undone or self.overdue)


def purge(
    store: PartitionStore,
    today: date,
    limits: Limits,
    shortened: Sequence[TenantId] = (),
    has_time: Callable[[], bool] = lambda: True,
) -> PurgeResult:
    """Remove the rows whose last day is before `today`, a day in UTC.

    A removal that fails does not stop the others. `shortened`: tenants who may have rows that were stamped
    with a longer plan than their current one. `has_time`: asked before each removal whether there is time
    for it.
    """
    before = store.all()
    over = any(partition.expires_on < today for partition in before)
    expired = store.expired(today) if over else []
    planned = plan(before, [*expired, *store.of(shortened, today)], limits, today)
    rewritten = (*planned.thin, *planned.shorten)
    tally = _PurgeRun(has_time)
    for partition in planned.drop:
        tally.remove({partition.expires_on: partition.rows}, partial(store.drop, partition))
    if rewritten:
        going = {each.partition.expires_on: each.gone for each in rewritten}
        tally.remove(going, partial(store.rewrite, rewritten))

        def left() -> set[date]:
            found = [*(store.expired(today) if planned.thin else ()), *store.of(shortened, today)]
            again = plan(before, found, limits, today)
            return {each.partition.expires_on for each in (*again.thin, *again.shorten)}

        tally.verify(going, left)
    return _result(store, planned, before, tally)


@dataclass(slots=True)
class _PurgeRun:
    """The outcome for each partition of a plan, by its day."""

    has_time: Callable[[], bool]
    done: dict[date, int] = field(default_factory=dict)
    failed: set[date] = field(default_factory=set)
    undone: set[date] = field(default_factory=set)

    def remove(self, going: Mapping[date, int], remove: Callable[[], None]) -> None:
        """Remove the rows in `going`, a number for each day; all of them or none."""
        if not self.has_time():
            self.undone |= going.keys()
            return
        try:
            remove()
        except AstralogError as fault:
            for day in going:
                self._failed(day, type(fault).__name__, str(fault))
            return
        for day, rows in going.items():
            self.done[day] = rows
            journal.write("purged", expires_on=day.isoformat(), rows=rows)

    def verify(self, going: Iterable[date], left: Callable[[], set[date]]) -> None:
        """Read which of the days from which rows were removed still have rows `left`, or have new ones."""
        try:
            days, error_type, reason = left(), "RowsLeft", "rows are left of those that were removed"
        except AstralogError as fault:
            days, error_type, reason = set(going), type(fault).__name__, str(fault)
        for day in days:
            if self.done.pop(day, None) is not None:
                self._failed(day, error_type, reason)

    def _failed(self, day: date, error_type: str, reason: str) -> None:
        self.failed.add(day)
        journal.write("purge_failed", expires_on=day.isoformat(), error_type=error_type, reason=reason)


def _result(
    store: PartitionStore, planned: PurgePlan, before: Sequence[Partition], tally: _PurgeRun
) -> PurgeResult:
    dropped = tally.done.keys() & {each.expires_on for each in planned.drop}
    oldest_received, unseen = None, 0
    try:
        after = {each.expires_on: each for each in (store.all() if tally.done else before)}
        oldest_received = store.oldest_received() if tally.done else None
    except AstralogError as fault:
        # Report now what was removed: the next run cannot see it.
        journal.write("purge_failed", error_type=type(fault).__name__, reason=str(fault))
        after, unseen = {each.expires_on: each for each in before if each.expires_on not in dropped}, 1
    freed = sum(
        # If rows arrived meanwhile, a partition may have grown.
        max(each.bytes - (after[each.expires_on].bytes if each.expires_on in after else 0), 0)
        for each in before
        if each.expires_on in tally.done
    )
    return PurgeResult(
        partitions=len(dropped),
        thinned=sum(each.partition.expires_on in tally.done for each in planned.thin),
        shortened=sum(each.partition.expires_on in tally.done for each in planned.shorten),
        rows=sum(tally.done.values()),
        bytes=freed,
        failed=len(tally.failed) + unseen,
        undone=len(tally.undone),
        overdue=sum(each.expires_on not in tally.done for each in planned.overdue),
        oldest_left=min(after).isoformat() if after else None,
        oldest_received=oldest_received,
    )
