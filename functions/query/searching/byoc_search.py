"""Search in BYOC tenants' ClickHouse, with the customers' credentials.

A customer's ClickHouse that answers slowly or never occupies a function for a search's whole timeout. So
each tenant has a limited number of slots, leases in the table of health: functions stay free for the
searches of other tenants.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from uuid import uuid4

from functions.query.compile import Statement
from functions.query.errors import search_unavailable, too_many_searches
from functions.query.results.cursor import BYOC
from functions.query.results.rows import NOTHING, SearchResult
from functions.query.searching.event_search import EventSearch, SearchLimits
from functions.shared.byoc.buckets import NoDestinationError, no_destination_error
from functions.shared.byoc.clients import ByocClients
from functions.shared.byoc.encryption import CredentialsUnreadableError
from functions.shared.byoc.health import HealthStore, SlotWait
from functions.shared.egress.egress_filter import AddressRefusedError
from functions.shared.errors import HttpError, RetryableError
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId, own_searches
from functions.shared.warehouse import WarehouseRefusedError

T = TypeVar("T")

_NO_TABLE_CODES = frozenset({60, 81})
_UNKNOWN_IDENTIFIER = 47


SLOT_MARGIN_SECONDS = 5
"""A slot outlasts its search, and expires by itself when the function dies."""


class ByocSearch:
    """Runs a tenant's statements in the tenant's ClickHouse.

    `timeout_seconds`: for a statement, from sending it to the last byte of the answer.
    `slots_of`: the name of a tenant's slots in the table of health.
    """

    def __init__(
        self,
        byoc_clients: ByocClients,
        health: HealthStore,
        limits: SearchLimits,
        timeout_seconds: int,
        slots_of: Callable[[TenantId], str] = own_searches,
    ) -> None:
        self._byoc_clients = byoc_clients
        self._health = health
        self._limits = limits
        self._timeout_seconds = timeout_seconds
        self._slots_of = slots_of

    def find(
        self, tenant: TenantId, statement: Statement, without_identity: Statement | None = None
    ) -> SearchResult:
        """The rows of `statement`; as `answer`.

        `without_identity`: the statement for a table that lacks a column, because our user may not alter it.
        """

        def run(event_search: EventSearch) -> SearchResult:
            try:
                return event_search.find(statement)
            except WarehouseRefusedError as refusal:
                if without_identity is None or refusal.engine_code != _UNKNOWN_IDENTIFIER:
                    raise
                return event_search.find(without_identity)

        return self._run(tenant, run, NOTHING)

    def answer(
        self,
        tenant: TenantId,
        statement: Statement,
        decode: Callable[[bytes], T],
        nothing: T,
        settings: Mapping[str, Any] | None = None,
    ) -> T:
        """The decoded answer to `statement`; as `_run`."""
        return self._run(tenant, lambda searching: searching.answer(statement, decode, settings), nothing)

    def _run(self, tenant: TenantId, run: Callable[[EventSearch], T], nothing: T) -> T:
        """What `run` finds; `nothing` before the first load, when the table does not exist yet.

        Raises
        ------
        HttpError: 503 `destination_unavailable` when the customer's ClickHouse does not answer, rejects
            our credentials or returns an invalid answer; 429 `too_many_searches`; 403 `no_destination_error`;
            else as EventSearch.answer.
        """
        with self._http_errors(tenant), self._slot(tenant):
            warehouse = self._byoc_clients.warehouse(tenant, self._timeout_seconds)
            event_search = EventSearch(
                warehouse, self._limits, lambda fault: self._unavailable(tenant, fault), BYOC
            )
            try:
                return run(event_search)
            except WarehouseRefusedError as refusal:
                if refusal.engine_code in _NO_TABLE_CODES:
                    return nothing
                # The customer's server causes any other error: our own ClickHouse runs the same statement.
                raise self._unavailable(tenant, refusal) from None

    @contextmanager
    def _slot(self, tenant: TenantId) -> Iterator[None]:
        seconds = self._timeout_seconds + SLOT_MARGIN_SECONDS
        slot = self._health.take(self._slots_of(tenant), str(uuid4()), seconds)
        if isinstance(slot, SlotWait):
            raise too_many_searches()
        try:
            yield
        finally:
            with suppress(StoreUnavailableError):
                self._health.release(slot)

    @contextmanager
    def _http_errors(self, tenant: TenantId) -> Iterator[None]:
        try:
            yield
        except NoDestinationError:
            raise no_destination_error() from None
        except (CredentialsUnreadableError, AddressRefusedError) as fault:
            raise self._unavailable(tenant, fault) from None
        except RetryableError:
            raise search_unavailable() from None
        except (ValueError, LookupError, TypeError) as fault:
            # The server at this address does not speak ClickHouse's protocol.
            raise self._unavailable(tenant, fault) from None

    def _unavailable(self, tenant: TenantId, _fault: Exception) -> HttpError:
        """Drop the cached destination: the credentials may have been rotated."""
        self._byoc_clients.evict(tenant)
        return HttpError(
            503,
            "destination_unavailable",
            "Your ClickHouse cannot be searched now: find the cause with POST /v1/destination/test.",
            retry_after_seconds=2,
        )
