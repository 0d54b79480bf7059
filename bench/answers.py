"""The answers of the query function, from the JSON of a request to the JSON of the response.

Without HTTP and without the engine's cache of conditions, which would answer a repeated search.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bench.search_tables import ACME
from functions.query.compile import Statement, statement
from functions.query.requests.request import search
from functions.query.requests.route_call import Answer, RouteCall
from functions.query.results.page import page
from functions.query.searching.event_search import EventSearch, SearchLimits
from functions.shared.access import Principal
from functions.shared.warehouse import Warehouse

LIMITS = SearchLimits(max_seconds=60, max_memory_bytes=1 << 30, max_result_bytes=1 << 26, max_threads=2)
NO_CACHE = {"use_query_condition_cache": 0}
_CALLER = Principal(ACME, "k", "p", frozenset({"read"}), 30, 1, "", "key:k", "managed_30")


def finder(warehouse: Warehouse, body: Mapping[str, Any], *, one_pass: bool = True) -> Callable[[], bytes]:
    """Makes the page of `body`, as the query function does."""
    content = json.dumps(body).encode()
    searching = EventSearch(warehouse, LIMITS)

    def find() -> bytes:
        asked = search(content)
        compiled = statement(asked, ACME)
        selected = compiled if one_pass else replace(compiled, one_pass=None)
        return page(asked, searching.find(selected, NO_CACHE))

    return find


def answerer(warehouse: Warehouse, answer: Answer, body: Mapping[str, Any]) -> Callable[[], bytes]:
    """Makes the response of the route of `answer` to `body`; for routes that find no events."""

    def run_in(
        _store: Any,
        _tenant: Any,
        selected: Statement,
        decode: Any,
        _nothing: Any,
        settings: Mapping[str, Any],
    ) -> Any:
        together = {**LIMITS.settings(), **settings, **NO_CACHE}
        return decode(warehouse.select_json(selected.sql, selected.parameters, together))

    def no_events(_store: Any) -> Any:
        raise AssertionError("the route finds no events")

    content = json.dumps(body).encode()
    call = RouteCall(body=content, caller=_CALLER, run_in=run_in, events_of=no_events, dry_run=False)
    return lambda: answer(call)
