"""`POST /v1/patterns`: the templates that messages have, with counts, examples and a filter for each.

ClickHouse makes a template of each message of a sample and counts them. This function merges similar ones
(functions.query.templates.merge). The filter of a pattern is a part of the statement that reads its examples:
an example that is shown was found by it, and a filter without an example is not shown (docs/adr/0048).
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from functions.query import times
from functions.query.bindings import Bindings
from functions.query.compile import Statement, base_conditions, checked
from functions.query.compile.pattern_examples import EXAMPLES, WantedPattern, example_statement
from functions.query.compile.templates import template_counts
from functions.query.event_context import Run
from functions.query.language.syntax_tree import Filter
from functions.query.limits import budget
from functions.query.requests.request import FilterBody, instant, search_filter, time_range
from functions.query.requests.route_call import RouteCall
from functions.query.requests.time_expressions import Written
from functions.query.requests.time_zones import time_zone
from functions.query.results.cursor import Store
from functions.query.results.page import fitting
from functions.query.results.rows import NOTHING, EventRow, SearchResult
from functions.query.results.statistics import SearchStats, cost_of_steps, stats_of
from functions.query.searching.search_stores import SearchStores
from functions.query.stats import STATS_SETTINGS
from functions.query.templates.changes import Change, Comparison, comparison, ranked
from functions.query.templates.counts import (
    NO_TEMPLATES,
    all_templates,
    decode_templates,
    range_counts,
)
from functions.query.templates.filters import MessageFilter, holds, query_of, shown
from functions.query.templates.merge import Pattern, patterns_of
from functions.shared.forms import decoded, invalid
from functions.shared.tenancy import TenantId

MAX_PATTERNS = 50
DEFAULT_PATTERNS = 20

MAX_EXAMPLE_BYTES = 4 * 1024 * 1024 // MAX_PATTERNS
"""The limit for the examples of one pattern in a response."""

COUNT_SETTINGS = {**STATS_SETTINGS, "max_execution_time": 8, "max_result_bytes": 32 * 1024 * 1024}
"""Counting two ranges and reading the examples takes less time than a request may."""

MAX_TIMES = 4
"""How many timestamps of a template are searched for examples."""

COUNT_PASSES = 2
"""The rows are counted, and then a sample of them is read."""

Query = tuple[str, MessageFilter] | None


class PatternsBody(FilterBody, forbid_unknown_fields=True):
    """The request body. `compare_from`, `compare_to`: a second range, as long as the first by default.

    `store`: of an account that has logs in two; both by default.
    """

    limit: Annotated[int, Meta(ge=1, le=MAX_PATTERNS)] = DEFAULT_PATTERNS
    compare_from: Written | None = None
    compare_to: Written | None = None
    store: Store | None = None


@dataclass(frozen=True, slots=True)
class PatternsRequest:
    """A validated request.

    `ranges`: from (inclusive) and to (exclusive) in nanoseconds since 1970; the second one to compare with.
    """

    ranges: tuple[tuple[int, int], ...]
    filter: Filter
    limit: int
    store: Store | None


@dataclass(frozen=True, slots=True)
class MatchingRange:
    """The events of one range that a request is about."""

    since: int
    until: int
    filter: Filter


class FoundPattern(Struct):
    """A pattern. `template`: `<*>` stands for what varies.

    `count`: of events, estimated if the sample has not all of them; `share` of all that match. `query`: a
    filter that finds the examples; null when none is proven. `before`: the count in the compared range, and
    `change`: from it to `count`, by the lengths of the ranges; null without one.
    """

    template: str
    count: int
    share: float
    query: str | None
    examples: list[msgspec.Raw]
    before: int | None
    change: Change | None


class PatternsPage(Struct):
    """`rows`: all events that match. `before_rows`, `before_sampled_rows`: of the compared range, or null."""

    patterns: list[FoundPattern]
    rows: int
    sampled_rows: int
    before_rows: int | None
    before_sampled_rows: int | None
    stats: SearchStats


def answer(call: RouteCall) -> bytes:
    """The response to `POST /v1/patterns`; a functions.query.requests.route_call.Answer."""
    asked, tenant = patterns_request(call.body), call.caller.tenant
    stores = SearchStores(call.caller, call.run_in, asked.store, COUNT_SETTINGS)
    if call.dry_run:
        from functions.query.estimate import estimate_answer, matching_statement

        matching = [MatchingRange(*each, asked.filter) for each in asked.ranges]
        statements = [matching_statement(each, tenant) for each in matching]
        return estimate_answer(statements, stores, COUNT_PASSES)
    steps = [
        stores.run(count_statement(asked, tenant, each), decode_templates, NO_TEMPLATES)
        for each in asked.ranges
    ]
    counts = [[range_counts(each) for each in step] for step in steps]
    now, before = counts[0], counts[1] if len(counts) > 1 else []
    compared = comparison(asked.ranges, now, before)
    patterns = ranked(patterns_of(all_templates(now, before)), compared)[: asked.limit]
    queries = [query_of(each.text) for each in patterns]
    found = _examples(asked, tenant, patterns, queries, call.events_of(asked.store))
    rows = sum(each.rows for each in now)
    return msgspec.json.encode(
        PatternsPage(
            patterns=_shown(patterns, queries, found, rows, compared),
            rows=rows,
            sampled_rows=sum(each.sampled for each in now),
            before_rows=sum(each.rows for each in before) if compared else None,
            before_sampled_rows=sum(each.sampled for each in before) if compared else None,
            stats=stats_of(cost_of_steps(steps).then(found)),
        )
    )


def patterns_request(content: bytes, now_ns: int | None = None) -> PatternsRequest:
    """The request in `content`.

    Raises
    ------
    HttpError: 400 `invalid_<field>`, `invalid_query`, `unknown_field` or `invalid_body`.
    """
    body = decoded(content or b"{}", PatternsBody)
    found = search_filter(body)
    budget.check(found)
    now_ns = time.time_ns() if now_ns is None else now_ns
    first = time_range(body, now_ns)
    second = _compared(body, first, now_ns)
    return PatternsRequest((first, *([second] if second else [])), found, body.limit, body.store)


def _compared(body: PatternsBody, first: tuple[int, int], now_ns: int) -> tuple[int, int] | None:
    """The range to compare with, as long as the first one unless both of its ends are given."""
    if body.compare_from is None and body.compare_to is None:
        return None
    if body.compare_from is None:
        raise invalid("compare_from", "is missing: send the start of the range that ends at 'compare_to'")
    if first[0] == first[1]:
        raise invalid("from", "must be earlier than 'to', to compare the range with another")
    zone = time_zone(body.time_zone)
    since = instant("compare_from", body.compare_from, now_ns, zone)
    if body.compare_to is None:
        return since, min(since + first[1] - first[0], times.MAX - 1)
    until = instant("compare_to", body.compare_to, now_ns, zone)
    if until <= since:
        raise invalid("compare_to", "must be later than 'compare_from'")
    return since, until


def count_statement(asked: PatternsRequest, tenant: TenantId, range_: tuple[int, int]) -> Statement:
    """The SELECT of templates and their numbers in a range of the rows of `tenant`."""
    bindings = Bindings()
    conditions, parameters = base_conditions(tenant, *range_, asked.filter, bindings)
    sql = template_counts(conditions, bindings)
    return checked(Statement(sql, {**bindings.parameters, **parameters}))


def _examples(
    asked: PatternsRequest,
    tenant: TenantId,
    patterns: Sequence[Pattern],
    queries: Sequence[Query],
    run: Run,
) -> SearchResult:
    """Events of the patterns, which their filters found; `row_hash` is the number of the pattern from 1."""
    if not patterns:
        return NOTHING
    since = min(since for since, _ in asked.ranges)
    until = max(until for _, until in asked.ranges)
    wanted = [
        WantedPattern(
            [each.hash for each in pattern.members],
            [at for each in pattern.members for at in each.times[:MAX_TIMES]],
            query[1] if query else None,
        )
        for pattern, query in zip(patterns, queries, strict=True)
    ]

    def compiled(_store: Store, with_identity: bool) -> Statement:
        return example_statement(tenant, since, until, asked.filter, wanted, with_identity=with_identity)

    return run(compiled, "desc", 2 * EXAMPLES * len(patterns))


def _shown(
    patterns: Sequence[Pattern],
    queries: Sequence[Query],
    found: SearchResult,
    rows: int,
    compared: Comparison | None,
) -> list[FoundPattern]:
    examples: Mapping[int, list[EventRow]] = defaultdict(list)
    for row in found.rows:
        examples[int(row.row_hash)].append(row)
    return [
        FoundPattern(
            template=shown(pattern.text),
            count=round(pattern.now),
            share=round(min(pattern.now / rows, 1.0), 4) if rows else 0.0,
            query=_proven(query, examples[at]),
            examples=fitting(examples[at][:EXAMPLES], MAX_EXAMPLE_BYTES, at_least=0),
            before=round(pattern.before) if compared else None,
            change=compared.change(pattern) if compared else None,
        )
        for at, (pattern, query) in enumerate(zip(patterns, queries, strict=True), 1)
    ]


def _proven(query: Query, examples: Sequence[EventRow]) -> str | None:
    """The text of the filter, if there are examples and it holds for all of them."""
    if query is None or not examples or not all(holds(query[1], each.message) for each in examples):
        return None
    return query[0]
