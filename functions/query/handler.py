"""Search: `POST /v1/search`, `GET /v1/events/{id}` and `GET /v1/events/{id}/context`.

Trigger: API Gateway, with the authorizer's result in the context; the key needs the scope `read`.
Promise: returns the matching events of the caller's tenant, newest first by default, those of equal time in
the order in which they were sent, in pages that neither skip nor repeat a row while logs arrive, with
metadata as it was sent. Without `from` and `to` it searches the last 24 hours. Every event has an id, by
which it and its neighbours are found. It only reads, with bounded SELECTs whose values are all bound, as a
read-only ClickHouse user. The number of concurrent searches per tenant is limited.
On failure: 400 `invalid_<field>` names the field; 413 `payload_too_large`; 400 `query_too_heavy` asks for a
narrower search; 404 `not_found` for an id of no event of the caller's; 429 `too_many_searches` when the
tenant's slots are in use; 503 `search_unavailable` with Retry-After when ClickHouse is down, busy or does not
answer. A BYOC customer's search runs in the customer's ClickHouse and returns 503 `destination_unavailable`
when that one fails, whatever it answers. Until the rows from before a move to BYOC are deleted, it runs in
our ClickHouse too, and both must answer.
"""

import time
from dataclasses import dataclass
from functools import cache

from functions.query.both_stores import find_in_both
from functions.query.byoc_search import ByocSearch
from functions.query.compile import statement
from functions.query.cursor import BYOC, MANAGED
from functions.query.event_context import (
    StatementOf,
    context_page,
    context_request,
    event_page,
    no_parameters,
)
from functions.query.event_search import EventSearch, ManagedSearch, SearchLimits
from functions.query.page import page
from functions.query.request import Search, search
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

    def run(compiled: StatementOf, order: Order, limit: int) -> SearchResult:
        return _run(caller, compiled, order, limit)

    match event["routeKey"]:
        case "GET /v1/events/{id}":
            no_parameters(asked.query)
            return event_page(run, caller.tenant, event["pathParameters"]["id"])
        case "GET /v1/events/{id}/context":
            wanted = context_request(asked.query)
            return context_page(run, caller.tenant, event["pathParameters"]["id"], wanted)
        case _:
            wanted_page = search(asked.body)
            compiled = _compiler(wanted_page, caller.tenant)
            return page(wanted_page, run(compiled, wanted_page.order, wanted_page.limit + 1))


def _compiler(asked: Search, tenant: TenantId) -> StatementOf:
    return lambda store, with_identity: statement(asked, tenant, store, with_identity=with_identity)


def _run(caller: Principal, compiled: StatementOf, order: Order, limit: int) -> SearchResult:
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
