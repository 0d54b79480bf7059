"""Search in the events table: read-only, within limits, with HTTP errors for the caller."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from functions.query.compile import Statement
from functions.query.errors import (
    QUERY_TOO_HEAVY,
    invalid_regex,
    search_unavailable,
    too_heavy,
    too_many_searches,
)
from functions.query.limits.row_budget import RowBudget
from functions.query.limits.row_meter import STOPPED_ROWS_A_SECOND, RowMeter
from functions.query.results import rows
from functions.query.results.cursor import MANAGED, Store
from functions.query.results.statistics import rows_read_in
from functions.query.searching.one_pass import LAZY_SINCE, find_page
from functions.shared.access import Principal
from functions.shared.errors import HttpError, RetryableError
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import (
    OutcomeUnknownError,
    Warehouse,
    WarehouseBusyError,
    WarehouseDownError,
    WarehouseRefusedError,
)

TOO_HEAVY_CODES = frozenset({158, 159, 160, 191, 241, 307, 396})
"""Too many rows or bytes, timeout, too slow, set or memory too large, result too large."""

WHOLE_RESULTS: Mapping[str, Any] = {
    **dict.fromkeys(
        (
            "timeout_overflow_mode", "timeout_overflow_mode_leaf", "read_overflow_mode",
            "read_overflow_mode_leaf", "result_overflow_mode", "group_by_overflow_mode", "sort_overflow_mode",
            "set_overflow_mode", "distinct_overflow_mode", "join_overflow_mode", "transfer_overflow_mode",
        ),
        "throw",
    ),
    "limit": 0,
    "offset": 0,
    "skip_unavailable_shards": 0,
}  # fmt: skip
"""A search that reaches a limit fails. With other values, which the profile of a user may have, the engine
returns a part of the rows as if it were all of them."""

CANNOT_COMPILE_REGEX = 427

SAME_ID_RUNS = 216
"""ClickHouse's QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """The engine's limits for one search."""

    max_seconds: int
    max_memory_bytes: int
    max_result_bytes: int
    max_threads: int

    def settings(self) -> dict[str, Any]:
        """The engine settings that enforce the limits and make the search read-only.

        `readonly` is 2 because a user's profile may set it too, and then a request cannot set 1. A search is
        cancelled when its client disconnects, so that it does not slow down the others. One thread formats
        its result: to start another takes 0.4 ms of CPU.
        """
        return {
            "max_execution_time": self.max_seconds,
            "max_memory_usage": self.max_memory_bytes,
            "max_result_bytes": self.max_result_bytes,
            "max_threads": self.max_threads,
            **WHOLE_RESULTS,
            "output_format_json_validate_utf8": 1,
            "output_format_parallel_formatting": 0,
            "cancel_http_readonly_queries_on_client_close": 1,
            "readonly": 2,
        }


class EventSearch:
    """Runs statements on `warehouse`, which is that of `store`.

    `unavailable` makes the error for an unavailable ClickHouse.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        limits: SearchLimits,
        unavailable: Callable[[RetryableError], HttpError] = lambda _fault: search_unavailable(),
        store: Store = MANAGED,
    ) -> None:
        self._warehouse = warehouse
        self._unavailable = unavailable
        self._store = store
        self._settings = limits.settings()

    def find(self, statement: Statement, settings: Mapping[str, Any] | None = None) -> rows.SearchResult:
        """The rows of `statement`, in one pass where the engine is able to; as `answer`."""

        def run(selected: Statement, more: Mapping[str, Any]) -> rows.SearchResult:
            return self.answer(selected, self.decoded_rows, {**(settings or {}), **more})

        return find_page(statement, run, self.reads_lazily)

    def reads_lazily(self) -> bool:
        """Whether the engine reads the columns of a page's rows alone; raises as `answer`."""
        with self._http_errors():
            return self._warehouse.engine_version() >= LAZY_SINCE

    def decoded_rows(self, content: bytes) -> rows.SearchResult:
        """The rows of events in an answer of this store."""
        return rows.decode(content, self._store)

    def answer(
        self,
        statement: Statement,
        decode: Callable[[bytes], T],
        settings: Mapping[str, Any] | None = None,
    ) -> T:
        """The decoded answer to `statement`, run with `settings` in addition to the limits.

        Raises
        ------
        HttpError: 400 `query_too_heavy` when a narrower search may succeed, and `invalid_query` for an
            expression that the engine does not compile; 503 `search_unavailable` when a retry may succeed.
        """
        together = {**self._settings, **(settings or {})}
        with self._http_errors():
            return decode(self._warehouse.select_json(statement.sql, statement.parameters, together))

    @contextmanager
    def _http_errors(self) -> Iterator[None]:
        """Raise the engine's errors as those of `answer`."""
        try:
            yield
        except (WarehouseBusyError, WarehouseRefusedError) as fault:
            if fault.engine_code in TOO_HEAVY_CODES:
                raise too_heavy() from fault
            if fault.engine_code == CANNOT_COMPILE_REGEX:
                raise invalid_regex() from fault
            if isinstance(fault, WarehouseRefusedError):
                raise
            raise self._unavailable(fault) from fault
        except (WarehouseDownError, OutcomeUnknownError) as fault:
            raise self._unavailable(fault) from fault


class ManagedSearch:
    """Our managed ClickHouse, with a limit of concurrent searches per tenant.

    A tenant has `slots` query ids, and the engine runs one query per id at a time. So the engine counts: no
    slot stays occupied when a function dies, and a search whose client has disconnected counts until the
    engine has stopped it (docs/adr/0025).

    Every search tries the slots in the same order. So none is rejected while the tenant never has more than
    `slots` searches at a time: a search that moves past a busy slot leaves its holder behind, so at most
    `slots - k` are ever at slot k or beyond. In random order a search can find each slot busy at the moment
    when it tries it, although one was free all the time.

    Parameters
    ----------
    slots: concurrent searches of one tenant, on each server of a cluster.
    tenant_setting: the custom setting that passes the tenant to the server's row policy; empty for none.
    budget: the rows that a tenant's searches may read; None for no limit.
    kind: the first part of the query ids; each kind has slots of its own.
    """

    def __init__(
        self,
        event_search: EventSearch,
        slots: int,
        tenant_setting: str = "",
        budget: RowBudget | None = None,
        kind: str = "search",
    ) -> None:
        self._event_search = event_search
        self._slots = slots
        self._tenant_setting = tenant_setting
        self._kind = kind
        self._budget = budget
        self._meter = RowMeter()

    def charging(self, caller: Principal) -> AbstractContextManager[None]:
        """Admits the caller's request, and charges it for the rows that its searches read in this block.

        Raises
        ------
        HttpError: 429 `search_budget_exceeded`.
        """
        return self._budget.charging(caller, self._meter) if self._budget else nullcontext()

    def find(self, tenant: TenantId, statement: Statement) -> rows.SearchResult:
        """The rows of `statement`, in one pass where the engine is able to; as `answer`."""

        def run(selected: Statement, more: Mapping[str, Any]) -> rows.SearchResult:
            return self.answer(tenant, selected, self._event_search.decoded_rows, more)

        return find_page(statement, run, self._event_search.reads_lazily)

    def answer(
        self,
        tenant: TenantId,
        statement: Statement,
        decode: Callable[[bytes], T],
        settings: Mapping[str, Any] | None = None,
    ) -> T:
        """The decoded answer to `statement`.

        Raises
        ------
        HttpError: 429 `too_many_searches` when all slots of `tenant` are in use; else as EventSearch.answer.
        """
        named = self._named(tenant, statement)
        decode = self._metered(tenant, decode)
        for slot in range(self._slots):
            try:
                slot_settings = {**(settings or {}), "query_id": f"{self._kind}/{tenant}/{slot}"}
                return self._answer(tenant, named, decode, slot_settings)
            except WarehouseRefusedError as refusal:
                if refusal.engine_code != SAME_ID_RUNS:
                    raise
        raise too_many_searches()

    def _metered(self, tenant: TenantId, decode: Callable[[bytes], T]) -> Callable[[bytes], T]:
        """`decode`, which also counts the rows read for the answer."""

        def counted(content: bytes) -> T:
            self._meter.add(tenant, rows_read_in(content))
            return decode(content)

        return counted

    def _answer(
        self,
        tenant: TenantId,
        named: Statement,
        decode: Callable[[bytes], T],
        slot_settings: Mapping[str, Any],
    ) -> T:
        """As EventSearch.answer; counts a search that the engine stopped, too, by its time."""
        began = time.monotonic()
        try:
            return self._event_search.answer(named, decode, slot_settings)
        except HttpError as stopped:
            if stopped.code == QUERY_TOO_HEAVY:
                self._meter.add(tenant, round((time.monotonic() - began) * STOPPED_ROWS_A_SECOND))
            raise

    def _named(self, tenant: TenantId, statement: Statement) -> Statement:
        """Add the tenant's id to `statement` for the row policy; a tenant id never contains a quote."""
        if not self._tenant_setting:
            return statement
        return replace(statement, sql=f"{statement.sql} SETTINGS {self._tenant_setting} = '{tenant}'")
