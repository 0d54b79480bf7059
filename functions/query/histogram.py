"""`POST /v1/histogram`: how many events each interval of time has, in all or for each value of a field.

Buckets without events are there. With `split_by`, a first statement counts the values, so that the second
has few groups however many values there are. Levels are known without it, unless a customer's table has
others. Counts of both stores of an account add up.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from functions.query import times
from functions.query.bindings import Bindings
from functions.query.compile import Statement, base_conditions, checked
from functions.query.compile.counted import hours_of_buckets, hours_of_values
from functions.query.compile.counts import MAX_CANDIDATES, bucket_counts, value_counts
from functions.query.counting.field_names import field_named
from functions.query.counting.intervals import (
    DAY,
    MAX_BUCKETS,
    Interval,
    auto_interval,
    bucket_starts,
    width_ns,
)
from functions.query.language.syntax_tree import FieldRef, Filter
from functions.query.limits import budget
from functions.query.requests.request import FilterBody, search_filter, time_range
from functions.query.requests.route_call import RouteCall
from functions.query.requests.time_zones import time_zone
from functions.query.results.cursor import Store
from functions.query.results.statistics import (
    EngineStatistics,
    HasStatistics,
    SearchStats,
    cost_of_steps,
    stats_of,
)
from functions.query.results.table_rows import MAX_RESULT_BYTES
from functions.query.searching.search_stores import SearchStores
from functions.query.stats import MAX_STATEMENT_CHARACTERS, STATS_SETTINGS
from functions.shared.events.levels import CANONICAL
from functions.shared.forms import decoded, invalid
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import UnusableAnswerError

MAX_GROUPS = 20
DEFAULT_GROUPS = 10

Value = str | None
"""A value of the field that splits; None for events without it."""

LEVEL = FieldRef("column", "level")


class HistogramBody(FilterBody, forbid_unknown_fields=True):
    """The request body. `store`: of an account that has logs in two (docs/byoc.md); both by default."""

    interval: Literal["auto", Interval] = "auto"
    split_by: Annotated[str, Meta(min_length=1, max_length=1024)] | None = None
    groups: Annotated[int, Meta(ge=1, le=MAX_GROUPS)] = DEFAULT_GROUPS
    store: Store | None = None


@dataclass(frozen=True, slots=True)
class HistogramRequest:
    """A validated request. `starts`: of the buckets, in nanoseconds since 1970."""

    since: int
    until: int
    filter: Filter
    interval: Interval
    starts: list[int]
    split_by: FieldRef | None
    groups: int
    store: Store | None


class Series(Struct):
    """The counts of one value: null for events without the field, and for all events without `split_by`."""

    value: Value
    counts: list[int]


class HistogramPage(Struct):
    """Counts by the buckets that start at `starts`. `other`: of all values without a series."""

    interval: Interval
    since: str = msgspec.field(name="from")
    until: str = msgspec.field(name="to")
    starts: list[str]
    series: list[Series]
    other: list[int] | None
    total: int
    stats: SearchStats


class _ValueCount(Struct):
    c0: Value
    c1: int | str


class _ValueCounts(Struct):
    data: list[_ValueCount]
    statistics: EngineStatistics


class _BucketCount(Struct):
    c0: int
    c1: int | str


class _BucketCounts(Struct):
    data: list[_BucketCount]
    statistics: EngineStatistics


@dataclass(frozen=True, slots=True)
class _Grouped:
    """The counts of each of `groups` by bucket, those of all other events, and the answers of each step."""

    groups: Sequence[Value]
    series: list[list[int]]
    other: list[int]
    steps: list[Sequence[HasStatistics]]


_NO_STATISTICS = EngineStatistics(0, 0.0)
_NO_VALUES = _ValueCounts([], _NO_STATISTICS)
_NO_COUNTS = _BucketCounts([], _NO_STATISTICS)
_VALUES = msgspec.json.Decoder(_ValueCounts)
_BUCKETS = msgspec.json.Decoder(_BucketCounts)


def answer(call: RouteCall) -> bytes:
    """The response to `POST /v1/histogram`; a functions.query.requests.route_call.Answer."""
    asked, tenant = histogram_request(call.body), call.caller.tenant
    stores = SearchStores(call.caller, call.run_in, asked.store, STATS_SETTINGS)
    if call.dry_run:
        from functions.query.estimate import estimate_answer

        return estimate_answer(estimated_statements(asked, tenant), stores)
    found = _of_levels(asked, stores) if asked.split_by == LEVEL else _of_values(asked, stores)
    return msgspec.json.encode(_page(asked, found))


def _of_levels(asked: HistogramRequest, stores: SearchStores) -> _Grouped:
    """The counts by level in one statement; as `_of_values` if a customer's table has other levels."""
    counted = _counted(asked, stores, CANONICAL)
    if any(counted.other):
        others = _of_values(asked, stores)
        return replace(others, steps=[*counted.steps, *others.steps])
    series = dict(zip(counted.groups, counted.series, strict=True))
    totals = {level: sum(counts) for level, counts in series.items()}
    best = _most_frequent({level: total for level, total in totals.items() if total}, asked.groups)
    rest = [counts for level, counts in series.items() if level not in best]
    other = [sum(counts) for counts in zip(counted.other, *rest, strict=True)]
    return _Grouped(best, [series[level] for level in best], other, counted.steps)


def _of_values(asked: HistogramRequest, stores: SearchStores) -> _Grouped:
    """The counts by value: a first statement finds the most frequent ones."""
    if asked.split_by is None:
        return _counted(asked, stores, ())
    statement = value_statement(asked, asked.split_by, stores.tenant, in_utc=stores.are_ours)
    found = stores.run(statement, decode_values, _NO_VALUES)
    totals: Counter[Value] = Counter()
    for row in chain.from_iterable(each.data for each in found):
        totals[row.c0] += int(row.c1)
    counted = _counted(asked, stores, _most_frequent(totals, asked.groups))
    return replace(counted, steps=[found, *counted.steps])


def _counted(asked: HistogramRequest, stores: SearchStores, groups: Sequence[Value]) -> _Grouped:
    """The counts of `groups`, of all stores together."""
    answers = stores.run(
        bucket_statement(asked, stores.tenant, groups, in_utc=stores.are_ours),
        lambda content: decode_counts(content, len(asked.starts), len(groups)),
        _NO_COUNTS,
    )
    lists = [[0] * len(asked.starts) for _ in range(len(groups) + 1)]
    for row in chain.from_iterable(each.data for each in answers):
        bucket, group = divmod(row.c0, len(lists))
        lists[group][bucket] += int(row.c1)
    other, *series = lists
    return _Grouped(groups, series, other, [answers])


def histogram_request(content: bytes, now_ns: int | None = None) -> HistogramRequest:
    """The request in `content`.

    Raises
    ------
    HttpError: 400 `invalid_<field>`, `invalid_query`, `unknown_field` or `invalid_body`.
    """
    body = decoded(content or b"{}", HistogramBody)
    found = search_filter(body)
    budget.check(found)
    split_by = field_named(body.split_by, "split_by") if body.split_by is not None else None
    since, until = time_range(body, now_ns)
    interval = auto_interval(since, until) if body.interval == "auto" else body.interval
    starts = bucket_starts(interval, since, until, time_zone(body.time_zone))
    if starts is None:
        raise _too_many(interval, since, until)
    return HistogramRequest(since, until, found, interval, starts, split_by, body.groups, body.store)


def value_statement(
    asked: HistogramRequest, field: FieldRef, tenant: TenantId, *, in_utc: bool = False
) -> Statement:
    """The SELECT of the most frequent values of `field` in the rows of `tenant`.

    `in_utc`: as of functions.query.compile.counted.hours_of_values.
    """
    bindings = Bindings()
    conditions, parameters = base_conditions(tenant, asked.since, asked.until, asked.filter, bindings)
    hours = hours_of_values(asked.since, asked.until, asked.filter, [field], in_utc=in_utc)
    sql = value_counts(field, conditions, bindings, hours)
    return checked(Statement(sql, {**bindings.parameters, **parameters}), MAX_STATEMENT_CHARACTERS)


def bucket_statement(
    asked: HistogramRequest, tenant: TenantId, groups: Sequence[Value], *, in_utc: bool = False
) -> Statement:
    """The SELECT of counts by bucket and group in the rows of `tenant`; `in_utc` as of value_statement."""
    bindings = Bindings()
    conditions, parameters = base_conditions(tenant, asked.since, asked.until, asked.filter, bindings)
    field = asked.split_by if groups else None
    fields = [field] if field else []
    hours = hours_of_buckets(asked.since, asked.until, asked.filter, asked.starts, fields, in_utc=in_utc)
    sql = bucket_counts(asked.starts, field, groups, conditions, bindings, hours)
    return checked(Statement(sql, {**bindings.parameters, **parameters}), MAX_STATEMENT_CHARACTERS)


def estimated_statements(asked: HistogramRequest, tenant: TenantId) -> list[Statement]:
    """The statements of the request, with some group where the values are not known yet."""
    if asked.split_by is None:
        return [bucket_statement(asked, tenant, [])]
    if asked.split_by == LEVEL:
        return [bucket_statement(asked, tenant, CANONICAL)]
    return [value_statement(asked, asked.split_by, tenant), bucket_statement(asked, tenant, [None])]


def _most_frequent(totals: Mapping[Value, int], count: int) -> list[Value]:
    """The values with the largest counts of all stores together; of equal ones by their text, null last."""
    return sorted(totals, key=lambda value: (-totals[value], value is None, value or ""))[:count]


def decode_values(content: bytes) -> _ValueCounts:
    """The values of an answer, whose counts are whole numbers.

    Raises
    ------
    UnusableAnswerError: the answer has another format, or more values than were asked for.
    """
    try:
        found = _VALUES.decode(_limited(content))
        counts = [int(row.c1) for row in found.data]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnusableAnswerError("the answer has no values with counts") from None
    if len(counts) > MAX_CANDIDATES or min(counts, default=0) < 0:
        raise UnusableAnswerError("the answer has other values than were asked for")
    return found


def decode_counts(content: bytes, buckets: int, groups: int) -> _BucketCounts:
    """The counts of an answer, whose cells are those of functions.query.compile.counts.bucket_counts.

    Raises
    ------
    UnusableAnswerError: the answer has another format, or buckets and groups that do not exist.
    """
    try:
        found = _BUCKETS.decode(_limited(content))
        counts = [int(row.c1) for row in found.data]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnusableAnswerError("the answer has no counts of the buckets") from None
    cells = buckets * (groups + 1)
    if min(counts, default=0) < 0 or not all(0 <= row.c0 < cells for row in found.data):
        raise UnusableAnswerError("the answer has other buckets than were asked for")
    return found


def _limited(content: bytes) -> bytes:
    if len(content) > 4 * MAX_RESULT_BYTES:
        raise UnusableAnswerError("the answer is longer than the result of a query may be")
    return content


def _page(asked: HistogramRequest, found: _Grouped) -> HistogramPage:
    split = [Series(value, counts) for value, counts in zip(found.groups, found.series, strict=True)]
    return HistogramPage(
        interval=asked.interval,
        since=times.rfc3339(asked.since),
        until=times.rfc3339(asked.until),
        starts=[times.rfc3339(start) for start in asked.starts],
        series=split if asked.split_by else [Series(None, found.other)],
        other=found.other if asked.split_by else None,
        total=sum(map(sum, (found.other, *found.series))),
        stats=stats_of(cost_of_steps(found.steps)),
    )


def _too_many(interval: Interval, since: int, until: int) -> Exception:
    buckets = -(-(until - since) // width_ns(interval))
    wider = (
        "narrow 'from' and 'to'" if interval == DAY else "use 'auto', a longer interval, or a shorter range"
    )
    return invalid("interval", f"makes {buckets:,} buckets of {interval}, more than {MAX_BUCKETS:,}: {wider}")
