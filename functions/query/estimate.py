"""`?dry_run=true`: what a request would read, without reading it.

The engine chooses the parts and granules of a statement by its indexes (`EXPLAIN ESTIMATE`) and reads no row.
The number of rows is an upper bound: a search that finds its page earlier reads fewer.
"""
# ruff: noqa: S608 - the text has only our names; a caller's values are bound (functions.query.bindings)

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
from msgspec import Struct

from functions.query.bindings import Bindings
from functions.query.compile import FilteredRange, Statement, base_conditions, counts_statement
from functions.query.limits.price import PRICE
from functions.query.requests.request import Search
from functions.query.results.cursor import MANAGED
from functions.query.results.row_order import PageRange
from functions.query.searching.search_stores import SearchStores
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import UnusableAnswerError

PAGE_PASSES = 3
"""One pass, and two more if that has not the whole page (functions.query.searching.one_pass)."""

MAX_TABLES = 16


class Estimate(Struct):
    """`rows` and `bytes` are upper bounds; `parts` of the table; `price_usd` of our ClickHouse alone."""

    rows: int
    bytes: int
    parts: int
    price_usd: float


class EstimatePage(Struct):
    """The response to a request with `dry_run=true`."""

    estimate: Estimate


class _TableEstimate(Struct):
    parts: int | str
    rows: int | str


class _EstimateAnswer(Struct):
    data: list[_TableEstimate]


@dataclass(frozen=True, slots=True)
class SelectedRows:
    """What the engine would read of a statement."""

    parts: int
    rows: int


_DECODER = msgspec.json.Decoder(_EstimateAnswer)
_NOTHING = SelectedRows(0, 0)


def matching_statement(asked: FilteredRange, tenant: TenantId) -> Statement:
    """A SELECT of all rows of `tenant` that `asked` matches, of which an estimate is made."""
    bindings = Bindings()
    conditions, parameters = base_conditions(tenant, asked.since, asked.until, asked.filter, bindings)
    sql = f"SELECT timestamp, message, metadata FROM events WHERE {' AND '.join(conditions)}"
    return Statement(sql, {**bindings.parameters, **parameters})


def page_statements(asked: Search, tenant: TenantId) -> list[Statement]:
    """The SELECTs of which the estimate of a page is made."""
    return narrowed_statements(asked, PageRange(asked.order, asked.limit + 1, asked.after, MANAGED), tenant)


def narrowed_statements(asked: FilteredRange, wanted: PageRange, tenant: TenantId) -> list[Statement]:
    """The SELECTs of which the estimate of the rows `wanted` is made: rows, and counts by hour if needed."""
    counts = counts_statement(asked, wanted, tenant)
    return [matching_statement(asked, tenant), *([counts] if counts else [])]


def estimate_answer(statements: Sequence[Statement], stores: SearchStores, passes: int = 1) -> bytes:
    """The JSON response to a dry run of `statements`, each of which would run `passes` times in `stores`.

    Raises
    ------
    HttpError: as a search.
    """
    rows, managed_rows, parts = 0, 0, 0
    for each in statements:
        found = stores.run(replace(each, sql=f"EXPLAIN ESTIMATE {each.sql}"), decode_estimate, _NOTHING)
        rows += passes * sum(selected.rows for selected in found)
        parts = max(parts, sum(selected.parts for selected in found))
        managed_rows += passes * sum(
            selected.rows for store, selected in zip(stores.names, found, strict=True) if store == MANAGED
        )
    estimate = Estimate(rows, PRICE.bytes_of(rows), parts, PRICE.usd_of(managed_rows))
    return msgspec.json.encode(EstimatePage(estimate))


def decode_estimate(content: bytes) -> SelectedRows:
    """What an answer to EXPLAIN ESTIMATE says of all tables together.

    Raises
    ------
    UnusableAnswerError: it has another format.
    """
    try:
        found = [(int(each.parts), int(each.rows)) for each in _DECODER.decode(content).data]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnusableAnswerError("the answer has no estimate") from None
    if len(found) > MAX_TABLES or any(min(each) < 0 for each in found):
        raise UnusableAnswerError("the answer has an impossible estimate")
    return SelectedRows(sum(parts for parts, _ in found), sum(rows for _, rows in found))
