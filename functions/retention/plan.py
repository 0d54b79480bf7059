"""Decide which rows are past retention. Pure.

A row is kept through the last day, in UTC, that its tenant's plan gives it, counted from the day of its
receipt, and is gone the day after. Rows are in partitions by the expiry day with which they were stamped on
arrival, so what is expired is nearly always a whole partition. If a plan has changed since, it is not:

- rows of a tenant who has a longer plan now stay when their partition's day is over: the partition is
  *thinned*;
- rows of a tenant who has a shorter plan now go before their partition's day: the partition is *shortened*.

Both rewrite the partition. The cost depends on the size of the partition and not on the rows removed, so the
rows of all tenants are removed at once.

See docs/adr/0014.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from functions.retention.limits import Limit, Limits
from functions.shared.tenancy import TenantId

ALARM_AFTER = timedelta(days=1)
"""Rows that exceed their expiry day by more than this mean that purging does not work."""


@dataclass(frozen=True, slots=True)
class Partition:
    """All rows that expire on one day, of all tenants; `bytes` as compressed on disk."""

    expires_on: date
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class TenantRows:
    """Rows of one tenant that were received on one day and are in the partition of `expires_on`."""

    tenant: TenantId
    expires_on: date
    received_on: date
    rows: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Rows of `tenants` are removed if received before `day`, and stay if received on it or later."""

    tenants: tuple[TenantId, ...]
    day: date


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A partition from which `gone` rows are removed, according to `cuts`.

    `others_stay`: whether rows of tenants without a cut stay, as in a partition whose day is not over.
    """

    partition: Partition
    cuts: tuple[Cut, ...]
    others_stay: bool
    gone: int


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """Each list is in order of days. `keep`: partitions from which nothing is removed.

    `overdue`: partitions with rows that should have been gone for more than a day.
    """

    drop: tuple[Partition, ...]
    thin: tuple[Rewriting, ...]
    shorten: tuple[Rewriting, ...]
    keep: tuple[Partition, ...]
    overdue: tuple[Partition, ...]


def last_day(group: TenantRows, limit: Limit | None) -> date:
    """The day through which the rows are kept; for an unknown tenant, the day of their stamp."""
    if limit is None:
        return group.expires_on
    by_plan = group.received_on + timedelta(days=limit.days)
    return by_plan if limit.binding else max(by_plan, group.expires_on)


def plan(
    partitions: Iterable[Partition], groups: Iterable[TenantRows], limits: Limits, today: date
) -> PurgePlan:
    """What to do on `today`, a day in UTC.

    `groups`: all rows in partitions whose day is over, and in the other partitions the rows of tenants that
    may have a shorter plan now. A partition without any rows is dropped when its day is over.
    """
    by_day: dict[date, list[TenantRows]] = defaultdict(list)
    for each in groups:
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


def _parted(
    groups: Iterable[TenantRows], limits: Limits, today: date
) -> tuple[list[TenantRows], list[TenantRows]]:
    """The expired ones of `groups`, and the others."""
    due: list[TenantRows] = []
    stay: list[TenantRows] = []
    for each in groups:
        (due if last_day(each, limits.get(each.tenant)) < today else stay).append(each)
    return due, stay


def _due_since(partition: Partition, due: Iterable[TenantRows], limits: Limits) -> date:
    """The last day of the first rows that had to go; that of the partition if `due` is empty."""
    return min((last_day(each, limits.get(each.tenant)) for each in due), default=partition.expires_on)


def _rows(groups: Iterable[TenantRows]) -> int:
    return sum(each.rows for each in groups)


def _cuts(groups: Sequence[TenantRows], limits: Limits, today: date) -> tuple[Cut, ...]:
    """The cuts that divide the rows of `groups`: one for all tenants of a limit, the longest first."""
    by_days: dict[int, set[TenantId]] = defaultdict(set)
    for each in groups:
        by_days[limits[each.tenant].days].add(each.tenant)
    return tuple(
        Cut(tuple(sorted(tenants)), today - timedelta(days=days))
        for days, tenants in sorted(by_days.items(), reverse=True)
    )
