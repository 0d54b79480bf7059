"""Which rows have had their time: a decision from values to values.

A row is kept through the last day, in UTC, that its tenant's plan gives it, counted from the day of its
receipt, and is gone the day after. Rows lie in partitions by the day they were stamped with when they came,
so what is due is nearly always a whole partition. Where a plan has changed since, it is not:

- rows of a tenant who has a longer plan now stay when their partition's day is over: it is *thinned*;
- rows of a tenant who has a shorter plan now go before their partition's day: it is *shortened*.

Both rewrite the partition, which costs by its size and not by what goes, so all tenants go at one time.

See docs/adr/0014.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from functions.retention.limits import Limit, Limits
from functions.shared.tenancy import TenantId

ALARM_AFTER = timedelta(days=1)
"""What outlives its day by more than this means that purging does not work."""


@dataclass(frozen=True, slots=True)
class Partition:
    """All rows that expire on one day, whosever they are; `bytes` as compressed on disk."""

    expires_on: date
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Holding:
    """Rows of one tenant that were received on one day and lie in the partition of `expires_on`."""

    tenant: TenantId
    expires_on: date
    received_on: date
    rows: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Rows of `tenants` go if they were received before `day`, and stay if on it or later."""

    tenants: tuple[TenantId, ...]
    day: date


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A partition that `gone` rows leave, by `cuts`.

    `others_stay`: whether rows of tenants who are in no cut stay, as in a partition whose day is yet to come.
    """

    partition: Partition
    cuts: tuple[Cut, ...]
    others_stay: bool
    gone: int


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """Each in order of days. `keep`: partitions that nothing goes from.

    `overdue`: those of which some rows should have been gone for more than a day.
    """

    drop: tuple[Partition, ...]
    thin: tuple[Rewriting, ...]
    shorten: tuple[Rewriting, ...]
    keep: tuple[Partition, ...]
    overdue: tuple[Partition, ...]


def last_day(holding: Holding, limit: Limit | None) -> date:
    """The day through which the rows are kept; of a tenant that nobody knows, that of their stamp."""
    if limit is None:
        return holding.expires_on
    by_plan = holding.received_on + timedelta(days=limit.days)
    return by_plan if limit.binding else max(by_plan, holding.expires_on)


def plan(
    partitions: Iterable[Partition], holdings: Iterable[Holding], limits: Limits, today: date
) -> PurgePlan:
    """What to do on `today`, a day in UTC.

    `holdings` are all of partitions whose day is over, and, of the others, those of tenants that may have a
    shorter plan now. A partition without any goes whole when its day is over.
    """
    by_day: dict[date, list[Holding]] = defaultdict(list)
    for each in holdings:
        by_day[each.expires_on].append(each)
    drop, thin, shorten, keep, overdue = [], [], [], [], []
    for partition in sorted(partitions, key=lambda partition: partition.expires_on):
        due, stay = _parted(by_day[partition.expires_on], limits, today)
        over = partition.expires_on < today
        if over and not stay:
            drop.append(partition)
        elif over and due:
            thin.append(Rewriting(partition, _cuts(stay, limits, today), False, _rows(due)))
        elif due:
            shorten.append(Rewriting(partition, _cuts(due, limits, today), True, _rows(due)))
        else:
            keep.append(partition)
            continue
        if over and _due_since(partition, due, limits) + ALARM_AFTER < today:
            overdue.append(partition)
    return PurgePlan(tuple(drop), tuple(thin), tuple(shorten), tuple(keep), tuple(overdue))


def _parted(holdings: Iterable[Holding], limits: Limits, today: date) -> tuple[list[Holding], list[Holding]]:
    """Those that have had their time, and those that have not."""
    due: list[Holding] = []
    stay: list[Holding] = []
    for each in holdings:
        (due if last_day(each, limits.get(each.tenant)) < today else stay).append(each)
    return due, stay


def _due_since(partition: Partition, due: Iterable[Holding], limits: Limits) -> date:
    """The last day of the first that had to go; a partition that nobody looked into had its own."""
    return min((last_day(each, limits.get(each.tenant)) for each in due), default=partition.expires_on)


def _rows(holdings: Iterable[Holding]) -> int:
    return sum(each.rows for each in holdings)


def _cuts(holdings: Sequence[Holding], limits: Limits, today: date) -> tuple[Cut, ...]:
    """Where the rows of `holdings` are parted: the tenants of one limit together, the longest first."""
    by_days: dict[int, set[TenantId]] = defaultdict(set)
    for each in holdings:
        by_days[limits[each.tenant].days].add(each.tenant)
    return tuple(
        Cut(tuple(sorted(tenants)), today - timedelta(days=days))
        for days, tenants in sorted(by_days.items(), reverse=True)
    )
