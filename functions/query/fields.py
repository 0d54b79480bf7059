"""`POST /v1/fields`: which fields the events have, with types, shares and most frequent values.

All figures but `rows` are those of a sample: the newest events, `sampled_rows` of them, which is never more
than MAX_SAMPLED_ROWS and less when their metadata is large (docs/adr/0044-histograms-and-fields.md). The
sample has all events if the engine counts each named field (docs/adr/0057-tables-and-fields-by-the-hour.md).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from functions.query import times
from functions.query.bindings import Bindings
from functions.query.compile import Statement, base_conditions, checked, narrowed_range
from functions.query.compile.counted import hours_of_values
from functions.query.compile.counts import row_count
from functions.query.compile.samples import newest_rows, sample_size
from functions.query.counting.counted_fields import (
    NO_ROWS,
    are_counted_fields,
    counted_fields,
    counted_statement,
    decode_counted,
)
from functions.query.counting.field_names import field_named
from functions.query.counting.field_summary import (
    FieldSummary,
    JsonType,
    SampledRow,
    discovered,
    events_of,
    named,
)
from functions.query.errors import QUERY_TOO_HEAVY
from functions.query.language.names import written
from functions.query.language.syntax_tree import MESSAGE, FieldRef, Filter
from functions.query.limits import budget
from functions.query.requests.request import FilterBody, search_filter, time_range
from functions.query.requests.route_call import RouteCall
from functions.query.results.cursor import MANAGED, Store
from functions.query.results.row_order import PageRange
from functions.query.results.statistics import EngineStatistics, SearchStats, cost_of_steps, stats_of
from functions.query.searching.search_stores import SearchStores
from functions.query.stats import MAX_ANSWER_BYTES, MAX_STATEMENT_CHARACTERS, STATS_SETTINGS
from functions.query.tokens import Scalar
from functions.shared.errors import HttpError
from functions.shared.forms import decoded, invalid
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import UnusableAnswerError

MAX_SAMPLED_ROWS = 10_000
MAX_SAMPLED_BYTES = 8 * 1024 * 1024
"""The limit for the metadata of the sample."""

MAX_PAIRS = 200_000
"""Keys in the metadata of a sample: so many take a second of this function's CPU."""

MAX_FIELDS = 200
MAX_NAMED = 50

SAMPLE_SETTINGS = {
    **STATS_SETTINGS,
    "max_result_bytes": 32 * 1024 * 1024,
    "max_bytes_before_remerge_sort": 32 * 1024 * 1024,
}
"""The engine drops the rows beyond the limit while it sorts, not only at the end."""

SAMPLE_PASSES = 5
"""All rows are counted; the size of the sample and the sample each look for their time range first."""

MAX_SAMPLE_ANSWER_BYTES = 128 * 1024 * 1024


class FieldsBody(FilterBody, forbid_unknown_fields=True):
    """The request body. `fields`: all by default. `store`: both of an account that has logs in two."""

    fields: (
        Annotated[list[Annotated[str, Meta(min_length=1, max_length=1024)]], Meta(max_length=MAX_NAMED)]
        | None
    ) = None
    values: Annotated[int, Meta(ge=0, le=100)] = 10
    store: Store | None = None


@dataclass(frozen=True, slots=True)
class FieldsRequest:
    """A validated request; `fields` is None for all. `values`: most frequent ones of each field."""

    since: int
    until: int
    filter: Filter
    fields: tuple[FieldRef, ...] | None
    values: int
    store: Store | None


class TopValue(Struct):
    """A value, and how many events of the sample have it."""

    value: Scalar
    count: int


class FieldEntry(Struct):
    """A field. `name`: as a query has it. `share`: of the sample's events. `distinct`: different values."""

    name: str
    types: list[JsonType]
    share: float
    distinct: int
    top: list[TopValue]


class FieldsPage(Struct):
    """`rows`: all events that match. `truncated`: there are more fields than the response has."""

    fields: list[FieldEntry]
    truncated: bool
    rows: int
    sampled_rows: int
    stats: SearchStats


class _Size(Struct):
    c0: int | str
    c1: int | str


class _Sizes(Struct):
    data: list[_Size]
    statistics: EngineStatistics


class _Sample(Struct):
    data: list[SampledRow]
    statistics: EngineStatistics


_NO_STATISTICS = EngineStatistics(0, 0.0)
_NO_SIZE = _Sizes([_Size(0, 0)], _NO_STATISTICS)
_NO_ROWS = _Sample([], _NO_STATISTICS)
_SIZES = msgspec.json.Decoder(_Sizes)
_SAMPLE = msgspec.json.Decoder(_Sample)


def answer(call: RouteCall) -> bytes:
    """The response to `POST /v1/fields`; a functions.query.requests.route_call.Answer."""
    asked, tenant = fields_request(call.body), call.caller.tenant
    stores = SearchStores(call.caller, call.run_in, asked.store, SAMPLE_SETTINGS)
    if are_counted_fields(asked) and len(stores.names) == 1:
        return _counted(asked, stores, dry_run=call.dry_run)
    if call.dry_run:
        from functions.query.estimate import estimate_answer, narrowed_statements

        statements = narrowed_statements(asked, _newest(MAX_SAMPLED_ROWS), tenant)
        return estimate_answer(statements, stores, SAMPLE_PASSES)
    sizes = stores.run(size_statement(asked, tenant), decode_size, _NO_SIZE)
    counts = [int(each.data[0].c1) for each in sizes]
    statements = [sample_statement(asked, tenant, count) for count in counts]
    found = stores.run_each(statements, decode_sample, _NO_ROWS)
    all_rows = [int(each.data[0].c0) for each in sizes]
    return _encoded(
        _sampled(asked, _merged(found, all_rows), sum(all_rows), stats_of(cost_of_steps([sizes, found])))
    )


def _counted(asked: FieldsRequest, stores: SearchStores, *, dry_run: bool) -> bytes:
    """The response of one store, of which all events are counted: two stores may have the same values."""
    statement = counted_statement(asked, stores.tenant, in_utc=stores.are_ours)
    if dry_run:
        from functions.query.estimate import estimate_answer

        return estimate_answer([statement], stores)
    (found,) = stores.run(statement, lambda content: decode_counted(content, asked), NO_ROWS)
    counted = counted_fields(asked, found.data)
    entries = [
        FieldEntry(
            name=written(ref),
            types=["string"] if each.count else [],
            share=_share(each.count, each.rows),
            distinct=each.distinct,
            top=[TopValue(value, count) for value, count in each.top],
        )
        for ref, each in zip(asked.fields or (), counted, strict=True)
    ]
    rows = counted[0].rows
    return _encoded(FieldsPage(entries, False, rows, rows, stats_of(cost_of_steps([[found]]))))


def fields_request(content: bytes, now_ns: int | None = None) -> FieldsRequest:
    """The request in `content`.

    Raises
    ------
    HttpError: 400 `invalid_<field>`, `invalid_query`, `unknown_field` or `invalid_body`.
    """
    body = decoded(content or b"{}", FieldsBody)
    found = search_filter(body)
    budget.check(found)
    fields = None if body.fields is None else _fields(body.fields)
    since, until = time_range(body, now_ns)
    return FieldsRequest(since, until, found, fields, body.values, body.store)


def size_statement(asked: FieldsRequest, tenant: TenantId) -> Statement:
    """The SELECT of the size of the sample in the rows of `tenant`."""
    bindings = Bindings()
    conditions, parameters = base_conditions(tenant, asked.since, asked.until, asked.filter, bindings)
    hours = hours_of_values(asked.since, asked.until, asked.filter)
    count = row_count(conditions, bindings, hours)
    narrowed = narrowed_range(asked, _newest(MAX_SAMPLED_ROWS), conditions, bindings)
    sql = sample_size(conditions, MAX_SAMPLED_ROWS, MAX_SAMPLED_BYTES, count, narrowed)
    return checked(Statement(sql, {**bindings.parameters, **parameters}), MAX_STATEMENT_CHARACTERS)


def sample_statement(asked: FieldsRequest, tenant: TenantId, rows: int) -> Statement:
    """The SELECT of the `rows` newest rows of `tenant`."""
    bindings = Bindings()
    conditions, parameters = base_conditions(tenant, asked.since, asked.until, asked.filter, bindings)
    narrowed = narrowed_range(asked, _newest(rows), conditions, bindings)
    sql = newest_rows(conditions, rows, narrowed)
    return checked(Statement(sql, {**bindings.parameters, **parameters}), MAX_STATEMENT_CHARACTERS)


def _newest(rows: int) -> PageRange:
    return PageRange("desc", rows, None, MANAGED)


def decode_size(content: bytes) -> _Sizes:
    """The size of a sample.

    Raises
    ------
    UnusableAnswerError: the answer is not one row of two counts within the limits.
    """
    try:
        found = _SIZES.decode(content)
        (size,) = found.data
        rows, sampled = int(size.c0), int(size.c1)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnusableAnswerError("the answer has no size of a sample") from None
    if not (0 <= sampled <= MAX_SAMPLED_ROWS and rows >= 0):
        raise UnusableAnswerError("the sample is larger than was asked for")
    return found


def decode_sample(content: bytes) -> _Sample:
    """The rows of a sample.

    Raises
    ------
    UnusableAnswerError: the answer has another format, or too many rows.
    """
    if len(content) > MAX_SAMPLE_ANSWER_BYTES:
        raise UnusableAnswerError("the answer is longer than a sample may be")
    try:
        found = _SAMPLE.decode(content)
        for row in found.data:
            times.from_engine(row.timestamp)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnusableAnswerError("the answer has no rows of a sample") from None
    if len(found.data) > MAX_SAMPLED_ROWS:
        raise UnusableAnswerError("the sample is larger than was asked for")
    return found


def _fields(names: Sequence[str]) -> tuple[FieldRef, ...]:
    fields = [field_named(name, f"fields[{at}]") for at, name in enumerate(names)]
    for at, field in enumerate(fields):
        if field == MESSAGE:
            raise invalid(f"fields[{at}]", "must not be message: it is free text, and has no frequent values")
    return tuple(dict.fromkeys(fields))


def _merged(found: Sequence[_Sample], all_rows: Sequence[int]) -> list[SampledRow]:
    """The newest rows of all stores, as far as each store's sample reaches."""
    cut = [each.data for each, rows in zip(found, all_rows, strict=True) if len(each.data) < rows]
    reach = max((rows[-1].timestamp for rows in cut if rows), default="")
    together = [row for each in found for row in each.data if row.timestamp >= reach]
    return sorted(together, key=lambda row: row.timestamp, reverse=True)[:MAX_SAMPLED_ROWS]


def _sampled(
    asked: FieldsRequest, rows: Sequence[SampledRow], all_rows: int, cost: SearchStats
) -> FieldsPage:
    sample = events_of(rows, MAX_PAIRS)
    if asked.fields is None:
        found, truncated = discovered(sample, MAX_FIELDS)
    else:
        found, truncated = named(asked.fields, sample), False
    entries = [_entry(each, len(sample), asked.values) for each in found]
    return FieldsPage(entries, truncated, max(all_rows, len(sample)), len(sample), cost)


def _encoded(page: FieldsPage) -> bytes:
    encoded = msgspec.json.encode(page)
    if len(json.dumps(encoded.decode())) > MAX_ANSWER_BYTES:
        raise _too_long()
    return encoded


def _entry(found: FieldSummary, sampled: int, values: int) -> FieldEntry:
    return FieldEntry(
        name=written(found.ref),
        types=sorted(found.types),
        share=_share(found.count, sampled),
        distinct=len(found.values),
        top=[TopValue(value, count) for value, count in found.top(values)],
    )


def _share(count: int, rows: int) -> float:
    return round(count / rows, 4) if rows else 0.0


def _too_long() -> HttpError:
    return HttpError(
        400,
        QUERY_TOO_HEAVY,
        "The response would be too long: lower 'values', or name the 'fields' that you need.",
    )
