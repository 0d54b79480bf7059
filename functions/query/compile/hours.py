"""Conditions and counts by whole hours, from the projection `counts_by_hour` of the events table. Pure.

The projection has the number of rows for each tenant, hour, project, service and level, in every part. So the
engine counts a month from a few thousand rows, exactly, and reads the rows of a part that lacks it.

The hours of a table begin at whole hours in its own time zone, which for a customer's table may not be UTC.
So an hour counts when it is inside of a range, wherever it begins. functions.query.compile.counted decides
what is counted this way.
"""
# ruff: noqa: S608 - the text has only our names; a caller's values are bound (functions.query.bindings)

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.query.bindings import Bindings
from functions.query.results.row_order import PageRange
from functions.query.times import NANOSECONDS

HOUR_NS = 3600 * NANOSECONDS
LAST_HOUR_NS = 1_193_000 * HOUR_NS
"""2106-02-05: hours are of type DateTime, which ends two days later."""

LONG_RANGE_NS = 24 * HOUR_NS
"""To narrow a longer range is worth the 5 ms that the counts take."""

HOUR = "toStartOfHour(timestamp)"
"""The projection's own expression; another one of the same value would not use it."""

TIME_NANOSECONDS = "toUnixTimestamp64Nano(timestamp)"
HOUR_NANOSECONDS = f"(toInt64(toUnixTimestamp({HOUR})) * {NANOSECONDS})"
"""The start of a row's hour, in nanoseconds since 1970."""

_HOURS_OF_UTC = "timezoneOf(timestamp) = 'UTC'"
"""A constant of the table. Elsewhere an hour may belong to two buckets, and all rows count as edges."""


@dataclass(frozen=True, slots=True)
class WholeHours:
    """The hours from `first` (inclusive) to `end` (exclusive), nanoseconds since 1970.

    `alone`: the range has no other events, and the table's hours are those of UTC.
    """

    first: int
    end: int
    alone: bool = False

    def condition(self, bindings: Bindings) -> str:
        """SQL: the row's hour is one of them."""
        first, last = bindings.instant(self.first), bindings.instant(self.end - HOUR_NS)
        return f"{HOUR} >= {first} AND {HOUR} <= {last}"


def whole_hours(since: int, until: int) -> WholeHours | None:
    """The whole hours from `since` to `until`; None if there are none that the projection can count."""
    first = max(-(-since // HOUR_NS), 1) * HOUR_NS
    end = until // HOUR_NS * HOUR_NS
    return WholeHours(first, end) if first < end <= LAST_HOUR_NS else None


def by_hours_and_edges(
    hours: WholeHours, conditions: Sequence[str], bindings: Bindings, select: Callable[[str, str], str]
) -> str:
    """The SELECTs of whole hours and of the events around them, which together have each event once.

    Only that of whole hours if they are alone: the plan of a second SELECT takes 5 ms, even of no events.

    `conditions`: those of functions.query.compile.base_conditions.
    `select`: makes a SELECT of an event's time in nanoseconds and a condition.
    """
    tenant_filter, since, until, found = conditions
    if hours.alone:
        return select(HOUR_NANOSECONDS, f"{tenant_filter} AND {hours.condition(bindings)} AND {found}")
    first, end = bindings.instant(hours.first), bindings.instant(hours.end)
    whole = f"{tenant_filter} AND {hours.condition(bindings)} AND {_HOURS_OF_UTC} AND {found}"
    edges = (
        f"{tenant_filter} AND {since} AND {until} "
        f"AND (timestamp < {first} OR timestamp >= {end} OR NOT {_HOURS_OF_UTC}) AND {found}"
    )
    return f"{select(HOUR_NANOSECONDS, whole)} UNION ALL {select(TIME_NANOSECONDS, edges)}"


def page_hours(since: int, until: int, wanted: PageRange) -> WholeHours | None:
    """The hours that are counted to find where a page ends; None if the range is not long.

    The hours of the row in the cursor are left out, because some of their rows were returned.
    """
    if wanted.after is not None:
        at = wanted.after.instant
        since, until = (at + 1, until) if wanted.order == "asc" else (since, min(until, at))
    hours = whole_hours(since, until)
    return hours if hours and hours.end - hours.first > LONG_RANGE_NS else None


def hour_counts(hours: WholeHours, matching: str, bindings: Bindings) -> str:
    """The SELECT of each hour and its number of events.

    `matching`: SQL of the tenant and of a filter that `are_counted`, without the time.
    """
    return (
        f"SELECT {HOUR} AS hour, count() AS events FROM events WHERE {matching} "
        f"AND {hours.condition(bindings)} GROUP BY hour"
    )


def narrowed(until: int, hours: WholeHours, wanted: PageRange, matching: str, bindings: Bindings) -> str:
    """A condition on the time that the rows of a page meet: the first of its hours that have enough rows.

    `hours`: of `page_hours`; `matching` as in `hour_counts`.
    """
    counts = hour_counts(hours, matching, bindings)
    upto = f"SELECT hour, sum(events) OVER (ORDER BY hour {wanted.order.upper()}) AS upto FROM ({counts})"
    enough = f"FROM ({upto}) WHERE upto >= {wanted.size}"
    if wanted.order == "desc":
        # Without enough rows the maximum is 1970.
        return f"timestamp >= (SELECT toDateTime64(max(hour), 9, 'UTC') {enough})"
    end = bindings.instant(until)
    return (
        f"timestamp < (SELECT if(count() = 0, {end}, toDateTime64(min(hour), 9, 'UTC') + toIntervalHour(1)) "
        f"{enough})"
    )
