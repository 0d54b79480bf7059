"""Search: `POST` and `GET /v1/search`, exports, events, their context, traces, `POST /v1/stats` and more.

Trigger: API Gateway, with the authorizer's result in the context; the key needs the scope `read`.
Promise: returns the matching events of the caller's tenant, newest first by default, those of equal time in
the order in which they were sent, in pages that neither skip nor repeat a row while logs arrive, with
metadata as it was sent. Without `from` and `to` it searches the last 24 hours. Every event has an id, by
which it and its neighbours are found. Stats are the table that a query with pipes makes of the events, and
completions what a query may continue with. A histogram has each event of its range once, and fields say how
many events they were counted on. It only reads, with bounded SELECTs whose values are all bound, as
a read-only ClickHouse user. A requested export is stored, for functions.query.search_exporter to write. The
number of concurrent searches per tenant is limited.
On failure: 400 `invalid_<field>` names the field, and `invalid_query` the column in a query; 413
`payload_too_large`; 400 `query_too_heavy` asks for a narrower search; 404 `not_found` for an id of no event
of the caller's; 409 `two_stores` when stats cannot cover both ClickHouses of an account; 429
`too_many_searches` when the tenant's slots are in use, and `search_budget_exceeded` with Retry-After when its
searches have read too many rows; 503 `search_unavailable` with Retry-After when
ClickHouse is down, busy or does not answer. A BYOC customer's search runs in the customer's ClickHouse and
returns 503 `destination_unavailable` when that one fails, whatever it answers. Until the rows from before a
move to BYOC are deleted, it runs in our ClickHouse too, and both must answer.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from functions.query import event_context
from functions.query.compile import Statement, statement
from functions.query.errors import naming_q
from functions.query.exporting.forms import EXPORT_ROUTES
from functions.query.limits.row_budget import RowBudget, RowRates
from functions.query.requests.dry_run import is_dry_run, without_dry_run
from functions.query.requests.parameters import check_parameters, search_parameters
from functions.query.requests.request import Search, search, search_of
from functions.query.requests.route_call import RouteCall, answer_of
from functions.query.requests.url_bodies import posted
from functions.query.results.cursor import BYOC, MANAGED, Store
from functions.query.results.page import page
from functions.query.results.row_order import Order
from functions.query.results.rows import SearchResult
from functions.query.search_settings import SearchSettings
from functions.query.searching.both_stores import find_in_both
from functions.query.searching.byoc_search import ByocSearch
from functions.query.searching.event_search import EventSearch, ManagedSearch
from functions.shared import journal
from functions.shared.access import Principal, principal
from functions.shared.byoc.clients import ByocClients, byoc_clients
from functions.shared.byoc.health import HealthStore
from functions.shared.egress.response_limits import MAX_ANSWER_BYTES
from functions.shared.http import Answer, Event, answer, answering, request
from functions.shared.platform_warehouse import PlatformWarehouse
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.signed_secrets import read_secret
from functions.shared.tenancy import TenantId

if TYPE_CHECKING:
    from functions.query.exporting.service import SearchExportService

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SearchSettings):
    """`searches_at_once`: per tenant in our ClickHouse.

    `search_rows_a_minute`: that all searches of an account may read in our ClickHouse, and
    `search_rows_a_minute_of_key` those of one key or person; 0 for no limit.
    """

    searches_at_once: int
    search_budgets_table: str
    search_rows_a_minute: int
    search_rows_a_minute_of_key: int
    search_exports_table: str
    exports_bucket: str


@cache
def _managed_search() -> ManagedSearch:
    settings = load(Settings)
    warehouse = PlatformWarehouse(settings.search_secret, settings.query_timeout_seconds + 3, read_secret)
    event_search = EventSearch(warehouse, settings.limits)
    rates = RowRates(settings.search_rows_a_minute, settings.search_rows_a_minute_of_key)
    budget = RowBudget(settings.search_budgets_table, rates)
    return ManagedSearch(event_search, settings.searches_at_once, settings.row_policy_setting, budget)


def _charged(event: Event, caller: Principal) -> AbstractContextManager[None]:
    """Charges the caller for the rows read in our ClickHouse; a customer's is the customer's to limit."""
    if is_dry_run(event) or not caller.has_managed_rows(time.time()):
        return nullcontext()
    return _managed_search().charging(caller)


@cache
def _byoc_clients() -> ByocClients:
    return byoc_clients(load(Settings), MAX_ANSWER_BYTES)


@cache
def _byoc_search() -> ByocSearch:
    settings = load(Settings)
    return ByocSearch(
        _byoc_clients(),
        HealthStore(settings.health_table),
        settings.limits,
        settings.query_timeout_seconds + 3,
    )


@cache
def _search_exports() -> "SearchExportService":
    from functions.query.exporting.service import search_export_service

    settings = load(Settings)
    return search_export_service(
        settings.search_exports_table, settings.exports_bucket, lambda: _byoc_clients().archives
    )


@instrumented
@answering
def handler(event: Event) -> Answer:
    """Handle one request; see the module's docstring."""
    began = time.monotonic()
    caller = principal(event).require("read")
    if event["routeKey"] in EXPORT_ROUTES:
        return _export_answer(event, caller)
    if event["routeKey"] == "POST /v1/query/format":
        return _format_answer(event)
    with _charged(event, caller), naming_q(event["routeKey"]):
        found = _answer(event, caller)
    took_ms = round((time.monotonic() - began) * 1000)
    journal.measure("query", {"RequestMs": (took_ms, "Milliseconds")}, tenant_id=caller.tenant)
    return answer(200, found)


def _export_answer(event: Event, caller: Principal) -> Answer:
    """The response of a route of exports, which read no rows."""
    asked, route = request(event), event["routeKey"]
    check_parameters(asked.query, method=asked.method)
    if route == "POST /v1/search/export":
        return answer(202, msgspec.json.encode(_search_exports().request(asked.body, caller)))
    if route == "GET /v1/search/exports":
        return answer(200, msgspec.json.encode(_search_exports().list(caller.tenant)))
    return answer(200, msgspec.json.encode(_search_exports().get(caller.tenant, _id_of(event))))


def _format_answer(event: Event) -> Answer:
    """The response of the one route that reads nothing of an account."""
    from functions.query.format import format_answer  # loaded at the first request

    asked = request(event)
    check_parameters(asked.query, method=asked.method)
    return answer(200, format_answer(asked.body))


def _answer(event: Event, caller: Principal) -> bytes:
    """The JSON response of the request's route."""
    asked, dry_run = without_dry_run(request(event), event["routeKey"])
    asked, route = posted(asked, event["routeKey"])
    if route == "GET /v1/search":
        return _search_page(search_of(search_parameters(asked.query)), caller, dry_run=dry_run)
    if route == "GET /v1/events/{id}/context":
        wanted = event_context.context_request(asked.query)
        return event_context.context_page(_events_of(caller), caller.tenant, _id_of(event), wanted)
    if route == "GET /v1/traces/{id}":
        from functions.query.traces import trace_page  # loaded at the first request

        tenant, days = caller.tenant, caller.retention_days
        return trace_page(_events_of(caller), tenant, _id_of(event), asked.query, days)
    check_parameters(asked.query, method=asked.method)
    if route == "GET /v1/events/{id}":
        return event_context.event_page(_events_of(caller), caller.tenant, _id_of(event))
    if route == "POST /v1/search":
        return _search_page(search(asked.body), caller, dry_run=dry_run)
    call = RouteCall(
        body=asked.body,
        caller=caller,
        run_in=_run_in,
        events_of=lambda store: _events_of(caller, store),
        dry_run=dry_run,
    )
    return answer_of(route)(call)


def _id_of(event: Event) -> str:
    return str(event["pathParameters"]["id"])


def _search_page(asked: Search, caller: Principal, *, dry_run: bool = False) -> bytes:
    if dry_run:
        from functions.query import estimate
        from functions.query.searching.search_stores import SearchStores

        stores = SearchStores(caller, _run_in, None, {})
        selected = estimate.page_statements(asked, caller.tenant)
        return estimate.estimate_answer(selected, stores, estimate.PAGE_PASSES)

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


def _events_of(caller: Principal, store: Store | None = None) -> event_context.Run:
    """Runs statements in the caller's stores, or in `store`, which the caller has."""
    return lambda compiled, order, limit: _run(caller, compiled, order, limit, store)


def _run(
    caller: Principal,
    compiled: event_context.StatementOf,
    order: Order,
    limit: int,
    store: Store | None = None,
) -> SearchResult:
    """Run a statement in the caller's ClickHouse (BYOC), in ours, or in both while both have rows."""

    def byoc() -> SearchResult:
        return _byoc_search().find(caller.tenant, compiled(BYOC, True), compiled(BYOC, False))

    def managed() -> SearchResult:
        return _managed_search().find(caller.tenant, compiled(MANAGED, True))

    if store == MANAGED or not caller.byoc:
        return managed()
    if store == BYOC or not caller.has_managed_rows(time.time()):
        return byoc()
    return find_in_both(byoc, managed, order, limit)
