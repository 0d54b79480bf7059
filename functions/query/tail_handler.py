"""Tail: `GET /v1/tail`, a long poll for events as they are stored.

Trigger: API Gateway, with the authorizer's result in the context; the key needs the scope `read`.
Promise: returns the caller's events that match and whose batch was committed after the cursor, each exactly
once over a chain of cursors, within about a second of the commit (docs/adr/0049). Without a cursor it starts
now. It waits up to `wait` seconds for events, then returns none and a cursor. The number of concurrent tails
per tenant is limited, and they use neither the slots nor the concurrency of searches.
On failure: as functions.query.handler; also 410 `cursor_expired` and 429 `too_many_tails`. After any failure
the same cursor continues.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from functions.query.errors import naming_q
from functions.query.language.syntax_tree import Filter
from functions.query.results.cursor import BYOC, MANAGED
from functions.query.results.row_order import PageRange
from functions.query.results.rows import SearchResult
from functions.query.search_settings import SearchSettings
from functions.query.searching.byoc_search import ByocSearch
from functions.query.searching.event_search import EventSearch, ManagedSearch
from functions.query.tailing.commit_reader import MANAGED_LOG, CommitReader, TenantBatch
from functions.query.tailing.request import MAX_WAIT_SECONDS, tail_request
from functions.query.tailing.slots import TailSlots
from functions.query.tailing.statements import count_statement, decode_count, rows_statement
from functions.query.tailing.tail import FollowedStore, Tail
from functions.shared import journal
from functions.shared.access import Principal, principal
from functions.shared.byoc.clients import byoc_clients
from functions.shared.byoc.health import HealthStore
from functions.shared.egress.response_limits import MAX_ANSWER_BYTES
from functions.shared.http import Answer, Event, answer, answering, request
from functions.shared.platform_warehouse import PlatformWarehouse
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.signed_secrets import read_secret
from functions.shared.tenancy import TenantId, own_destination, own_tail_reads

SLOT_SECONDS = MAX_WAIT_SECONDS + 20
"""Longer than a request may take; a slot whose function died expires then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SearchSettings):
    """`tails_at_once`: per tenant."""

    ledger_table: str
    tails_at_once: int
    query_memory_mb: int = 512
    query_result_mb: int = 16


@dataclass(frozen=True, slots=True)
class ManagedReads:
    """A tenant's reads in our ClickHouse."""

    search: ManagedSearch
    tenant: TenantId

    def rows(self, batches: Sequence[TenantBatch], found: Filter, wanted: PageRange) -> SearchResult:
        return self.search.find(self.tenant, rows_statement(self.tenant, batches, found, wanted))

    def count(self, batches: Sequence[TenantBatch]) -> int:
        return self.search.answer(self.tenant, count_statement(self.tenant, batches), decode_count)


@dataclass(frozen=True, slots=True)
class ByocReads:
    """A tenant's reads in its own ClickHouse."""

    search: ByocSearch
    tenant: TenantId

    def rows(self, batches: Sequence[TenantBatch], found: Filter, wanted: PageRange) -> SearchResult:
        return self.search.find(
            self.tenant,
            rows_statement(self.tenant, batches, found, wanted),
            rows_statement(self.tenant, batches, found, wanted, with_identity=False),
        )

    def count(self, batches: Sequence[TenantBatch]) -> int:
        return self.search.answer(self.tenant, count_statement(self.tenant, batches), decode_count, 0)


@cache
def _managed_search() -> ManagedSearch:
    settings = load(Settings)
    warehouse = PlatformWarehouse(settings.search_secret, settings.query_timeout_seconds + 2, read_secret)
    event_search = EventSearch(warehouse, settings.limits)
    return ManagedSearch(event_search, settings.tails_at_once, settings.row_policy_setting, kind="tail")


@cache
def _byoc_search() -> ByocSearch:
    settings = load(Settings)
    return ByocSearch(
        byoc_clients(settings, MAX_ANSWER_BYTES),
        HealthStore(settings.health_table),
        settings.limits,
        settings.query_timeout_seconds + 2,
        own_tail_reads,
    )


@cache
def _commits() -> CommitReader:
    return CommitReader(load(Settings).ledger_table)


@cache
def _slots() -> TailSlots:
    settings = load(Settings)
    return TailSlots(settings.health_table, settings.tails_at_once, SLOT_SECONDS)


@instrumented
@answering
def handler(event: Event) -> Answer:
    """Handle one request; see the module's docstring."""
    began = time.monotonic()
    caller = principal(event).require("read")
    with naming_q(event["routeKey"]):
        asked = tail_request(request(event).query, caller.tenant)
    with _slots().slot(caller.tenant):
        found = Tail(caller.tenant, _commits(), _stores(caller)).answer(asked)
    took_ms = round((time.monotonic() - began) * 1000)
    journal.measure("query", {"TailMs": (took_ms, "Milliseconds")}, tenant_id=caller.tenant)
    return answer(200, found)


def _stores(caller: Principal) -> list[FollowedStore]:
    """The caller's stores. Ours is first while both have rows: it receives the last objects from before."""
    tenant = caller.tenant
    stores = []
    if caller.has_managed_rows(time.time()):
        stores.append(FollowedStore(MANAGED, MANAGED_LOG, ManagedReads(_managed_search(), tenant)))
    if caller.byoc:
        stores.append(FollowedStore(BYOC, own_destination(tenant), ByocReads(_byoc_search(), tenant)))
    return stores
