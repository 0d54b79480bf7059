"""Histograms and tables that are counted by whole hours are those of the rows, and read far less.

The table has rows of two tenants on three days, some of them loaded twice under one token, and rows at times
that the type of an hour cannot hold. Another table's times are in a time zone half an hour from whole hours.
"""
# ruff: noqa: S608 - the statements are of this module alone

import json
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest

from bench.in_process import embedded_engine
from functions.query import times
from functions.query.bindings import Bindings
from functions.query.compile import base_conditions, counted, hours, narrowed_range
from functions.query.compile.counted import hours_of_table
from functions.query.complete import complete_request, known_statement
from functions.query.counting.counted_fields import (
    CountedField,
    counted_fields,
    counted_statement,
    decode_counted,
)
from functions.query.estimate import decode_estimate
from functions.query.fields import decode_sample, fields_request, sample_statement
from functions.query.histogram import (
    HistogramRequest,
    bucket_statement,
    decode_counts,
    decode_values,
    estimated_statements,
    histogram_request,
    value_statement,
)
from functions.query.results.cursor import MANAGED
from functions.query.results.row_order import PageRange
from functions.query.results.table_rows import decode_table
from functions.query.stats import compiled_stats, stats_request
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from tests.integration.loading import load, staged
from tests.integration.rare_rows import insert_day

TENANTS = (TenantId("acme"), TenantId("beta"))
FIRST_NS = times.parse("2026-10-31T00:00:00Z")
MINUTE_NS = 60 * times.NANOSECONDS
DAYS = 3
FAR = ("1960-05-05 05:05:05.0", "1970-01-01 00:30:00.0", "2106-02-07 06:30:00.0", "2200-01-01 00:00:00.0")
WEEK = {"from": "2026-10-30T00:00:00Z", "to": "2026-11-06T00:00:00Z"}
MONTH = {"from": "2026-10-01T00:10:00Z", "to": "2026-11-03T17:30:00Z"}
KOLKATA = "Asia/Kolkata"

FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"levels": ["error", "fatal"]},
    {"services": ["payroll", "svc-2"]},
    {"query": "-service:svc-* OR level:error"},
    {"query": "-project:shop"},
    {"query": "deadlock"},
)


@pytest.fixture(scope="module", params=["UTC", KOLKATA])
def table(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    with embedded_engine() as room:
        warehouse = room.database("counted")
        if request.param == KOLKATA:
            _set_time_zone(warehouse)
        for day in range(1, DAYS + 1):
            insert_day(warehouse, day)
        rows = [staged(tenant_id=tenant, timestamp=at) for tenant in TENANTS for at in FAR]
        twice = [
            staged(tenant_id=tenant, timestamp=f"2026-11-02 10:{minute:02}:00.0")
            for tenant in TENANTS
            for minute in range(60)
        ]
        for _ in range(2):
            load(warehouse, [*rows, *twice], "loaded twice")
        yield warehouse


def _set_time_zone(warehouse: Warehouse) -> None:
    """Replace the table by one whose times are in a time zone of half an hour."""
    created = warehouse.select("SHOW CREATE TABLE events").rows[0]["statement"]
    warehouse.command("DROP TABLE events SYNC")
    warehouse.command(created.replace("DateTime64(9, 'UTC')", f"DateTime64(9, '{KOLKATA}')"))


def _request(body: dict[str, Any]) -> HistogramRequest:
    return histogram_request(json.dumps(body).encode())


def _answer(
    warehouse: Warehouse, body: dict[str, Any], tenant: TenantId, *, in_utc: bool = False
) -> tuple[Any, Any, int]:
    """The values of the field, the counts of the buckets, and the rows that were read for the latter."""
    request = _request(body)
    values: list[Any] = []
    if request.split_by:
        found = value_statement(request, request.split_by, tenant, in_utc=in_utc)
        answered = decode_values(warehouse.select_json(found.sql, found.parameters))
        values = [(row.c0, int(row.c1)) for row in answered.data]
    groups = [value for value, _ in values[:2]]
    counted = bucket_statement(request, tenant, groups, in_utc=in_utc)
    answered = warehouse.select_json(counted.sql, counted.parameters)
    buckets = decode_counts(answered, len(request.starts), len(groups))
    counts = sorted((row.c0, int(row.c1)) for row in buckets.data)
    return values, counts, buckets.statistics.rows_read


def _of_rows(
    warehouse: Warehouse, body: dict[str, Any], tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> tuple[Any, Any, int]:
    """The same without whole hours."""
    with _by_rows(monkeypatch):
        return _answer(warehouse, body, tenant)


@contextmanager
def _by_rows(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """No statement has whole hours until the block ends."""
    with monkeypatch.context() as patched:
        patched.setattr(counted, "whole_hours", lambda *_: None)
        yield patched


@pytest.mark.parametrize("seed", range(15))
def test_a_histogram_by_hours_is_that_of_the_rows(
    table: Warehouse, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    random = Random(seed)
    since, until = sorted(random.randrange(5 * 24 * 60) for _ in range(2))
    split_by = random.choice([None, "level", "service", "project", "region"])
    body = {
        "from": times.rfc3339(FIRST_NS + since * MINUTE_NS),
        "to": times.rfc3339(FIRST_NS + until * MINUTE_NS + random.choice([0, 1])),
        "interval": random.choice(["30m", "1h", "3h", "12h", "1d"]),
        "time_zone": random.choice(["UTC", "America/New_York", KOLKATA]),
        **({"split_by": split_by} if split_by else {}),
        **random.choice(FILTERS),
    }
    for tenant in TENANTS:
        by_hours = _answer(table, body, tenant)
        assert by_hours[:2] == _of_rows(table, body, tenant, monkeypatch)[:2]
        assert sum(count for *_, count in by_hours[1]) >= 0


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize(
    ("since", "until"),
    [("1970-01-01", "1970-01-20"), ("2106-02-01", "2106-02-09"), ("2199-12-20", "2200-01-09")],
)
def test_times_that_an_hour_cannot_hold_are_counted_where_they_are(
    table: Warehouse, monkeypatch: pytest.MonkeyPatch, tenant: TenantId, since: str, until: str
) -> None:
    body = {"from": since, "to": until, "interval": "1d"}
    result = _answer(table, body, tenant)
    assert result[:2] == _of_rows(table, body, tenant, monkeypatch)[:2]
    assert [count for *_, count in result[1]] == [1]


def test_a_batch_that_is_loaded_twice_is_counted_once(table: Warehouse) -> None:
    for tenant in TENANTS:
        body = {**WEEK, "interval": "1h", "query": "service:gateway"}
        assert [count for *_, count in _answer(table, body, tenant)[1]] == [60]


def test_a_week_by_hours_reads_the_counts_alone(table: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless an hour of the table may belong to two buckets."""
    body = {**WEEK, "interval": "1h", "split_by": "level"}
    zone = table.select("SELECT any(timezoneOf(timestamp)) AS zone FROM events").rows[0]["zone"]
    counted, of_rows = _answer(table, body, TENANTS[0]), _of_rows(table, body, TENANTS[0], monkeypatch)
    assert counted[:2] == of_rows[:2]
    assert of_rows[2] > 250_000
    estimated = 0
    for selected in estimated_statements(_request(body), TENANTS[0]):
        answered = table.select_json(f"EXPLAIN ESTIMATE {selected.sql}", selected.parameters)
        estimated += decode_estimate(answered).rows
    assert counted[2] <= estimated <= 2 * counted[2] + 2 * 8192
    if zone == "UTC":
        assert counted[2] < 5_000
    else:
        assert counted[2] >= of_rows[2]


WHERE = ("", " | where level:(error OR warn)", " | where -service:svc-3 | sort service", " | where order")
FIELDS = ("level", "service", "project", "region")
BUCKETS: tuple[list[str], ...] = (
    [],
    ["bucket(1h)"],
    ["bucket(7h)"],
    ["bucket(1d)"],
    ["bucket(30m)"],
    ["bucket(90m)"],
)
AFTER = ("", " | sort -count | limit 3", " | where count:>100", " | stats count() as rows, max(count)")
GROUPS = ("stats count()", "stats count(), count() as n", "stats count(), uniq(service)")


def _table(
    warehouse: Warehouse, body: dict[str, Any], tenant: TenantId, *, in_utc: bool = False
) -> tuple[list[Any], int]:
    """The rows of the table, and the rows that were read for them."""
    compiled = compiled_stats(stats_request(json.dumps(body).encode()), tenant, in_utc=in_utc)
    selected = compiled.statement
    result = decode_table(warehouse.select_json(selected.sql, selected.parameters), compiled.columns)
    return result.rows, result.rows_read


def _random_table(random: Random) -> dict[str, Any]:
    since, until = sorted(random.randrange(-600, 5 * 24 * 60) for _ in range(2))
    step = random.choice([1, 60])
    keys = [*random.sample(FIELDS, random.randrange(3)), *random.choice(BUCKETS)]
    grouped = f"{random.choice(GROUPS)}{' by ' * bool(keys)}{', '.join(keys)}"
    if random.random() < 0.2:
        grouped = random.choice(["top 3 service, level", "top 5 project"])
    asked = {
        "from": times.rfc3339(FIRST_NS + since // step * step * MINUTE_NS),
        "to": times.rfc3339(FIRST_NS + until // step * step * MINUTE_NS + random.choice([0, 1])),
        **random.choice(FILTERS),
    }
    query = asked.get("query", "*")
    return {**asked, "query": f"{query}{random.choice(WHERE)} | {grouped}{random.choice(AFTER)}"}


def _counted_table(random: Random) -> dict[str, Any]:
    """A random table that is counted by whole hours."""
    while True:
        body = _random_table(random)
        request = stats_request(json.dumps(body).encode())
        if hours_of_table(request.since, request.until, request.filter, request.pipes):
            return body


def _agree(table: Warehouse, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for tenant in TENANTS:
        by_hours, _ = _table(table, body, tenant)
        with _by_rows(monkeypatch):
            assert by_hours == _table(table, body, tenant)[0], body


@pytest.mark.parametrize("seed", range(4))
def test_a_table_by_hours_is_that_of_the_rows(
    table: Warehouse, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    _agree(table, _counted_table(Random(seed)), monkeypatch)


@pytest.mark.soak
def test_hundreds_of_tables_by_hours_are_those_of_the_rows(
    table: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(100, 350):
        _agree(table, _random_table(Random(seed)), monkeypatch)


COUNTED = (
    ("* | stats count() by level", "2026-10-30T00:00:00Z"),
    ("level:error | where project:shop | top 5 service", "2026-10-30T00:10:00.000000001Z"),
    ("* | stats count() by bucket(3h), project | sort -count", "2026-10-29T23:59:59Z"),
)


@pytest.mark.parametrize(("query", "since"), COUNTED)
def test_a_table_of_a_week_reads_the_projection(
    table: Warehouse, monkeypatch: pytest.MonkeyPatch, query: str, since: str
) -> None:
    """Unless an hour of the table may belong to two buckets."""
    body = {**WEEK, "from": since, "query": query}
    zone = table.select("SELECT any(timezoneOf(timestamp)) AS zone FROM events").rows[0]["zone"]
    selected = compiled_stats(stats_request(json.dumps(body).encode()), TENANTS[0]).statement
    plan = table.select(f"EXPLAIN {selected.sql}", selected.parameters).rows
    read = [line for line in (each["explain"] for each in plan) if "ReadFromMergeTree" in line]
    assert any("(counts_by_hour)" in line for line in read) is (zone == "UTC")
    found, by_hours = _table(table, body, TENANTS[0])
    with _by_rows(monkeypatch):
        of_rows, by_rows = _table(table, body, TENANTS[0])
    assert found == of_rows
    assert found
    if zone == "UTC":
        assert by_rows > 200_000
        assert by_hours < 5_000
    else:
        assert by_hours >= by_rows


def test_edges_of_a_range_are_counted_by_their_rows(
    table: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From 12:30 to 12:29 two days later: of the whole hours between them the rows are not read."""
    body = {
        "from": "2026-11-01T12:30:00Z",
        "to": "2026-11-03T12:29:00Z",
        "query": "* | stats count() by level",
    }
    zone = table.select("SELECT any(timezoneOf(timestamp)) AS zone FROM events").rows[0]["zone"]
    for tenant in TENANTS:
        found, by_hours = _table(table, body, tenant)
        with _by_rows(monkeypatch):
            of_rows, by_rows = _table(table, body, tenant)
        assert found == of_rows
        assert by_hours < by_rows if zone == "UTC" else by_hours >= by_rows


def test_a_range_without_events_has_no_groups_and_a_count_of_zero(table: Warehouse) -> None:
    empty = {"from": "2025-01-01T00:30:00Z", "to": "2025-02-01T00:30:00Z"}
    for tenant in TENANTS:
        assert _table(table, {**empty, "query": "* | stats count()"}, tenant)[0] == [[0]]
        assert _table(table, {**empty, "query": "* | stats count() by level"}, tenant)[0] == []


def test_a_batch_that_is_loaded_twice_is_once_in_a_table(table: Warehouse) -> None:
    for tenant in TENANTS:
        body = {**WEEK, "query": "service:gateway | stats count() by service, bucket(1d)"}
        assert _table(table, body, tenant)[0] == [["gateway", "2026-11-02T00:00:00.000000000Z", 60]]


def _fields(
    warehouse: Warehouse, body: dict[str, Any], tenant: TenantId, *, in_utc: bool = False
) -> tuple[list[CountedField], int]:
    """The counted fields, and the rows that were read for them."""
    request = fields_request(json.dumps(body).encode())
    selected = counted_statement(request, tenant, in_utc=in_utc)
    result = decode_counted(warehouse.select_json(selected.sql, selected.parameters), request)
    return counted_fields(request, result.data), result.statistics.rows_read


@pytest.mark.parametrize("seed", range(2))
def test_fields_by_hours_are_those_of_the_rows(
    table: Warehouse, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    random = Random(seed)
    body = {
        "from": times.rfc3339(FIRST_NS + random.randrange(24 * 60) * MINUTE_NS),
        "to": times.rfc3339(FIRST_NS + random.randrange(36 * 60, 96 * 60) * MINUTE_NS + 1),
        "fields": random.sample(["level", "service", "project"], random.randrange(1, 4)),
        "values": random.randrange(4),
        **random.choice(FILTERS),
    }
    for tenant in TENANTS:
        fields, _ = _fields(table, body, tenant)
        with _by_rows(monkeypatch):
            assert fields == _fields(table, body, tenant)[0]
        assert len({each.rows for each in fields}) == 1


def test_fields_of_a_week_read_the_counts_alone(table: Warehouse) -> None:
    """Unless an hour of the table may belong to two buckets."""
    zone = table.select("SELECT any(timezoneOf(timestamp)) AS zone FROM events").rows[0]["zone"]
    body = {**WEEK, "fields": ["level", "service"]}
    for tenant in TENANTS:
        fields, by_hours = _fields(table, body, tenant)
        rows = {"acme": 285_000, "beta": 15_000}[tenant] + 60
        assert sum(count for _, count in fields[0].top) == fields[0].count == fields[0].rows == rows
        assert fields[1].distinct == 10
        assert by_hours < 5_000 if zone == "UTC" else by_hours >= rows
        selected = counted_statement(fields_request(json.dumps(body).encode()), tenant)
        answered = table.select_json(f"EXPLAIN ESTIMATE {selected.sql}", selected.parameters)
        assert by_hours <= decode_estimate(answered).rows <= 2 * by_hours + 2 * 8192


def test_values_to_complete_a_query_are_counted_by_hours(
    table: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = complete_request(b'{"query": "service:"}')

    def known(tenant: TenantId) -> list[dict[str, Any]]:
        selected = known_statement(request, tenant, times.parse("2026-11-04T00:00:00Z"))
        assert selected
        return table.select(selected.sql, selected.parameters).rows

    for tenant in TENANTS:
        by_hours = known(tenant)
        with _by_rows(monkeypatch):
            assert by_hours == known(tenant)
        assert {row["c0"] for row in by_hours} == {"payroll", *(f"svc-{at}" for at in range(8))}


HOURS = ((0, 96), (-24, 200), (7, 8), (13, 40), (60, 61))
"""Ranges of whole hours, from the first event's day on."""


def _whole_hours(since: int, until: int, **body: Any) -> dict[str, Any]:
    ends = (times.rfc3339(FIRST_NS + hour * 60 * MINUTE_NS) for hour in (since, until))
    return {**dict(zip(("from", "to"), ends, strict=True)), **body}


@pytest.mark.parametrize("found", FILTERS)
@pytest.mark.parametrize("table", ["UTC"], indirect=True)
def test_whole_hours_of_our_own_table_are_counted_without_edges(
    table: Warehouse, monkeypatch: pytest.MonkeyPatch, found: dict[str, Any]
) -> None:
    query = found.get("query", "*")
    for tenant in TENANTS:
        for since, until in HOURS:
            counts = [
                (_table, _whole_hours(since, until, **{**found, "query": f"{query} | top 5 service"})),
                (_table, _whole_hours(since, until, **{**found, "query": f"{query} | stats count()"})),
                (_fields, _whole_hours(since, until, fields=["level", "service"], **found)),
                (_answer, _whole_hours(since, until, interval="1h", split_by="service", **found)),
            ]
            for count, body in counts:
                *alone, _ = count(table, body, tenant, in_utc=True)
                with _by_rows(monkeypatch):
                    assert alone == [*count(table, body, tenant)][:-1], body


@pytest.mark.parametrize("table", ["UTC"], indirect=True)
def test_one_plan_of_one_projection_answers_whole_hours_of_our_own_table(table: Warehouse) -> None:
    for tenant in TENANTS:
        for query in ("* | top 10 service", "* | stats count() by level, bucket(1d)"):
            body = {**WEEK, "query": query}
            compiled = compiled_stats(stats_request(json.dumps(body).encode()), tenant, in_utc=True)
            plan = table.select(f"EXPLAIN {compiled.statement.sql}", compiled.statement.parameters).rows
            read = [each["explain"] for each in plan if "ReadFrom" in each["explain"]]
            assert len(read) == 1
            assert "(counts_by_hour)" in read[0]
            assert _table(table, body, tenant, in_utc=True)[1] < 5_000


def _sample(warehouse: Warehouse, body: dict[str, Any], tenant: TenantId) -> list[str]:
    """The times of the 300 newest events."""
    selected = sample_statement(fields_request(json.dumps(body).encode()), tenant, 300)
    result = decode_sample(warehouse.select_json(selected.sql, selected.parameters))
    return [row.timestamp for row in result.data]


def test_a_sample_of_a_long_range_has_the_newest_rows_by_the_counts_of_hours(
    table: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tenant in TENANTS:
        narrowed = _sample(table, MONTH, tenant)
        with _by_rows(monkeypatch) as patched:
            patched.setattr(hours, "page_hours", lambda *_: None)
            assert narrowed == _sample(table, MONTH, tenant)
        assert len(narrowed) == 300


@pytest.mark.parametrize("tenant", TENANTS)
def test_the_newest_rows_of_a_month_are_looked_for_in_the_last_day_that_has_some(
    table: Warehouse, tenant: TenantId
) -> None:
    request = fields_request(json.dumps(MONTH).encode())

    def read(conditions: list[str], bindings: Bindings, parameters: dict[str, str]) -> int:
        sql = f"EXPLAIN ESTIMATE SELECT timestamp FROM events WHERE {' AND '.join(conditions)}"
        return decode_estimate(table.select_json(sql, {**bindings.parameters, **parameters})).rows

    bindings = Bindings()
    conditions, parameters = base_conditions(tenant, request.since, request.until, request.filter, bindings)
    narrowed = narrowed_range(request, PageRange("desc", 300, None, MANAGED), conditions, bindings)
    assert narrowed
    whole = read(conditions, bindings, parameters)
    assert 0 < read([*conditions, narrowed], bindings, parameters) < whole / 2


def test_after_a_merge_the_counts_are_the_same(table: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {**WEEK, "interval": "1h", "split_by": "service"}
    before = [_answer(table, body, tenant)[:2] for tenant in TENANTS]
    table.command("SYSTEM START MERGES events")
    table.command("OPTIMIZE TABLE events FINAL")
    assert [_answer(table, body, tenant)[:2] for tenant in TENANTS] == before
    assert [_of_rows(table, body, tenant, monkeypatch)[:2] for tenant in TENANTS] == before


def test_a_table_that_lost_its_projection_is_counted_by_rows(table: Warehouse) -> None:
    """As a customer's may: the statement is the same."""
    body = {**WEEK, "query": "* | stats count() by level, bucket(1d)"}
    before = [_table(table, body, tenant)[0] for tenant in TENANTS]
    table.command("ALTER TABLE events DROP PROJECTION counts_by_hour SETTINGS mutations_sync = 2")
    found, read = _table(table, body, TENANTS[0])
    assert [found, _table(table, body, TENANTS[1])[0]] == before
    assert read > 200_000
