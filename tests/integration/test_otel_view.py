"""The view `otel_logs`: the columns of the Collector's exporter, and the statements of tools that read it.

The statements have the forms that Grafana's ClickHouse data source (its query builder for OpenTelemetry logs)
and HyperDX (its search page) send.
"""
# ruff: noqa: S608 - the statements are of this module alone

from collections.abc import Iterator
from typing import Any

import pytest

from functions.shared.byoc.otel_view import COLUMNS, VIEW, create_otel_view
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.warehouse import Warehouse, WarehouseBusyError, refusal
from tests.integration.loading import load, staged
from tests.integration.rare_rows import TRACE_ID, insert_day
from tests.integration.warehouse_process import clickhouse

TYPES = {
    "Timestamp": "DateTime64(9, 'UTC')",
    "TraceId": "String",
    "SpanId": "String",
    "TraceFlags": "UInt8",
    "SeverityText": "LowCardinality(String)",
    "SeverityNumber": "UInt8",
    "ServiceName": "LowCardinality(String)",
    "Body": "String",
    "ResourceSchemaUrl": "LowCardinality(String)",
    "ResourceAttributes": "Map(LowCardinality(String), String)",
    "ScopeSchemaUrl": "LowCardinality(String)",
    "ScopeName": "String",
    "ScopeVersion": "LowCardinality(String)",
    "ScopeAttributes": "Map(LowCardinality(String), String)",
    "LogAttributes": "Map(LowCardinality(String), String)",
    "EventName": "String",
}
"""Of the exporter's table. It leaves the time zone to the server, ours is UTC."""

AT = "2026-11-01 12:00:00"
UNIX = 1_793_534_400
WITHIN = f"Timestamp >= toDateTime({UNIX - 60}) AND Timestamp <= toDateTime({UNIX + 60})"
WITHIN_MS = (
    f"(Timestamp >= fromUnixTimestamp64Milli({(UNIX - 60) * 1000}) "
    f"AND Timestamp <= fromUnixTimestamp64Milli({(UNIX + 60) * 1000}))"
)

METADATA = (
    '{"http.status":200,"ratio":1.5,"user":"ada \\"the\\" countess","ok":true,"none":null,"tags":["a","b"],'
    '"service.name":"other","host.name":"web-1","k8s.pod.name":"api-0","resource.user":"root",'
    '"scope.name":"checkout","scope.version":"1.2","scope.kind":"x","trace_flags":257,"event_name":"paid",'
    '"severity_number":18}'
)


def rows_of(tenant: str) -> list[bytes]:
    words = {"tenant_id": tenant, "project_id": f"{tenant}-shop"}
    return [
        staged(
            METADATA,
            **words,
            timestamp=f"{AT}.000000001",
            level="error",
            service="api",
            message=f"{tenant}: payment declined",
            trace_id="4bf92f35",
            span_id="00f067aa",
        ),
        staged(
            "{}", **words, timestamp=f"{AT}.500000000", level="warn", service="", message=f"{tenant}: slow"
        ),
        staged(
            '{"user":"bob"}', **words, timestamp="2026-11-01 18:00:00.000000000", message=f"{tenant}: later"
        ),
    ]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseAddress]:
    with clickhouse(tmp_path_factory.mktemp("otel"), "acme") as found:
        yield found


def customers_database(address: ClickHouseAddress, name: str) -> Warehouse:
    here = ClickHouseAddress(address.host, address.port, address.secure, address.user, address.password, name)
    Schema(here).bring_up_to_date(migrations())
    return Warehouse(here, 60)


@pytest.fixture(scope="module")
def acme(address: ClickHouseAddress) -> Iterator[Warehouse]:
    """One customer's database; another's is on the same server, with rows of the same values."""
    databases = {name: customers_database(address, name) for name in ("acme", "globex")}
    for name, database in databases.items():
        load(database, rows_of(name))
        assert create_otel_view(database)
    yield databases["acme"]
    for database in databases.values():
        database.close()


def test_the_columns_have_the_names_and_types_of_the_exporters_table(acme: Warehouse) -> None:
    types = {row["name"]: row["type"] for row in acme.select(f'DESC TABLE "acme"."{VIEW}"').rows}
    assert types == TYPES
    assert list(types) == list(COLUMNS), "and their order"


def test_a_row_shows_everything_that_was_sent(acme: Warehouse) -> None:
    (row,) = acme.select("SELECT * FROM otel_logs WHERE TraceId = '4bf92f35'").rows
    assert row == {
        "Timestamp": f"{AT}.000000001",
        "TraceId": "4bf92f35",
        "SpanId": "00f067aa",
        "TraceFlags": 1,
        "SeverityText": "ERROR",
        "SeverityNumber": 18,
        "ServiceName": "api",
        "Body": "acme: payment declined",
        "ResourceSchemaUrl": "",
        "ResourceAttributes": {
            "service.name": "api",
            "astralog.project": "acme-shop",
            "host.name": "web-1",
            "k8s.pod.name": "api-0",
            "resource.user": "root",
        },
        "ScopeSchemaUrl": "",
        "ScopeName": "checkout",
        "ScopeVersion": "1.2",
        "ScopeAttributes": {"kind": "x"},
        "LogAttributes": {
            "http.status": "200",
            "ratio": "1.5",
            "user": 'ada "the" countess',
            "ok": "true",
            "none": "null",
            "tags": '["a","b"]',
            "severity_number": "18",
        },
        "EventName": "paid",
    }


def test_a_level_has_the_first_number_of_opentelemetry(acme: Warehouse) -> None:
    rows = acme.select("SELECT SeverityText, SeverityNumber FROM otel_logs ORDER BY Timestamp").rows
    assert [(row["SeverityText"], row["SeverityNumber"]) for row in rows] == [
        ("ERROR", 18), ("WARN", 13), ("INFO", 9),
    ]  # fmt: skip


GRAFANA: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "logs, newest first": (
        'SELECT Timestamp as "timestamp", Body as "body", SeverityText as "level", '
        'LogAttributes as "labels", TraceId as "traceID" FROM "acme"."otel_logs" '
        f"WHERE ( {WITHIN.replace('Timestamp', 'timestamp')} ) AND ( LogAttributes['http.status'] = '200' ) "
        "ORDER BY timestamp DESC LIMIT 1000",
        [(f"{AT}.000000001", "acme: payment declined", "ERROR", 'ada "the" countess', "4bf92f35")],
    ),
    "a level": (
        'SELECT Timestamp as "timestamp", Body as "body", SeverityText as "level" FROM "acme"."otel_logs" '
        f"WHERE ( {WITHIN.replace('Timestamp', 'timestamp')} ) AND ( level IN ('warn','WARN','Warn') ) "
        "ORDER BY timestamp DESC LIMIT 1000",
        [(f"{AT}.500000000", "acme: slow", "WARN")],
    ),
    "logs volume": (
        'SELECT toStartOfInterval("Timestamp", INTERVAL 1 MINUTE) as "time", '
        "sum(multiSearchAny(toString(\"SeverityText\"), ['error','ERROR','Error'])) as error, "
        "sum(multiSearchAny(toString(\"SeverityText\"), ['warn','WARN','Warn'])) as warn "
        f'FROM "acme"."otel_logs" WHERE ( {WITHIN} ) GROUP BY time ORDER BY time ASC',
        [(AT, 1, 1)],
    ),
    "keys of a map": (
        'SELECT DISTINCT arrayJoin(mapKeys("LogAttributes")) as keys FROM '
        '(SELECT "LogAttributes" FROM "acme"."otel_logs" LIMIT 1000) ORDER BY keys LIMIT 3',
        [("http.status",), ("none",), ("ok",)],
    ),
    "values of a key": (
        'SELECT DISTINCT "LogAttributes"[\'user\'] as v FROM "acme"."otel_logs" '
        "WHERE mapContains(\"LogAttributes\", 'user') ORDER BY v LIMIT 1000",
        [('ada "the" countess',), ("bob",)],
    ),
    "a message": (
        f'SELECT Body FROM "acme"."otel_logs" WHERE {WITHIN} AND (Body LIKE \'%declined%\')',
        [("acme: payment declined",)],
    ),
    "its columns": (
        "SELECT count() AS n FROM system.columns WHERE database IN ('acme') AND table = 'otel_logs'",
        [(len(TYPES),)],
    ),
}
HYPERDX: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "the table": (
        "SELECT name, engine FROM system.tables WHERE database = 'acme' AND name = 'otel_logs' LIMIT 1",
        [("otel_logs", "View")],
    ),
    "search": (
        f"SELECT Timestamp,ServiceName,SeverityText,Body FROM acme.otel_logs WHERE {WITHIN_MS} "
        "AND ((hasToken(lower(Body), lower('declined')))) ORDER BY Timestamp DESC LIMIT 200 OFFSET 0",
        [(f"{AT}.000000001", "api", "ERROR", "acme: payment declined")],
    ),
    "a field contains": (
        f"SELECT Body FROM acme.otel_logs WHERE {WITHIN_MS} AND ((`LogAttributes`['user'] ILIKE '%ADA%' "
        "AND indexHint(mapContains(`LogAttributes`, 'user')))) ORDER BY Timestamp DESC LIMIT 200",
        [("acme: payment declined",)],
    ),
    "a resource": (
        f"SELECT Body FROM acme.otel_logs WHERE {WITHIN_MS} "
        "AND ((`ResourceAttributes`['k8s.pod.name'] = 'api-0')) ORDER BY Timestamp DESC LIMIT 200",
        [("acme: payment declined",)],
    ),
    "histogram": (
        "SELECT count() AS n,SeverityText AS g,toStartOfInterval(toDateTime(Timestamp), INTERVAL 1 minute) "
        f"AS `__hdx_time_bucket` FROM acme.otel_logs WHERE {WITHIN_MS} GROUP BY SeverityText AS g,"
        "toStartOfInterval(toDateTime(Timestamp), INTERVAL 1 minute) AS `__hdx_time_bucket` "
        "ORDER BY g LIMIT 10",
        [(1, "ERROR", AT), (1, "WARN", AT)],
    ),
    "one row": (
        "SELECT *, Timestamp AS t FROM acme.otel_logs WHERE Timestamp = "
        f"parseDateTime64BestEffort('{AT.replace(' ', 'T')}.000000001Z', 9) "
        "AND Body = 'acme: payment declined'",
        [],
    ),
    "keys of a sample": (
        "SELECT arraySort(groupUniqArrayArray(mapKeys(ScopeAttributes))) AS k "
        f"FROM (SELECT ScopeAttributes FROM acme.otel_logs WHERE {WITHIN_MS} LIMIT 1000)",
        [(["kind"],)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("tool", ["Grafana", "HyperDX"])
def test_the_statements_of_the_tools_answer(acme: Warehouse, tool: str) -> None:
    """None shows the other customer's rows, which have the same values."""
    for name, (statement, wanted) in {"Grafana": GRAFANA, "HyperDX": HYPERDX}[tool].items():
        rows = acme.select(statement).rows
        assert "globex" not in str(rows), name
        if name == "one row":
            assert [row["Body"] for row in rows] == ["acme: payment declined"]
        elif name == "logs, newest first":
            shown = [(*list(row.values())[:3], row["labels"]["user"], row["traceID"]) for row in rows]
            assert shown == wanted, name
        else:
            assert [tuple(row.values()) for row in rows] == wanted, name


def test_conditions_of_the_tools_use_the_indexes_of_the_table(address: ClickHouseAddress) -> None:
    database = customers_database(address, "many")
    for day in (1, 2, 3):
        insert_day(database, day)
    create_otel_view(database)

    def granules(condition: str) -> int:
        rows = database.select(f"EXPLAIN ESTIMATE SELECT Body FROM otel_logs WHERE {condition}").rows
        return sum(int(row["marks"]) for row in rows)

    of = granules("1 = 1")
    assert of == 39
    assert granules(WITHIN) <= of / 3, "one of three days, in which each granule has a service's whole day"
    assert granules(WITHIN_MS) <= of / 3
    assert granules("ServiceName = 'payroll'") <= of / 5
    assert granules(f"TraceId = '{TRACE_ID}'") <= of / 5
    assert granules("SeverityText = 'FATAL'") <= of / 5
    database.close()


def test_a_table_of_that_name_is_left_as_it_is(address: ClickHouseAddress) -> None:
    """Of a customer whose Collector writes into the same database."""
    database = customers_database(address, "collector")
    database.command("CREATE TABLE otel_logs (Body String) ENGINE = MergeTree ORDER BY ()")
    assert create_otel_view(database)
    assert [row["name"] for row in database.select("DESC TABLE otel_logs").rows] == ["Body"]
    database.close()


class NoRight:
    """A server whose user may not create a view."""

    def __init__(self, code: int) -> None:
        self.code = code

    def select(self, _statement: str) -> Any:
        return type("Selected", (), {"rows": []})

    def command(self, _statement: str) -> None:
        raise refusal(self.code)


def test_without_the_right_there_is_no_view_and_no_error() -> None:
    assert create_otel_view(NoRight(497)) is False  # type: ignore[arg-type]
    with pytest.raises(WarehouseBusyError):
        create_otel_view(NoRight(202))  # type: ignore[arg-type]
