"""Search in the grace period after a move to BYOC: in the customer's ClickHouse and in ours, as one result.

Both stores run the same search at the same time, each within its own limits and slots. Each returns its first
rows after the position of the cursor, so the first rows of both together are the first rows of the whole. The
order of rows does not depend on the store, so a cursor stays valid when the move begins and when our rows are
deleted.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from functions.query.results.page import place
from functions.query.results.row_order import Order
from functions.query.results.rows import SearchResult

Find = Callable[[], SearchResult]


def find_in_both(byoc: Find, managed: Find, order: Order, limit: int) -> SearchResult:
    """The first `limit` rows of both stores in `order`.

    Raises
    ------
    HttpError: of either store; a result with the rows of one store only would look complete.
    """
    with ThreadPoolExecutor(1) as pool:
        ours = pool.submit(managed)
        theirs = byoc()
    return _merged(theirs, ours.result(), order, limit)


def _merged(one: SearchResult, other: SearchResult, order: Order, limit: int) -> SearchResult:
    """The first `limit` rows of both results in the order of functions.query.results.row_order."""
    rows = sorted([*one.rows, *other.rows], key=place, reverse=order == "desc")[:limit]
    return SearchResult(
        rows,
        one.rows_read + other.rows_read,
        max(one.elapsed_ms, other.elapsed_ms),
        one.bytes_read + other.bytes_read,
    )
