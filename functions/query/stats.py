"""`POST /v1/stats`: a query with pipes, whose result is a table.

The request has the conditions of a search, and `query` with pipes. The result has columns with types, and at
most MAX_ROWS rows; `truncated` says that there were more.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from functions.query.bindings import Bindings
from functions.query.compile import Statement, base_conditions, checked
from functions.query.compile.counted import hours_of_table
from functions.query.compile.pipes import CompiledTable, TableColumn, table
from functions.query.errors import invalid_query, too_heavy, two_stores
from functions.query.language.errors import QuerySyntaxError
from functions.query.language.parser import parse
from functions.query.language.syntax_tree import Filter, Pipe
from functions.query.limits import budget
from functions.query.requests.request import FilterBody, all_of, json_filters, time_range
from functions.query.requests.route_call import RouteCall
from functions.query.results.cursor import BYOC, MANAGED, Store
from functions.query.results.statistics import stats_of
from functions.query.results.table_rows import EMPTY, MAX_RESULT_BYTES, CompiledStats, TableRows, decode_table
from functions.query.searching.search_stores import SearchStores
from functions.query.templates.table import merged_patterns
from functions.shared.forms import decoded, invalid
from functions.shared.tenancy import TenantId

MAX_GROUPS = 1_000_000
MAX_ANSWER_BYTES = 5 * 1024 * 1024
"""A Lambda response is limited to 6 MB, counted as JSON in which this JSON is an escaped string."""

MAX_STATEMENT_CHARACTERS = 64 * 1024

STATS_SETTINGS: Mapping[str, int | str] = {
    "max_rows_to_group_by": MAX_GROUPS,
    "group_by_overflow_mode": "throw",
    "max_result_bytes": MAX_RESULT_BYTES,
}
"""Settings in addition to those of a search."""


class StatsBody(FilterBody, forbid_unknown_fields=True):
    """The request body. `store`: of an account that has logs in two (docs/byoc.md)."""

    store: Store | None = None


@dataclass(frozen=True, slots=True)
class StatsRequest:
    """A validated request: the events from `since` to `until` that meet `filter`, through `pipes`."""

    since: int
    until: int
    filter: Filter
    pipes: tuple[Pipe, ...]
    store: Store | None


def answer(call: RouteCall) -> bytes:
    """The response to `POST /v1/stats`; a functions.query.requests.route_call.Answer."""
    asked, caller = stats_request(call.body), call.caller
    store = store_of(asked, byoc=caller.byoc, managed=caller.has_managed_rows(time.time()))
    compiled = compiled_stats(asked, caller.tenant, in_utc=store == MANAGED)
    if call.dry_run:
        from functions.query.estimate import estimate_answer

        stores = SearchStores(caller, call.run_in, store, STATS_SETTINGS)
        return estimate_answer([compiled.statement], stores)

    def decode(content: bytes) -> TableRows:
        return decode_table(content, compiled.columns)

    found = call.run_in(store, caller.tenant, compiled.statement, decode, EMPTY, STATS_SETTINGS)
    return stats_page(*merged_patterns(compiled, found))


def stats_request(content: bytes, now_ns: int | None = None) -> StatsRequest:
    """The request in `content`.

    Raises
    ------
    HttpError: 400 `invalid_<field>`, `invalid_query`, `unknown_field` or `invalid_body`.
    """
    body = decoded(content or b"{}", StatsBody)
    try:
        query = parse(body.query or "")
    except QuerySyntaxError as fault:
        raise invalid_query(fault) from None
    found = all_of([*json_filters(body), query.filter])
    budget.check(found, query.pipes)
    since, until = time_range(body, now_ns)
    return StatsRequest(since, until, found, query.pipes, body.store)


def store_of(asked: StatsRequest, *, byoc: bool, managed: bool) -> Store:
    """The store that `asked` is about: an account is BYOC, or has rows in our ClickHouse, or both.

    Raises
    ------
    HttpError: 409 `two_stores` when it has both and names none; 400 `invalid_store` for one it has not.
    """
    stores: list[Store] = [*([BYOC] if byoc else []), *([MANAGED] if managed else [])]
    if asked.store is None:
        if len(stores) > 1:
            raise two_stores()
        return stores[0]
    if asked.store not in stores:
        raise invalid("store", f"must be {stores[0]}, or omitted: your logs are in no other ClickHouse")
    return asked.store


def compiled_stats(asked: StatsRequest, tenant: TenantId, *, in_utc: bool = False) -> CompiledStats:
    """The statement of `asked` over the rows of `tenant`; `in_utc` as of compile.counted.hours_of_values.

    Raises
    ------
    HttpError: 400 `query_too_heavy` when the statement is too long.
    """
    bindings = Bindings()
    conditions, parameters = base_conditions(tenant, asked.since, asked.until, asked.filter, bindings)
    hours = hours_of_table(asked.since, asked.until, asked.filter, asked.pipes, in_utc=in_utc)
    compiled: CompiledTable = table(asked.pipes, conditions, bindings, hours)
    statement = Statement(compiled.sql, {**bindings.parameters, **parameters})
    return CompiledStats(checked(statement, MAX_STATEMENT_CHARACTERS), compiled.columns, compiled.patterns)


def stats_page(columns: Sequence[TableColumn], found: TableRows) -> bytes:
    """The JSON response.

    Raises
    ------
    HttpError: 400 `query_too_heavy` when it does not fit into a response.
    """
    body: dict[str, Any] = {
        "columns": [{"name": column.name, "type": column.type} for column in columns],
        "rows": found.rows,
        "truncated": found.truncated,
        "stats": stats_of(found),
    }
    encoded = msgspec.json.encode(body)
    if len(json.dumps(encoded.decode())) > MAX_ANSWER_BYTES:
        raise too_heavy()
    return encoded
