"""A search reads no more when a table has more days, by counters of the engine: granules and rows.

One table has a day of 100,000 rows, the other six more days before it (tests.integration.rare_rows). Parts
are read by one thread, so the numbers are the same in every run. Each table has rows of two tenants.
"""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from bench.in_process import embedded_engine
from functions.query import times
from functions.query.compile import Statement, statement
from functions.query.requests.request import search
from functions.query.results.page import page
from functions.query.results.rows import EventRow, SearchResult
from functions.query.searching.event_search import EventSearch, SearchLimits
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from tests.integration.rare_rows import TRACE_ID, insert_day

ACME, BETA = TenantId("acme"), TenantId("beta")
LIMITS = SearchLimits(max_seconds=60, max_memory_bytes=1 << 30, max_result_bytes=1 << 26, max_threads=1)
DAYS = 7
LAST_DAY = {"from": "2026-11-07T00:00:00Z", "to": "2026-11-08T00:00:00Z"}
WEEK = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-08T00:00:00Z"}
FIRST_NS = times.parse(WEEK["from"])
MINUTE_NS = 60 * times.NANOSECONDS
SETTINGS = {
    "use_query_condition_cache": 0,
    "use_top_k_dynamic_filtering": 0,
    "use_skip_indexes_for_top_k": 0,
}
"""Without what depends on earlier searches, or on when threads find rows."""

SHAPES: dict[str, dict[str, Any]] = {
    "latest 100": {},
    "latest 1,000": {"limit": 1000},
    "oldest 100": {"order": "asc"},
    "errors": {"levels": ["error"]},
    "a service": {"services": ["svc-1"]},
    "a word that all have": {"q": "shipped"},
    "a part of a word": {"query": "msg:*ppe*"},
    "an expression": {"query": "/items.[0-9]/"},
    "a value in metadata": {"query": "region:eu"},
    "a key exists": {"query": "plan:*"},
    "a range of a promoted key": {"query": "duration_ms:>400"},
    "a trace id": {"trace_id": TRACE_ID},
    "nothing": {"query": "level:trace"},
}


class Tables:
    """A table with the last day, and one with all days."""

    def __init__(self, day: Warehouse, week: Warehouse) -> None:
        self.day, self.week = day, week
        insert_day(day, DAYS)
        for number in range(1, DAYS + 1):
            insert_day(week, number)


@pytest.fixture(scope="module")
def tables() -> Iterator[Tables]:
    with embedded_engine() as room:
        yield Tables(room.database("day"), room.database("week"))


def _compiled(body: dict[str, Any], tenant: TenantId = ACME) -> Statement:
    return statement(search(json.dumps(body).encode()), tenant)


def _find(warehouse: Warehouse, body: dict[str, Any], tenant: TenantId = ACME) -> SearchResult:
    return EventSearch(warehouse, LIMITS).find(_compiled(body, tenant), SETTINGS)


def _in_two_passes(warehouse: Warehouse, body: dict[str, Any], tenant: TenantId = ACME) -> list[EventRow]:
    compiled = _compiled(body, tenant)
    exact = Statement(compiled.sql, compiled.parameters)
    return list(EventSearch(warehouse, LIMITS).find(exact).rows)


def _granules(warehouse: Warehouse, body: dict[str, Any]) -> int:
    """How many granules the indexes leave of a page in one pass."""
    compiled = _compiled(body)
    assert compiled.one_pass
    explained = warehouse.select(f"EXPLAIN ESTIMATE {compiled.one_pass.sql}", compiled.parameters)
    return sum(int(row["marks"]) for row in explained.rows)


@pytest.mark.parametrize("name", SHAPES)
def test_a_day_costs_the_same_with_six_more_days_in_the_table(tables: Tables, name: str) -> None:
    body = {**LAST_DAY, **SHAPES[name]}
    assert _granules(tables.week, body) == _granules(tables.day, body)
    alone, among = _find(tables.day, body), _find(tables.week, body)
    assert among.rows == alone.rows
    assert among.rows_read == alone.rows_read


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(
    ("asked", "granules"),
    [({}, 10), ({"limit": 1000}, 10), ({"levels": ["error"]}, 10), ({"query": "service:svc-1*"}, 2)],
    ids=["all", "a thousand", "errors", "services"],
)
def test_the_first_page_of_a_week_reads_its_first_hours_alone(
    tables: Tables, asked: dict[str, Any], granules: int, order: str
) -> None:
    """Of 84 granules. One has the rows of a service in 16 hours, so all services have eight at least."""
    body = {**WEEK, **asked, "order": order}
    assert _granules(tables.week, body) <= granules
    result = _find(tables.week, body)
    assert result.rows == _in_two_passes(tables.week, body)
    assert len(result.rows) == asked.get("limit", 100) + 1


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_the_first_page_of_a_service_reads_a_granule_of_each_part(tables: Tables, order: str) -> None:
    """The table is in its order. Reading the rows of the page takes one or two granules more."""
    body = {**WEEK, "services": ["svc-1"], "order": order}
    result = _find(tables.week, body)
    assert result.rows == _in_two_passes(tables.week, body)
    assert result.rows_read <= (DAYS + 2) * 8192


FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"levels": ["error", "fatal"]},
    {"query": "level:fatal"},
    {"query": "-project:shop"},
    {"query": "service:svc-* OR level:warn"},
    {"services": ["svc-1", "payroll"]},
    {"q": "deadlock"},
)


def _check_pages(warehouse: Warehouse, random: Random, tenant: TenantId) -> None:
    """Three pages of a random search have the rows of the same pages in two passes."""
    since, until = sorted(random.randrange(DAYS * 24 * 60) for _ in range(2))
    body = {
        "from": times.rfc3339(FIRST_NS + since * MINUTE_NS),
        "to": times.rfc3339(FIRST_NS + until * MINUTE_NS),
        "order": random.choice(["asc", "desc"]),
        "limit": random.choice([1, 30, 1000]),
        **random.choice(FILTERS),
    }
    for _ in range(3):
        result = _find(warehouse, body, tenant)
        assert result.rows == _in_two_passes(warehouse, body, tenant)
        assert all(row.message.startswith(f"{tenant} ") for row in result.rows)
        cursor = json.loads(page(search(json.dumps(body).encode()), result))["next_cursor"]
        if cursor is None:
            return
        body["cursor"] = cursor


@pytest.mark.parametrize("seed", range(12))
def test_pages_of_any_range_are_those_in_two_passes(tables: Tables, seed: int) -> None:
    for tenant in (ACME, BETA):
        _check_pages(tables.week, Random(seed), tenant)


def test_parts_without_the_counts_are_read_and_their_pages_are_the_same(tables: Tables) -> None:
    """Parts of a customer's table may lack the projection."""
    tables.week.command("SYSTEM START MERGES events")
    for day in (2, 6):
        tables.week.command(
            f"ALTER TABLE events CLEAR PROJECTION counts_by_hour IN PARTITION ('2026-12-0{day + 1}', 0)",
            settings={"mutations_sync": 1},
        )
    for order in ("asc", "desc"):
        for tenant in (ACME, BETA):
            body = {**WEEK, "order": order}
            result = _find(tables.week, body, tenant)
            assert len(result.rows) == 101
            assert result.rows == _in_two_passes(tables.week, body, tenant)
