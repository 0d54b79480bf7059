"""Decide which results are counted by whole hours instead of by rows. Pure, and the only place that does.

The projection `counts_by_hour` has the number of events by level, service, project and hour, no more. So a
result is counted if its filter and its groups need nothing else, and if an hour is never in two groups.
functions.query.compile.hours makes the statement, whose result is that of the rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from functions.query.compile.hours import HOUR_NS, WholeHours, whole_hours
from functions.query.language.syntax_tree import (
    Aggregate,
    AllOf,
    ContainsWordLike,
    ContainsWords,
    Equals,
    Everything,
    ExtractPipe,
    FieldRef,
    FieldsPipe,
    Filter,
    GroupKey,
    Pipe,
    SortPipe,
    StatsPipe,
    TimeBucket,
    TopPipe,
    WherePipe,
)
from functions.query.language.walk import conditions
from functions.query.times import NANOSECONDS

SERVICE = FieldRef("column", "service")
COUNTED_FIELDS = frozenset({FieldRef("column", "level"), SERVICE, FieldRef("column", "project_id")})

MIN_COUNTED_HOURS = 12
"""Counts of a shorter range are made of its rows: two statements in one take 4 ms more than one.

It does not hold for whole hours that are alone."""


def hours_of_values(
    since: int, until: int, found: Filter, fields: Iterable[FieldRef] = (), *, in_utc: bool = False
) -> WholeHours | None:
    """The whole hours of a range whose events are counted by the values of `fields`; None to count rows.

    `in_utc`: the table is our own, whose times are in UTC.
    """
    hours = whole_hours(since, until)
    if hours is None or not are_counted(found) or not COUNTED_FIELDS.issuperset(fields):
        return None
    if in_utc and (hours.first, hours.end) == (since, until):
        return replace(hours, alone=True)
    return hours if hours.end - hours.first >= MIN_COUNTED_HOURS * HOUR_NS else None


def hours_of_buckets(
    since: int,
    until: int,
    found: Filter,
    starts: Iterable[int],
    fields: Iterable[FieldRef] = (),
    *,
    in_utc: bool = False,
) -> WholeHours | None:
    """The same by the buckets at `starts`, too: only if each hour of UTC is in one bucket."""
    if any(start % HOUR_NS for start in starts):
        return None
    return hours_of_values(since, until, found, fields, in_utc=in_utc)


def hours_of_table(
    since: int, until: int, found: Filter, pipes: Sequence[Pipe], *, in_utc: bool = False
) -> WholeHours | None:
    """The whole hours that the first `stats` or `top` of `pipes` counts; None if it needs the rows."""
    for pipe in pipes:
        match pipe:
            case WherePipe() if not are_counted(pipe.filter):
                return None
            case WherePipe() | SortPipe() | FieldsPipe() | ExtractPipe():
                continue  # the events are the same, or those of a counted filter
            case StatsPipe() if _counts_only(pipe.aggregates) and all(map(_is_counted_key, pipe.by)):
                return hours_of_values(since, until, found, in_utc=in_utc)
            case TopPipe():
                return hours_of_values(since, until, found, pipe.fields, in_utc=in_utc)
            case _:
                return None
    return None


def are_counted(found: Filter) -> bool:
    """Whether the projection has all columns that the filter needs."""
    return all(_is_counted(each) for each in conditions(found))


def narrows_pages(found: Filter) -> bool:
    """Whether hours are counted to find where a page of such events ends.

    The table is in the order of services and times, so the first rows of one service are read in order.
    """
    parts = found.operands if isinstance(found, AllOf) else (found,)
    return are_counted(found) and not any(
        isinstance(each, Equals) and each.field == SERVICE and len(each.values) == 1 for each in parts
    )


def _is_counted(condition: Filter) -> bool:
    if isinstance(condition, Everything):
        return True
    if isinstance(condition, ContainsWords | ContainsWordLike):
        return False
    return getattr(condition, "field", None) in COUNTED_FIELDS


def _counts_only(aggregates: Iterable[Aggregate]) -> bool:
    return all(each.function == "count" and each.field is None for each in aggregates)


def _is_counted_key(key: GroupKey) -> bool:
    if isinstance(key, TimeBucket):
        return key.seconds * NANOSECONDS % HOUR_NS == 0
    return key.field in COUNTED_FIELDS
