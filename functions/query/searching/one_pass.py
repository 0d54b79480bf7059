"""Pages in one pass: which engines make them, and what happens where one pass does not have the whole page.

The engine sorts the matching rows by their time alone, and reads the other columns of the first rows only
("lazy materialization"). Their order among rows of equal time is made here. Four things lead back to the two
passes of functions.query.results.row_order.page_of, which need none of it:

* an engine before LAZY_SINCE, which would read every column of every matching row;
* a page that ends between more rows of equal time than one pass returns;
* rows without identity in a table that has it, whose order needs a hash of all columns;
* limits: one pass returns some more rows, and a filter on large messages holds those of all candidates.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

from functions.query.compile import Statement
from functions.query.errors import QUERY_TOO_HEAVY
from functions.query.results.page import place
from functions.query.results.row_order import OnePass, was_returned
from functions.query.results.rows import EventRow, SearchResult
from functions.query.results.statistics import SearchCost
from functions.shared.errors import HttpError
from functions.shared.warehouse import TOO_LARGE_RESULT, WarehouseBusyError, WarehouseRefusedError

LAZY_SINCE = (26, 2)
"""Year and month of the first ClickHouse that reads pages of 1,000 rows lazily and is supported by us."""

LAZY_READS: Mapping[str, Any] = {
    "query_plan_optimize_lazy_materialization": 1,
    "query_plan_max_limit_for_lazy_materialization": 10_000,
    "query_plan_max_limit_for_top_k_optimization": 10_000,
}
"""The first two are the defaults of new engines; the second was 100, less than a page may have.

The third is 1,000 by default, less than one pass reads for a page of 1,000: above it the engine reads the
time of every row, also where it cannot be among the first. Every engine since LAZY_SINCE knows it.
"""

MEMORY_EXCEEDED = 241

Run = Callable[[Statement, Mapping[str, Any]], SearchResult]
"""Runs a statement with settings."""


def find_page(statement: Statement, run: Run, reads_lazily: Callable[[], bool]) -> SearchResult:
    """The rows of `statement`, in one pass if that has all of them.

    The last row of a full page may be any of those of its time: it only shows that there are more.

    Raises
    ------
    HttpError: as `run` and `reads_lazily` do.
    """
    one_pass = statement.one_pass
    if one_pass is None or not reads_lazily():
        return run(statement, {})
    try:
        found = run(replace(statement, sql=one_pass.sql, one_pass=None), LAZY_READS)
    except HttpError as stopped:
        if not _needs_less_in_two_passes(stopped):
            raise
        return run(statement, {})
    rows = _page_of(found.rows, one_pass)
    if rows is not None:
        return replace(found, rows=rows)
    exact = run(statement, {})
    cost = SearchCost().then(found).then(exact)
    return SearchResult(exact.rows, cost.rows_read, cost.elapsed_ms, cost.bytes_read)


def _needs_less_in_two_passes(stopped: HttpError) -> bool:
    cause = stopped.__cause__
    return (
        stopped.code == QUERY_TOO_HEAVY
        and isinstance(cause, WarehouseBusyError | WarehouseRefusedError)
        and cause.engine_code in (MEMORY_EXCEEDED, TOO_LARGE_RESULT)
    )


def _page_of(rows: Sequence[EventRow], one_pass: OnePass) -> Sequence[EventRow] | None:
    """The page that is made of the first rows by time; None if its order is not known up to its end."""
    if not one_pass.hashed and not all(row.object_id for row in rows):
        return None
    wanted = one_pass.wanted
    ordered = sorted(rows, key=_sort_key, reverse=wanted.order == "desc")
    following = _after_cursor(ordered, one_pass)
    if len(rows) < one_pass.limit:
        return following[: wanted.size]
    end = ordered[-1].timestamp
    uncertain = sum(1 for _ in takewhile(lambda row: row.timestamp == end, reversed(following)))
    if len(following) - uncertain < wanted.size - 1:
        return None
    return following[: wanted.size]


def _sort_key(row: EventRow) -> tuple[str, str, int, int]:
    """The order of functions.query.results.page.place: the texts of a store's times are of one length."""
    return row.timestamp, row.object_id, row.position, int(row.row_hash)


def _after_cursor(ordered: Sequence[EventRow], one_pass: OnePass) -> Sequence[EventRow]:
    """The rows behind the position of the cursor, as row_order.page_of selects them."""
    wanted = one_pass.wanted
    after = wanted.after
    if after is None:
        return ordered
    position = (after.instant, after.object_id, after.position, after.row_hash)

    def precedes(row: EventRow) -> bool:
        at = place(row)[:4]
        if at == position:
            return was_returned(after, wanted)
        return at < position if wanted.order == "asc" else at > position

    before = sum(1 for _ in takewhile(precedes, ordered))
    return ordered[before + (after.given if after.store == wanted.store else 0) :]
