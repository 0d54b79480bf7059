"""A tenant's slots in our ClickHouse, and what a search sends beside its statement."""

from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.query.compile import Statement
from functions.query.searching.event_search import (
    SAME_ID_RUNS,
    WHOLE_RESULTS,
    EventSearch,
    ManagedSearch,
    SearchLimits,
)
from functions.shared.errors import HttpError
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import WarehouseRefusedError, refusal

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
STATEMENT = Statement("SELECT 1", {})
NOTHING_FOUND = b'{"data":[],"statistics":{"rows_read":0,"elapsed":0.0}}'
LIMITS = SearchLimits(max_seconds=20, max_memory_bytes=2, max_result_bytes=3, max_threads=4)


class Engine:
    """Runs one query of an id at a time; `running` are those of others that do not end."""

    def __init__(self, running: set[str] | None = None, fault: Exception | None = None) -> None:
        self.running = running or set()
        self.fault = fault
        self.sent: list[dict[str, Any]] = []
        self.statements: list[str] = []

    def select_json(self, sql: str, _parameters: Any, settings: dict[str, Any]) -> bytes:
        self.statements.append(sql)
        self.sent.append(settings)
        if settings["query_id"] in self.running:
            raise refusal(SAME_ID_RUNS)
        if self.fault:
            raise self.fault
        return NOTHING_FOUND


def shared(engine: Engine, tenant_setting: str = "") -> ManagedSearch:
    return ManagedSearch(EventSearch(engine, LIMITS), 4, tenant_setting)  # type: ignore[arg-type]


def slots(tenant: str, *numbers: int) -> set[str]:
    return {f"search/{tenant}/{number}" for number in numbers}


def test_a_search_takes_the_slot_that_is_free() -> None:
    engine = Engine(slots("acme", 0, 1, 3))
    shared(engine).find(ACME, STATEMENT)
    assert engine.sent[-1]["query_id"] == "search/acme/2"


def test_a_tenant_without_a_free_slot_is_refused_and_no_slot_is_asked_twice() -> None:
    engine = Engine(slots("acme", 0, 1, 2, 3))
    with pytest.raises(HttpError) as refused:
        shared(engine).find(ACME, STATEMENT)
    assert (refused.value.status, refused.value.code) == (429, "too_many_searches")
    assert {each["query_id"] for each in engine.sent} == slots("acme", 0, 1, 2, 3)
    assert len(engine.sent) == 4


def test_the_slots_of_one_tenant_are_not_anothers() -> None:
    engine = Engine(slots("acme", 0, 1, 2, 3))
    assert list(shared(engine).find(GLOBEX, STATEMENT).rows) == []
    assert {each["query_id"] for each in engine.sent} < slots("globex", 0, 1, 2, 3)


class RunningError(Exception):
    """The engine runs the search, which does not end yet."""


class SharedEngine:
    """Runs one query of an id at a time. Before it answers, `between` lets other searches end and begin."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.between: Callable[[], None] = lambda: None

    def select_json(self, _sql: str, _parameters: Any, settings: dict[str, Any]) -> bytes:
        self.between()
        if settings["query_id"] in self.running:
            raise refusal(SAME_ID_RUNS)
        self.running.append(settings["query_id"])
        raise RunningError


@given(slots=st.integers(1, 5), moves=st.lists(st.integers(0, 9), max_size=40))
def test_a_search_within_the_tenants_share_is_never_refused_whatever_ends_and_begins_meanwhile(
    slots: int, moves: list[int]
) -> None:
    engine, left = SharedEngine(), iter(moves)
    search = ManagedSearch(EventSearch(engine, LIMITS), slots)  # type: ignore[arg-type]

    def begin() -> None:
        with pytest.raises(RunningError):
            search.find(ACME, STATEMENT)

    def end_and_begin_others() -> None:
        """Up to three of the other searches end, and as many begin, while one tries its slots."""
        for move in islice(left, 3):
            if engine.running:
                engine.running.pop(move % len(engine.running))
                between, engine.between = engine.between, lambda: None
                begin()
                engine.between = between

    for _ in range(slots - 1):
        begin()
    engine.between = end_and_begin_others
    begin()


def test_a_refusal_for_another_reason_is_no_busy_slot() -> None:
    engine = Engine(fault=refusal(62))
    with pytest.raises(WarehouseRefusedError):
        shared(engine).find(ACME, STATEMENT)
    assert len(engine.sent) == 1


def test_a_search_only_reads_within_limits_and_ends_with_its_caller() -> None:
    engine = Engine()
    shared(engine).find(ACME, STATEMENT)
    (sent,) = engine.sent
    assert sent.pop("query_id").startswith("search/acme/")
    assert sent == {
        "max_execution_time": 20,
        "max_memory_usage": 2,
        "max_result_bytes": 3,
        "max_threads": 4,
        "output_format_json_validate_utf8": 1,
        "output_format_parallel_formatting": 0,
        "cancel_http_readonly_queries_on_client_close": 1,
        "readonly": 2,
        **WHOLE_RESULTS,
    }


def test_each_search_names_its_own_tenant_to_the_row_policy() -> None:
    engine = Engine()
    for tenant in (ACME, GLOBEX):
        shared(engine, "SQL_tenant_id").find(tenant, STATEMENT)
    assert engine.statements == [
        "SELECT 1 SETTINGS SQL_tenant_id = 'acme'",
        "SELECT 1 SETTINGS SQL_tenant_id = 'globex'",
    ]
    shared(engine).find(ACME, STATEMENT)
    assert engine.statements[-1] == "SELECT 1"
