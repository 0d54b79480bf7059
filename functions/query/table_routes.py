"""The routes whose results are tables: stats, and completions. Loaded at their first request."""

import time
from collections.abc import Callable

from functions.query.compile import Statement
from functions.query.complete import complete_page, complete_request, decode_known, known_statement
from functions.query.cursor import BYOC, MANAGED, Store
from functions.query.pattern_table import merged_patterns
from functions.query.search_stores import RunIn, SearchStores
from functions.query.stats import (
    EMPTY,
    STATS_SETTINGS,
    TableRows,
    compiled_stats,
    decode_table,
    stats_page,
    stats_request,
    store_of,
)
from functions.shared.access import Principal


def stats_answer(content: bytes, caller: Principal, run_in: RunIn, *, dry_run: bool = False) -> bytes:
    """The JSON response to `POST /v1/stats` with the body `content`, or to a dry run of it.

    Raises
    ------
    HttpError: as the handler documents.
    """
    asked = stats_request(content)
    compiled = compiled_stats(asked, caller.tenant)
    store = store_of(asked, byoc=caller.byoc, managed=caller.has_managed_rows(time.time()))
    if dry_run:
        from functions.query.estimate import estimate_answer

        return estimate_answer([compiled.statement], SearchStores(caller, run_in, store, STATS_SETTINGS))
    found = _run(
        caller, store, compiled.statement, lambda content: decode_table(content, compiled.columns), run_in
    )
    return stats_page(*merged_patterns(compiled, found))


def complete_answer(content: bytes, caller: Principal, stores: RunIn) -> bytes:
    """The JSON response to `POST /v1/query/complete` with the body `content`.

    Raises
    ------
    HttpError: as the handler documents.
    """
    wanted = complete_request(content)
    statement = known_statement(wanted, caller.tenant)
    if statement is None:
        return complete_page(wanted, EMPTY)
    store = BYOC if caller.byoc else MANAGED
    known = _run(caller, store, statement, lambda content: decode_known(content, wanted), stores)
    return complete_page(wanted, known)


def _run(
    caller: Principal,
    store: Store,
    statement: Statement,
    decode: Callable[[bytes], TableRows],
    stores: RunIn,
) -> TableRows:
    return stores(store, caller.tenant, statement, decode, EMPTY, STATS_SETTINGS)
