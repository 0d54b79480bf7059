"""Which index each shape of a search uses, by counters of the engine: docs/query.md has the table.

700,000 rows of seven days, of which 19 in 20 are of one tenant. Each rare value is in three of that tenant's
rows of one day, and in rows of the other tenant. The engine says how many granules (8,192 rows) its indexes
leave of all, which is the same in every run.
"""
# ruff: noqa: S608 - the statements are of this module alone

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from functions.query.compile import Statement, statement
from functions.query.estimate import PAGE_PASSES, decode_estimate, matching_statement, page_statements
from functions.query.event_context import RANGES_NS
from functions.query.requests.request import Search, search
from functions.query.results.cursor import MANAGED
from functions.query.results.row_order import PageRange
from functions.query.results.rows import SearchResult
from functions.query.searching.event_id import EventId
from functions.query.searching.event_search import EventSearch, SearchLimits
from functions.query.searching.event_statements import event_statement, neighbours_statement, position_of
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from tests.integration.rare_rows import REQUEST_ID, TRACE_ID, insert_day
from tests.integration.warehouse_process import clickhouse

DOCUMENT = Path(__file__).parents[2] / "docs" / "query.md"
TABLE = DOCUMENT.read_text().partition("\n## Which index a query uses\n")[2].partition("\n## ")[0]
LIMITS = SearchLimits(max_seconds=60, max_memory_bytes=1 << 30, max_result_bytes=1 << 26, max_threads=1)
ACME = TenantId("acme")
DAYS = 7
MOST_OF_ALL = 0.2
WEEK = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-08T00:00:00Z"}


@dataclass(frozen=True)
class Shape:
    """A kind of search for a value in three rows, and the index that finds it."""

    name: str
    body: dict[str, Any]
    index: str


def _asked(query: str, index: str, name: str, **body: Any) -> Shape:
    return Shape(name, {**WEEK, "query": query, **body}, index)


SHAPES = (
    _asked("deadlock", "message_words", "a word"),
    _asked('"restarting transaction"', "message_words", "a phrase"),
    _asked('"when try"*', "message_words", "a phrase that ends with a prefix"),
    _asked("msg:*found when try*", "message_words", "a part of the message with whole words"),
    _asked("/deadlock found when (trying|waiting) to/", "message_words", "an expression with whole words"),
    _asked("level:fatal", "level_values", "a level"),
    _asked("service:payroll", "PrimaryKey", "a service"),
    _asked(f"trace_id:{TRACE_ID}", "trace_id_bloom", "a trace id"),
    _asked('region:("eu-lab" OR "us-lab" OR "ap-lab")', "metadata_tokens_text", "texts in metadata"),
    _asked("status:599", "metadata_tokens_text", "a number in metadata, of up to three digits"),
    _asked("coupon:*", "metadata_tokens_text", "a key exists"),
    _asked('plan:"SPRING-2026 for"*', "metadata_words", "a value with a prefix of whole words"),
    _asked("retries:>5", "metadata_tokens_text", "a range of a rare key"),
    _asked("duration_ms:>90000", "duration_range", "a range of `duration_ms`"),
    _asked("deadlock OR retries:7", "message_words", "one condition or another"),
    _asked("-project:shop", "project_values", "NOT"),
    _asked(f"request_id:{REQUEST_ID}", "metadata_words", "an id in metadata"),
)
HOUR = {"from": "2026-11-04T10:00:00Z", "to": "2026-11-04T11:00:00Z"}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with clickhouse(tmp_path_factory.mktemp("index_use")) as address:
        Schema(address).bring_up_to_date(migrations())
        connection = Warehouse(address, 120)
        for day in range(1, DAYS + 1):
            insert_day(connection, day)
        yield connection
        connection.close()


def explained(warehouse: Warehouse, kind: str, selected: Statement) -> list[dict[str, Any]]:
    return warehouse.select(f"EXPLAIN {kind} {selected.sql}", selected.parameters).rows


def granules(warehouse: Warehouse, selected: Statement) -> int:
    """How many granules the indexes leave."""
    return sum(int(each["marks"]) for each in explained(warehouse, "ESTIMATE", selected))


def total(warehouse: Warehouse) -> int:
    """Granules of the whole table."""
    return granules(warehouse, Statement("SELECT timestamp FROM events", {}))


def check_share(warehouse: Warehouse, name: str, written: str, index: str, selected: Statement) -> None:
    """The index is used, it leaves few granules, and the document says how many."""
    plan = "\n".join(row["explain"] for row in explained(warehouse, "indexes = 1", selected))
    assert index in plan
    left, of = granules(warehouse, selected), total(warehouse)
    assert left <= MOST_OF_ALL * of
    shown = written.replace("|", "\\|")
    assert f"| {name} | `{shown}` | `{index}` | {left} of {of} |" in TABLE.splitlines()


def request_of(body: dict[str, Any]) -> Search:
    return search(json.dumps(body).encode())


def page_of(warehouse: Warehouse, body: dict[str, Any], **settings: int) -> SearchResult:
    selected = statement(request_of(body), ACME)
    return EventSearch(warehouse, LIMITS).find(selected, settings)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_rare_value_is_found_in_a_fifth_of_the_granules_at_most(warehouse: Warehouse, shape: Shape) -> None:
    selected = matching_statement(request_of(shape.body), ACME)
    check_share(warehouse, shape.name, shape.body["query"], shape.index, selected)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_what_an_index_finds_is_what_reading_everything_finds(warehouse: Warehouse, shape: Shape) -> None:
    """And nothing of the other tenant, whose rows have the same values."""
    found = page_of(warehouse, shape.body).rows
    assert found == page_of(warehouse, shape.body, use_skip_indexes=0).rows
    assert [row.message[:5] for row in found] == ["acme "] * 3


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_search_reads_no_more_than_its_estimate(warehouse: Warehouse, shape: Shape) -> None:
    estimated = 0
    for selected in page_statements(request_of(shape.body), ACME):
        answered = warehouse.select_json(f"EXPLAIN ESTIMATE {selected.sql}", selected.parameters)
        estimated += PAGE_PASSES * decode_estimate(answered).rows
    result = page_of(warehouse, shape.body)
    assert 0 < result.rows_read <= estimated
    assert result.bytes_read > result.rows_read


def test_an_hour_of_seven_days_is_read_alone(warehouse: Warehouse) -> None:
    selected = matching_statement(request_of(HOUR), ACME)
    check_share(warehouse, "an hour of seven days", "from, to", "timestamp_range", selected)
    assert len(page_of(warehouse, {**HOUR, "limit": 1000}).rows) == 1001


def test_an_event_is_found_by_its_id(warehouse: Warehouse) -> None:
    event = page_of(warehouse, {**WEEK, "query": "level:fatal", "limit": 1}).rows[0]
    received = datetime.fromisoformat(f"{event.received_at[:23]}+00:00").timestamp()
    wanted = EventId(event.object_id, event.position, round(received * 1000))
    selected = event_statement(ACME, wanted)
    check_share(warehouse, "an event by its id", "GET /v1/events/{id}", "received_range", selected)
    result = EventSearch(warehouse, LIMITS).find(selected).rows
    assert [row.message for row in result] == [event.message]
    assert not EventSearch(warehouse, LIMITS).find(event_statement(TenantId("beta"), wanted)).rows


def test_neighbours_of_an_event_are_found_near_it(warehouse: Warehouse) -> None:
    event = page_of(warehouse, {**WEEK, "query": "service:svc-1", "limit": 1}).rows[0]
    wanted = PageRange("desc", 21, position_of(event), MANAGED)
    selected = neighbours_statement(ACME, event, "service", {}, wanted, RANGES_NS[0])
    near = selected.sql[selected.sql.index("WHERE") :].partition(" AND (timestamp < ")[0]
    narrow = Statement(f"SELECT timestamp FROM events {near}", selected.parameters)
    check_share(warehouse, "neighbours of an event", "GET /v1/events/{id}/context", "PrimaryKey", narrow)
    assert len(EventSearch(warehouse, LIMITS).find(selected).rows) == 21


def test_the_table_has_twenty_shapes() -> None:
    rows = [line for line in TABLE.splitlines() if line.endswith(" of 91 |")]
    assert len(rows) == len(SHAPES) + 3 == 20


@pytest.mark.parametrize("query", ["deadl*", "msg:*eadloc*", "/deadl/", "status:>500", "request_id:d25ab5*"])
def test_the_page_says_which_conditions_no_index_answers(warehouse: Warehouse, query: str) -> None:
    selected = matching_statement(request_of({**WEEK, "query": query}), ACME)
    assert granules(warehouse, selected) > 0.9 * total(warehouse)
    assert f"`{query}`" in TABLE
