"""Hostile searches, requests to uploads and files by the thousand: none breaks its function.

Together with tests/integration/test_pipeline_hostile.py these are the 20,000 of `make soak`.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.query.searching.event_id import format_id
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.warehouse import Warehouse
from infra.topology import function
from tests.integration.execution_environment import Environment, environment
from tests.integration.hostile_files import files
from tests.integration.hostile_json_bodies import searches, upload_requests
from tests.integration.hostile_search import ADDRESS
from tests.integration.hostile_searches import ODD_TEXTS, hostile_bodies, hostile_queries
from tests.integration.http_events import drain_event
from tests.integration.loading import load, staged
from tests.integration.warehouse_process import clickhouse

SEED = 20261129
MAX_CPU_SECONDS = 5
SECRET = "globex-secret-4711"
"""In each row of the other tenant."""

THEIR_OBJECT = "0195f5e2-7c00-7000-8000-000000000002"
SETTLED = {"done", "failed", "partly"}


def soaking(short: int, long: int) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("count", [short, pytest.param(long, marks=pytest.mark.soak)])


def has_error_form(body: Any) -> bool:
    """Whether an error has the form that every one has."""
    return all(isinstance(body.get(name), str) and body[name] for name in ("error", "code", "request_id"))


def check_costs(name: str, environment: Environment, statuses: Counter[Any]) -> str:
    """Within its memory and 5 s; the line to print."""
    line = f"\n{name}: {dict(statuses)}, {environment.costs()}"
    assert environment.memory_kb("VmHWM") <= function(name).memory_mb * 1024, line
    assert environment.max_cpu_seconds <= MAX_CPU_SECONDS, line
    return line


def rows(tenant: str, message: str) -> Iterator[bytes]:
    """One a minute of the last days, with metadata of every type."""
    now = datetime.now(UTC)
    values = ["1", "1.5", '"a"', "null", "true", "[1]", '{"b":{"c":"x"}}', "1e300", '""']
    for number in range(500):
        time = f"{now - timedelta(minutes=number):%Y-%m-%d %H:%M:%S}.000000000"
        metadata = f'{{"a":{values[number % 9]},"é":{values[number % 7]}}}'
        yield staged(metadata, tenant_id=tenant, timestamp=time, message=f"{message} {number}")


@pytest.fixture
def search_variables(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The settings of the search function, with an engine that holds rows of two tenants."""
    with clickhouse(tmp_path / "clickhouse") as address:
        Schema(address, "MergeTree").bring_up_to_date(migrations())
        warehouse = Warehouse(address, 60)
        load(warehouse, list(rows("acme", "hello a b")), "b1")
        load(warehouse, list(rows("globex", SECRET)), "b2")
        warehouse.close()
        secret = {
            "host": address.host,
            "port": address.port,
            "secure": address.secure,
            "user": address.user,
            "password": address.password.reveal(),
            "database": address.database,
        }
        # No budget of rows: here is no table for it, and each search is to be answered.
        unlimited = {"search_rows_a_minute": "0", "search_rows_a_minute_of_key": "0"}
        settings = {**function("query").settings, **unlimited}
        yield {
            **{f"ASTRALOG_{name.upper()}": value.rpartition(":")[2] for name, value in settings.items()},
            ADDRESS: json.dumps(secret),
        }


def search_event(body: bytes) -> dict[str, Any]:
    event = {**drain_event(body), "routeKey": "POST /v1/search", "rawPath": "/v1/search"}
    event["requestContext"]["authorizer"]["lambda"]["scopes"] = "read"
    return event


@soaking(250, 4_000)
def test_hostile_searches_are_answered_200_or_400_and_show_no_other_tenant(
    tmp_path: Path, search_variables: dict[str, str], capsys: pytest.CaptureFixture[str], count: int
) -> None:
    statuses, faults = Counter[Any](), dict[str, str]()
    handler = "tests.integration.hostile_search.handler"
    with environment(handler, function("query").memory_mb, tmp_path, search_variables) as query:
        good = query.invoke(search_event(b'{"q":"hello","limit":1000}'))
        assert len(json.loads(good["body"])["events"]) == 500, "the engine is there and holds rows"
        for number, body in enumerate(searches(SEED, count)):
            answer = query.invoke(search_event(body))
            status = answer.get("statusCode")
            statuses[status] += 1
            if status not in (200, 400) or (status == 400 and not has_error_form(json.loads(answer["body"]))):
                faults[f"{number}: {body[:300]!r}"] = str(answer)[:300]
            assert SECRET not in str(answer)
        line = check_costs("query", query, statuses)
    with capsys.disabled():
        print(line)
    assert faults == {}
    assert statuses[200] > count / 20


def route_event(route: str, body: bytes = b"", path: str = "", **query: str) -> dict[str, Any]:
    """A request of acme to one of the other routes of query; `path`: the id in its path."""
    more = {"routeKey": route, "queryStringParameters": query, "pathParameters": {"id": path}}
    return {**search_event(body), **more}


def hostile_route_events() -> Iterator[dict[str, Any]]:
    """The hostile queries at every route that takes one, and hostile ids and parameters, each once."""
    sent = set[bytes]()
    for text in [
        *hostile_queries(),
        "* | stats count(), p99(a) by a, b, c, d",
        f"a:{SECRET} | stats count()",
    ]:
        body = json.dumps({"query": text}).encode()
        sent.add(body)
        yield route_event("POST /v1/stats", body)
        yield route_event("POST /v1/query/complete", body)
        yield route_event("POST /v1/query/format", body)
        yield route_event("POST /v1/histogram", json.dumps({"query": text, "split_by": "a"}).encode())
        yield route_event("POST /v1/fields", body)
        yield route_event("GET /v1/search", q=text, limit="1000")
    for body in hostile_bodies():
        if body not in sent:
            yield route_event("POST /v1/stats", body)
            yield route_event("POST /v1/query/complete", body)
            yield route_event("POST /v1/query/format", body)
            yield route_event("POST /v1/fields", body)
        yield route_event("POST /v1/histogram", body)
    for text in (*ODD_TEXTS, "A" * 4096, "-" * 40, format_id(THEIR_OBJECT, 0) or ""):
        yield route_event("GET /v1/events/{id}", path=text)
        yield route_event("GET /v1/events/{id}/context", path=text, before="500", after="500", scope="all")
        yield route_event("GET /v1/traces/{id}", path=text)
        yield route_event("GET /v1/search", cursor=text, **{"from": text})


def test_hostile_requests_to_the_other_routes_of_query_are_bounded_and_show_no_other_tenant(
    tmp_path: Path, search_variables: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    statuses, faults = Counter[Any](), dict[str, str]()
    handler = "tests.integration.hostile_search.handler"
    with environment(handler, function("query").memory_mb, tmp_path, search_variables) as query:
        good = query.invoke(route_event("POST /v1/stats", b'{"query":"hello | stats count()"}'))
        assert json.loads(good["body"])["rows"] == [[500]], "acme has rows, and the count is of its own"
        for number, event in enumerate(hostile_route_events()):
            answer = query.invoke(event)
            status = answer.get("statusCode")
            statuses[f"{event['routeKey'].partition('/v1')[2]} {status}"] += 1
            if status not in (200, 400, 404, 413):
                faults[f"{number}: {event['routeKey']}"] = str(answer)[:300]
            assert SECRET not in str(answer.get("body", "")).replace(f"a:{SECRET}", "")
        line = check_costs("query", query, statuses)
    with capsys.disabled():
        print(line)
    assert faults == {}
    assert all(
        statuses[f"/{route} 200"]
        for route in ("search", "stats", "query/complete", "query/format", "histogram", "fields")
    ), line


@soaking(250, 3_000)
def test_hostile_requests_to_uploads_are_answered_below_500_and_reach_no_other_tenant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    statuses, faults = Counter[Any](), dict[str, str]()
    handler = "tests.integration.hostile_uploads.routes"
    with environment(handler, function("uploads").memory_mb, tmp_path, {}) as uploads:
        theirs = uploads.invoke(
            {"route": "POST /v1/uploads", "tenant": "globex", "raw": '{"filename":"x","size":5}'}
        )["body"]
        look = {"route": "GET /v1/uploads/{id}", "upload_id": theirs["id"]}
        for number, asked in enumerate(upload_requests(SEED, count)):
            answer = uploads.invoke(dict(asked))
            status = answer.get("statusCode")
            statuses[status] += 1
            is_good = status in (200, 201) or (
                status in (400, 404, 413, 429) and has_error_form(answer["body"])
            )
            if not is_good:
                faults[f"{number}: {asked}"[:400]] = str(answer)[:300]
            if status == 201 and not answer["body"]["key"].startswith("dropin/v1/tenant=acme/"):
                faults[f"{number}: {asked}"[:400]] = answer["body"]["key"]
            assert theirs["id"] not in str(answer)
        assert uploads.invoke({**look, "tenant": "acme", "scopes": "read"})["statusCode"] == 404
        assert uploads.invoke({**look, "tenant": "globex", "scopes": "read"})["body"]["state"] == "waiting"
        line = check_costs("uploads", uploads, statuses)
    with capsys.disabled():
        print(line)
    assert faults == {}
    assert statuses[201] > count / 20


@soaking(60, 3_000)
def test_hostile_files_are_settled_and_leave_rows_to_their_own_tenant_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    states, faults = Counter[Any](), dict[str, str]()
    handler = "tests.integration.hostile_uploads.files"
    with environment(handler, function("dropin").memory_mb, tmp_path, {}) as dropin:
        for number, file in enumerate(files(SEED, count)):
            answer = dropin.invoke({"name": file.name, "body": base64.b64encode(file.body).decode()})
            statuses = answer.get("statuses") or [{}]
            states[statuses[0].get("state")] += 1
            is_good = (
                len(statuses) == 1
                and statuses[0].get("state") in SETTLED
                and statuses[0]["rows_stored"] == answer["rows"]
                and not answer["came_back"]
                and not answer["others"]
            )
            if not is_good:
                faults[f"{number}: {file.headers['made']} {file.body[:100]!r}"] = str(answer)[:300]
        line = check_costs("dropin", dropin, states)
    with capsys.disabled():
        print(line)
    assert faults == {}
    assert states["done"] > count / 20
