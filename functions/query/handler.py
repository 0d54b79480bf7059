"""Search: `POST` and `GET /v1/search`, `GET /v1/events/{id}`, its context, `POST /v1/stats` and completions.

Trigger: API Gateway, with the authorizer's result in the context; the key needs the scope `read`.
Promise: returns the matching events of the caller's tenant, newest first by default, those of equal time in
the order in which they were sent, in pages that neither skip nor repeat a row while logs arrive, with
metadata as it was sent. Without `from` and `to` it searches the last 24 hours. Every event has an id, by
which it and its neighbours are found. Stats are the table that a query with pipes makes of the events, and
completions what a query may continue with. It only reads, with bounded SELECTs whose values are all bound, as
a read-only ClickHouse user. The number of concurrent searches per tenant is limited.
On failure: 400 `invalid_<field>` names the field, and `invalid_query` the column in a query; 413
`payload_too_large`; 400 `query_too_heavy` asks for a narrower search; 404 `not_found` for an id of no event
of the caller's; 409 `two_stores` when stats cannot cover both ClickHouses of an account; 429
`too_many_searches` when the tenant's slots are in use; 503 `search_unavailable` with Retry-After when
ClickHouse is down, busy or does not answer. A BYOC customer's search runs in the customer's ClickHouse and
returns 503 `destination_unavailable` when that one fails, whatever it answers. Until the rows from before a
move to BYOC are deleted, it runs in our ClickHouse too, and both must answer.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from functions.query import event_context
from functions.query.both_stores import find_in_both
from functions.query.byoc_search import ByocSearch
from functions.query.compile import Statement, statement
from functions.query.cursor import BYOC, MANAGED, Store
from functions.query.event_search import EventSearch, ManagedSearch, SearchLimits
from functions.query.page import page
from functions.query.parameters import check_parameters, search_parameters
from functions.query.request import Search, search, search_of
from functions.query.row_order import Order
from functions.query.rows import SearchResult
from functions.shared import journal
from functions.shared.access import Principal, principal
from functions.shared.byoc.clients import byoc_clients
from functions.shared.byoc.health import HealthStore
from functions.shared.byoc.settings import ByocSettings
from functions.shared.egress.response_limits import MAX_ANSWER_BYTES
from functions.shared.http import Answer, Event, answer, answering, request
from functions.shared.platform_warehouse import PlatformWarehouse
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tenancy import TenantId

T = TypeVar("T")

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings(ByocSettings):
    """`search_secret`: the address of our ClickHouse, with a read-only user (docs/deployment.md).

    `query_timeout_seconds`: the engine's timeout; the connection's timeout is a little longer.
    `searches_at_once`: per tenant in our ClickHouse. `query_threads`: of the engine, for one search.
    `row_policy_setting`: the custom setting that passes the tenant to a row policy; empty without one.
    """

    search_secret: str
    health_table: str
    query_timeout_seconds: int
    searches_at_once: int
    query_threads: int
    row_policy_setting: str = ""
    query_memory_mb: int = 1024
    query_result_mb: int = 64


@cache
def _managed_search() -> ManagedSearch:
    settings = load(Settings)
    warehouse = PlatformWarehouse(settings.search_secret, settings.query_timeout_seconds + 3)
    event_search = EventSearch(warehouse, _limits(settings))
    return ManagedSearch(event_search, settings.searches_at_once, settings.row_policy_setting)


@cache
def _byoc_search() -> ByocSearch:
    settings = load(Settings)
    return ByocSearch(
        byoc_clients(settings, MAX_ANSWER_BYTES),
        HealthStore(settings.health_table),
        _limits(settings),
        settings.query_timeout_seconds + 3,
    )


def _limits(settings: Settings) -> SearchLimits:
    return SearchLimits(
        max_seconds=settings.query_timeout_seconds,
        max_memory_bytes=settings.query_memory_mb * MEBIBYTE,
        max_result_bytes=settings.query_result_mb * MEBIBYTE,
        max_threads=settings.query_threads,
    )


@instrumented
@answering
def handler(event: Event) -> Answer:
    """Handle one request; see the module's docstring."""
    began = time.monotonic()
    caller = principal(event).require("read")
    found = _answer(event, caller)
    took_ms = round((time.monotonic() - began) * 1000)
    journal.measure("query", {"RequestMs": (took_ms, "Milliseconds")}, tenant_id=caller.tenant)
    return answer(200, found)


def _answer(event: Event, caller: Principal) -> bytes:
    """The JSON response of the request's route."""
    asked = request(event)
    route = event["routeKey"]
    if route == "GET /v1/search":
        return _search_page(search_of(search_parameters(asked.query)), caller)
    if route == "GET /v1/events/{id}/context":
        wanted = event_context.context_request(asked.query)
        return event_context.context_page(_events_of(caller), caller.tenant, _id_of(event), wanted)
    check_parameters(asked.query)
    if route == "GET /v1/events/{id}":
        return event_context.event_page(_events_of(caller), caller.tenant, _id_of(event))
    if route == "POST /v1/search":
        return _search_page(search(asked.body), caller)
    from functions.query import table_routes  # a search needs none of it, and starts sooner

    if route == "POST /v1/stats":
        return table_routes.stats_answer(asked.body, caller, _run_in)
    return table_routes.complete_answer(asked.body, caller, _run_in)


def _id_of(event: Event) -> str:
    return str(event["pathParameters"]["id"])


def _search_page(asked: Search, caller: Principal) -> bytes:
    def compiled(store: Store, with_identity: bool) -> Statement:
        return statement(asked, caller.tenant, store, with_identity=with_identity)

    return page(asked, _events_of(caller)(compiled, asked.order, asked.limit + 1))


def _run_in(
    store: Store,
    tenant: TenantId,
    selected: Statement,
    decode: Callable[[bytes], T],
    nothing: T,
    settings: Mapping[str, Any],
) -> T:
    """Run a statement in one store; `nothing` for a customer's that has no table yet."""
    if store == BYOC:
        return _byoc_search().answer(tenant, selected, decode, nothing, settings)
    return _managed_search().answer(tenant, selected, decode, settings)


def _events_of(caller: Principal) -> event_context.Run:
    """Runs statements in the caller's stores."""
    return lambda compiled, order, limit: _run(caller, compiled, order, limit)


def _run(caller: Principal, compiled: event_context.StatementOf, order: Order, limit: int) -> SearchResult:
    """Run a statement in the caller's ClickHouse (BYOC), in ours, or in both while both have rows."""

    def byoc() -> SearchResult:
        return _byoc_search().find(caller.tenant, compiled(BYOC, True), compiled(BYOC, False))

    def managed() -> SearchResult:
        return _managed_search().find(caller.tenant, compiled(MANAGED, True))

    if not caller.byoc:
        return managed()
    if not caller.has_managed_rows(time.time()):
        return byoc()
    return find_in_both(byoc, managed, order, limit)
