"""The routes of the query language through the handler and the real engine: docs, tenants, statements."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from functions.query import handler as querying
from functions.query.language.regex import RegexError, group_names
from functions.query.language.scanner import Scanner
from functions.query.searching.event_search import EventSearch, ManagedSearch, SearchLimits
from functions.query.stats import compiled_stats, stats_request
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from tests.integration.loading import load, staged
from tests.integration.warehouse_process import clickhouse

DOCUMENT = Path(__file__).parents[2] / "docs" / "query.md"
LIMITS = SearchLimits(max_seconds=20, max_memory_bytes=1 << 30, max_result_bytes=1 << 26, max_threads=2)
EVER = {"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}
TENANTS = ("acme", "beta")
MARK = "zq7marker"
"""In every text that the fuzz sends, and in every event of the other tenant."""


class Recording:
    """A warehouse that keeps the statements it ran."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self.statements: list[str] = []

    def engine_version(self) -> tuple[int, int]:
        return self._warehouse.engine_version()

    def select_json(self, sql: str, parameters: Any, settings: Any) -> bytes:
        self.statements.append(sql)
        return self._warehouse.select_json(sql, parameters, settings)


class Routes:
    """The handler over an engine."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.recording = Recording(warehouse)

    def ask(
        self,
        route: str,
        tenant: str,
        body: Any = None,
        query: dict[str, str] | None = None,
        event_id: str = "",
    ) -> tuple[int, Any]:
        verdict = {
            "verdict": "ok", "tenant_id": tenant, "key_id": "k", "project_id": "p", "scopes": "read",
            "retention_days": "30", "bytes_per_second": "1", "refusal": "", "actor": "key:k",
            "plan": "managed_30",
        }  # fmt: skip
        context = {"requestId": "r", "http": {"method": route.split()[0]}, "authorizer": {"lambda": verdict}}
        event = {
            "routeKey": route,
            "requestContext": context,
            "queryStringParameters": query,
            "pathParameters": {"id": event_id},
            "body": json.dumps(body),
        }
        response = querying.handler(event, None)
        return response["statusCode"], json.loads(response["body"])

    def events(self, tenant: str, text: str) -> list[dict[str, Any]]:
        status, result = self.ask("POST /v1/search", tenant, {**EVER, "query": text, "limit": 1000})
        assert status == 200, (text, result)
        events: list[dict[str, Any]] = result["events"]
        return events

    def table(self, tenant: str, text: str) -> Any:
        status, result = self.ask("POST /v1/stats", tenant, {**EVER, "query": text})
        assert status == 200, (text, result)
        return result


def documented_events() -> list[dict[str, Any]]:
    block = re.search(r"```ndjson\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert block
    return [json.loads(line) for line in block[1].splitlines()]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with clickhouse(tmp_path_factory.mktemp("clickhouse")) as address:
        Schema(address, "MergeTree").bring_up_to_date(migrations())
        connected = Warehouse(address, 30)
        load(connected, [_row(at, event) for at, event in enumerate(documented_events())], "documented")
        load(connected, [_foreign(number) for number in range(200)], "foreign")
        yield connected
        connected.close()


def _row(at: int, event: dict[str, Any]) -> bytes:
    metadata = json.dumps({**event["metadata"], "line": at + 1})
    columns = {name: event[name] for name in ("level", "service", "message", "trace_id") if name in event}
    return staged(metadata, timestamp=f"2026-11-23 10:00:{5 * at:02d}.000000000", **columns)


def _foreign(number: int) -> bytes:
    """An event of the other tenant, which every condition of the fuzz might find."""
    metadata = {"user": f"{MARK}-user", "a.b": number, "k": MARK, f"{MARK}_key": 1, "status": 500}
    return staged(
        json.dumps(metadata),
        tenant_id="beta",
        service=f"{MARK}-service",
        message=f"{MARK} timeout connection reset user-42 {number}",
        timestamp="2026-11-23 10:00:00.000000000",
    )


@pytest.fixture
def routes(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Routes:
    here = Routes(warehouse)
    managed = ManagedSearch(EventSearch(here.recording, LIMITS), 4)  # type: ignore[arg-type]
    monkeypatch.setattr(querying, "_managed_search", lambda: managed)
    return here


BLOCKS = re.findall(r"```query\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
FILTERS = [
    tuple(line.split(" ->"))
    for block in BLOCKS
    for line in block.splitlines()
    if " ->" in line and "=>" not in line
]
TABLES = [part.split("\n=> ") for block in BLOCKS if "=>" in block for part in block.strip().split("\n\n")]


@pytest.mark.parametrize(("text", "lines"), FILTERS)
def test_a_filter_of_the_documentation_finds_the_lines_that_it_says(
    routes: Routes, text: str, lines: str
) -> None:
    found = sorted(event["metadata"]["line"] for event in routes.events("acme", text.strip()))
    assert found == [int(line) for line in lines.split()]


@pytest.mark.parametrize(("text", "rows"), [(text, rows) for text, *rows in TABLES])
def test_a_pipe_of_the_documentation_makes_the_rows_that_it_says(
    routes: Routes, text: str, rows: list[str]
) -> None:
    assert routes.table("acme", text)["rows"] == [json.loads(row) for row in rows]


def test_the_documentation_has_examples_of_each_kind() -> None:
    assert (len(FILTERS), len(TABLES)) > (50, 10)


def test_a_table_has_columns_with_types_and_its_cost(routes: Routes) -> None:
    found = routes.table("acme", "* | stats count() as n, min(timestamp) as first by service, status")
    assert found["columns"] == [
        {"name": "service", "type": "text"},
        {"name": "status", "type": "text"},
        {"name": "n", "type": "number"},
        {"name": "first", "type": "time"},
    ]
    assert (found["truncated"], found["stats"]["rows_read"] > 0) == (False, True)


@pytest.mark.parametrize(
    "text",
    [
        "user:none-has-it | stats min(timestamp), max(service), sum(duration_ms), p50(duration_ms)",
        "user:none-has-it | stats count() as n by user | stats sum(n), avg(n), min(n), max(n), p99(n)",
    ],
)
def test_results_of_no_rows_are_null(routes: Routes, text: str) -> None:
    (row,) = routes.table("acme", text)["rows"]
    assert row == [None] * len(row)
    assert len(row) > 3


def test_a_table_with_more_rows_than_it_can_have_says_so(routes: Routes, warehouse: Warehouse) -> None:
    load(warehouse, [staged(json.dumps({"n": n}), tenant_id="many") for n in range(10_050)], "many")
    found = routes.table("many", "* | stats count() by n")
    assert (len(found["rows"]), found["truncated"]) == (10_000, True)
    found = routes.table("many", "* | stats count() by n | limit 10000")
    assert (len(found["rows"]), found["truncated"]) == (10_000, False)


def test_get_search_finds_what_post_finds(routes: Routes) -> None:
    parameters = {"q": "level:error", "limit": "1", "order": "asc", **EVER}
    status, first = routes.ask("GET /v1/search", "acme", query=parameters)
    assert (status, [event["metadata"]["line"] for event in first["events"]]) == (200, [2])
    _, second = routes.ask("GET /v1/search", "acme", query={**parameters, "cursor": first["next_cursor"]})
    assert [event["metadata"]["line"] for event in second["events"]] == [5]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("path", "parameters", "body"),
    [
        ("/v1/stats", {"q": "* | stats count() as n by service"}, {}),
        ("/v1/histogram", {"interval": "1d", "split_by": "level", "groups": "2"}, {"groups": 2}),
        ("/v1/histogram", {"q": "level:error", "interval": "12h", "time_zone": "Europe/Berlin"}, {}),
        ("/v1/fields", {"fields": "status,user", "values": "3"}, {"fields": ["status", "user"], "values": 3}),
        ("/v1/fields", {"q": "service:web"}, {}),
        ("/v1/patterns", {"q": "service:db", "limit": "1", "compare_from": "2025-01-01"}, {"limit": 1}),
        ("/v1/patterns", {}, {}),
    ],
)
def test_what_is_asked_in_a_url_is_answered_as_if_it_was_posted(
    routes: Routes, path: str, parameters: dict[str, str], body: dict[str, Any]
) -> None:
    sent = {"query" if name == "q" else name: value for name, value in parameters.items()}
    for tenant in TENANTS:
        status, posted = routes.ask(f"POST {path}", tenant, {**EVER, **sent, **body})
        assert status == 200, posted
        status, result = routes.ask(f"GET {path}", tenant, query={**EVER, **parameters})
        assert status == 200, result
        assert {**result, "stats": None} == {**posted, "stats": None}
        status, estimate = routes.ask(f"GET {path}", tenant, query={**EVER, **parameters, "dry_run": "true"})
        assert (status, estimate.keys()) == (200, {"estimate"})


def test_get_search_takes_times_and_a_zone(routes: Routes) -> None:
    for parameters, lines in (
        ({"from": "1795428010", "to": "1795428021000"}, [3, 4, 5]),
        ({"from": "2026-11-23", "to": "2026-11-23T10:00:06Z"}, [1, 2]),
        ({"from": "2026-11-24", "time_zone": "Pacific/Kiritimati", "to": "2026-11-25"}, [*range(1, 11)]),
    ):
        status, result = routes.ask("GET /v1/search", "acme", query={**parameters, "order": "asc"})
        assert status == 200, result
        assert [event["metadata"]["line"] for event in result["events"]] == lines


@pytest.mark.parametrize(
    ("route", "body", "query", "code", "said"),
    [
        ("GET /v1/search", None, {"query": "x"}, "unknown_parameter", "Allowed parameters: q, from, to"),
        ("GET /v1/search", None, {"limit": "ten"}, "invalid_limit", "from 1 to 1000"),
        ("GET /v1/search", None, {"limit": "1001"}, "invalid_limit", "from 1 to 1000"),
        ("GET /v1/search", None, {"q": "level:errr"}, "invalid_query", "Column 7: expected trace"),
        ("GET /v1/search", None, {"from": "noon"}, "invalid_from", "now-15m"),
        ("GET /v1/search", None, {"time_zone": "Berlin"}, "invalid_time_zone", "Europe/Berlin"),
        ("GET /v1/stats", None, {"query": "x"}, "unknown_parameter", "Allowed parameters: q, from, to"),
        ("GET /v1/histogram", None, {"groups": "ten"}, "invalid_groups", "must be"),
        ("GET /v1/histogram", None, {"groups": "21"}, "invalid_groups", "must be"),
        ("GET /v1/histogram", None, {"interval": "7m"}, "invalid_interval", "5m"),
        ("GET /v1/fields", None, {"levels": "error"}, "unknown_parameter", "values, dry_run"),
        ("GET /v1/fields", None, {"values": "-1"}, "invalid_values", "must be"),
        ("GET /v1/patterns", None, {"q": "level:errr"}, "invalid_query", "Column 7: expected trace"),
        ("GET /v1/patterns", None, {"limit": "0"}, "invalid_limit", "must be"),
        ("GET /v1/stats", None, {"q": "\ud800"}, "invalid_q", "UTF-8"),
        ("POST /v1/histogram", {}, {"q": "x"}, "unknown_parameter", "Send fields in the JSON body"),
        ("POST /v1/fields", {}, {"q": "x"}, "unknown_parameter", "Send fields in the JSON body"),
        ("POST /v1/stats", {"to": "soon"}, None, "invalid_to", "now-15m"),
        ("POST /v1/stats", {"levels": ["errr"]}, None, "invalid_levels", "one of trace, debug, info, warn"),
        ("POST /v1/search", {}, {"q": "x"}, "unknown_parameter", "Send fields in the JSON body"),
        ("POST /v1/stats", {}, {"q": "x"}, "unknown_parameter", "Send fields in the JSON body"),
        ("POST /v1/search", {"query": "a | limit 5"}, None, "invalid_query", "pipes belong to POST"),
        ("POST /v1/stats", {"query": "a | limt 5"}, None, "invalid_query", "Column 5: expected stats, sort"),
        ("POST /v1/stats", {"limit": 5}, None, "unknown_field", "Allowed fields: from, to"),
        ("POST /v1/stats", {"store": "byoc"}, None, "invalid_store", "must be managed"),
        ("POST /v1/query/complete", {"query": "a", "position": 2}, None, "invalid_position", "from 0 to 1"),
        ("POST /v1/search", {"levels": ["errr"]}, None, "invalid_levels", "one of trace, debug, info, warn"),
    ],
)  # fmt: skip
def test_what_a_route_does_not_take_is_an_error_that_says_what_it_takes(
    routes: Routes, route: str, body: Any, query: dict[str, str] | None, code: str, said: str
) -> None:
    status, answered = routes.ask(route, "acme", body, query)
    assert (status, answered["code"]) == (400, code)
    assert said in answered["error"]


@pytest.mark.parametrize("path", ["/v1/search", "/v1/stats", "/v1/histogram", "/v1/fields", "/v1/patterns"])
def test_an_error_names_the_field_or_parameter_that_has_the_query(routes: Routes, path: str) -> None:
    _, posted = routes.ask(f"POST {path}", "acme", {"query": "level:errr"})
    _, body = routes.ask(f"GET {path}", "acme", query={"q": "level:errr"})
    assert (posted["field"], body["field"]) == ("query", "q")
    assert {**posted, "field": ""} == {**body, "field": ""}


def test_completions_have_the_names_and_values_of_the_callers_last_day(
    routes: Routes, warehouse: Warehouse
) -> None:
    now = warehouse.select("SELECT now64(9, 'UTC') AS now").rows[0]["now"]
    for tenant, number in (("ada", 1), ("eve", 2)):
        metadata = json.dumps(
            {f"key{number}": "5", "user": f"u{number}", "status": 500 + number, "deep": {"x": [1]}}
        )
        load(
            warehouse,
            [staged(metadata, tenant_id=tenant, service=f"svc{number}", timestamp=now)],
            f"now-{tenant}",
        )
    for tenant, number in (("ada", 1), ("eve", 2)):
        offered = {
            text: _labels(routes, tenant, text)
            for text in ("ke", "service:", "user:u", "status:", "deep.x:", "lev", "a | stats p")
        }
        assert offered == {
            "ke": [f"key{number}"],
            "service:": [f"svc{number}"],
            "user:u": [f"u{number}"],
            "status:": [str(500 + number)],
            "deep.x:": [],
            "lev": ["level"],
            "a | stats p": ["p50", "p95", "p99"],
        }


def _labels(routes: Routes, tenant: str, text: str) -> list[str]:
    status, result = routes.ask("POST /v1/query/complete", tenant, {"query": text})
    assert status == 200, result
    return [each["label"] for each in result["completions"]]


ATOMS = [
    "a",
    "é",
    ".",
    "^",
    "$",
    "(",
    "(?:",
    "(?i)",
    "(?P<n>",
    "(?-s:",
    "(?U)",
    "(?=",
    ")",
    "|",
    "*",
    "+",
    "?",
    "{2}",
    "{2,}",
    "{1,100}",
    "{1000}",
    "{",
    "}",
    "[",
    "]",
    "-",
    "[a-z]",
    "[^a]",
    "[[:alpha:]]",
    r"[a-\d]",
    "[]a]",
    "[a",
    "\\",
    r"\d",
    r"\w",
    r"\s",
    r"\b",
    r"\A",
    r"\z",
    r"\Q",
    r"\pL",
    r"\.",
    r"\x41",
    r"\x{1F600}",
]


def test_every_expression_that_is_accepted_compiles_in_the_engine(warehouse: Warehouse) -> None:
    random, accepted = Random(5), ["(x{100}){10}", ".{300}", "[^a]{390}", "(?i:[a-z]{390})"]
    for _ in range(2000):
        pattern = "".join(random.choices(ATOMS, k=random.choice([1, 2, 3, 5, 8, 12])))
        try:
            group_names(pattern)
        except RegexError:
            continue
        accepted.append(pattern)
    assert len(accepted) > 400
    for pattern in accepted:
        assert Scanner(f"/{pattern}/").expression() is not None
        warehouse.select("SELECT match(materialize('abc'), {p:String}) AS held", {"p": pattern})


@pytest.mark.parametrize(
    ("index", "text"),
    [
        ("trace_id_bloom", "trace_id:4bf92f35"),
        ("message_words", "needle"),
        ("message_words", '"needle in a haystack"'),
        ("message_words", 'message:"a needle"'),
        ("message_words", "msg:*in a needle stack*"),
        ("metadata_tokens_text", "k:eu"),
        ("metadata_tokens_text", "k:(eu OR 5)"),
        ("metadata_tokens_text", "k:*"),
        ("metadata_tokens_text", "rare:>12345"),
        ("metadata_tokens_text", "rare:[1 TO 5]"),
        ("metadata_tokens_text", "rare:x*"),
        ("metadata_tokens_text", "rare:/x/"),
        ("metadata_tokens_text", "rare:x | stats count() by service"),
    ],
)
def test_each_index_is_used_by_the_conditions_it_is_for(warehouse: Warehouse, index: str, text: str) -> None:
    request = stats_request(json.dumps({**EVER, "query": text}).encode())
    compiled = compiled_stats(request, TenantId("acme")).statement
    plan = warehouse.select(f"EXPLAIN indexes = 1 {compiled.sql}", compiled.parameters).rows
    assert f"Name: {index}" in "\n".join(row["explain"] for row in plan)
