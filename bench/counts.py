"""The counts of bar 11: by hours against by rows, and 24 hours of seven days against 24 hours alone.

CPU from the compiled statement to the decoded answer; of fields, from the request's body to the JSON of the
response.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from bench.answers import NO_CACHE, answerer
from bench.measuring import Bar, bar, in_turns
from bench.search_tables import ACME, ALL_DAYS, DAYS, FIRST, LAST_DAY, METHOD, ROUNDS
from functions.query.bindings import Bindings
from functions.query.compile import Statement, base_conditions
from functions.query.compile.counts import bucket_counts
from functions.query.compile.pipes import TableColumn, table
from functions.query.fields import answer
from functions.query.histogram import bucket_statement, decode_counts, histogram_request
from functions.query.results.table_rows import decode_table
from functions.query.stats import compiled_stats, stats_request
from functions.shared.warehouse import Warehouse

UNALIGNED = {
    "from": f"{FIRST + timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ}",
    "to": f"{FIRST + timedelta(days=DAYS - 1, minutes=10):%Y-%m-%dT%H:%M:%SZ}",
}
GROUPS = ("info", "error")

BY_HOURS: dict[str, dict[str, Any]] = {
    f"level counts, whole hours, {DAYS} days": {**ALL_DAYS, "query": "* | stats count() by level"},
    f"level counts, unaligned, {DAYS - 1} days": {**UNALIGNED, "query": "* | stats count() by level"},
    f"top services, {DAYS} days": {**ALL_DAYS, "query": "* | top 10 service"},
    f"errors by day and service, {DAYS} days": {
        **ALL_DAYS,
        "query": "level:error | stats count() by bucket(1d), service",
    },
}
OF_ROWS = {
    "values of a key in metadata": "* | top 10 region",
    "events that match an expression": "/timed out after [0-9]+/ | stats count()",
}
LISTED = ["level", "service", "project"]


def count_bars(day: Warehouse, week: Warehouse) -> Iterator[Bar]:
    """All rows, of bench.search_tables.tables."""
    yield _histogram_by_hours(week)
    for name, body in BY_HOURS.items():
        yield _table_by_hours(name, week, body)
    yield _fields(week)
    yield _growth("5-minute × level histogram", _histogram(week), _histogram(day))
    for name, query in OF_ROWS.items():
        body = {**LAST_DAY, "query": query}
        yield _growth(name, _table(week, body), _table(day, body))


def _compared(what: str, ours: Callable[[], Any], peer: Callable[[], Any], limit: float) -> Bar:
    if ours() != peer():
        raise RuntimeError(f"{what}: two forms of an answer differ")
    found = in_turns({"ours": ours, "peer": peer}, ROUNDS)
    return bar("11", what, found["ours"], found["peer"], limit, METHOD, "CPU s")


def _growth(name: str, ours: Callable[[], Any], peer: Callable[[], Any]) -> Bar:
    found = in_turns({"ours": ours, "peer": peer}, ROUNDS)
    what = f"{name}: 24 h of {DAYS} days against 24 h alone"
    return bar("11 growth", what, found["ours"], found["peer"], 1.2, METHOD, "CPU s")


def _histogram_by_hours(week: Warehouse) -> Bar:
    body = {**ALL_DAYS, "interval": "1h", "split_by": "level"}
    what = f"hour × level histogram of {DAYS} days: counted by hours against by rows"
    return _compared(what, _histogram(week, body), _histogram(week, body, by_rows=True), 0.4)


def _histogram(
    warehouse: Warehouse, body: Mapping[str, Any] | None = None, *, by_rows: bool = False
) -> Callable[[], Any]:
    """Counts the buckets of `body`; by default those of five minutes of the last day."""
    asked = histogram_request(
        json.dumps(body or {**LAST_DAY, "interval": "5m", "split_by": "level"}).encode()
    )
    selected = bucket_statement(asked, ACME, GROUPS, in_utc=True)
    if by_rows:
        bindings = Bindings()
        conditions, parameters = base_conditions(ACME, asked.since, asked.until, asked.filter, bindings)
        sql = bucket_counts(asked.starts, asked.split_by, GROUPS, conditions, bindings)
        selected = Statement(sql, {**bindings.parameters, **parameters})

    def count() -> Any:
        answer = warehouse.select_json(selected.sql, selected.parameters, NO_CACHE)
        return sorted((row.c0, row.c1) for row in decode_counts(answer, len(asked.starts), len(GROUPS)).data)

    return count


def _table_by_hours(name: str, week: Warehouse, body: Mapping[str, Any]) -> Bar:
    what = f"{name}: counted by hours against by rows"
    return _compared(what, _table(week, body), _table(week, body, by_rows=True), 0.8)


def _table(warehouse: Warehouse, body: Mapping[str, Any], *, by_rows: bool = False) -> Callable[[], Any]:
    """Makes the table of `body`."""
    asked = stats_request(json.dumps(body).encode())
    compiled = compiled_stats(asked, ACME, in_utc=True)
    selected, columns = compiled.statement, compiled.columns
    if by_rows:
        bindings = Bindings()
        conditions, parameters = base_conditions(ACME, asked.since, asked.until, asked.filter, bindings)
        rows = table(asked.pipes, conditions, bindings)
        selected, columns = Statement(rows.sql, {**bindings.parameters, **parameters}), rows.columns
    return lambda: _rows(warehouse, selected, columns)


def _rows(warehouse: Warehouse, selected: Statement, columns: tuple[TableColumn, ...]) -> Any:
    return decode_table(warehouse.select_json(selected.sql, selected.parameters, NO_CACHE), columns).rows


def _fields(week: Warehouse) -> Bar:
    """Three fields are counted; with a fourth one they are those of a sample."""

    def listed(fields: list[str]) -> Callable[[], bytes]:
        return answerer(week, answer, {**ALL_DAYS, "fields": fields})

    found = in_turns({"ours": listed(LISTED), "peer": listed([*LISTED, "trace_id"])}, ROUNDS)
    what = f"level, service and project of {DAYS} days: all events against a sample"
    return bar("11", what, found["ours"], found["peer"], 1.0, METHOD, "CPU s")
