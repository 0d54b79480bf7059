"""Elasticsearch's bulk API: an item for each document, and answers by which its clients keep or drop them."""

import gzip
import json
from typing import Any

import pytest

from functions.ingest import handler as ingesting
from functions.ingest.protocols.elastic.bulk_answer import MAX_ANSWER_BYTES
from functions.ingest.protocols.elastic.bulk_body import service_of
from functions.ingest.protocols.elastic.filter_path import FilterPath
from functions.ingest.unmatched import RouteTable
from functions.shared.errors import RetryableError
from tests.integration.http_events import drain_event
from tests.measured import cost_of
from tests.unit.ingest.elastic_bodies import BODIES
from tests.unit.ingest.protocols import InMemoryIngest

ROUTE = "ANY /_bulk"
NDJSON = "application/vnd.elasticsearch+x-ndjson; compatible-with=9"
FLUENT_BIT = {"content-encoding": "gzip", "user-agent": "Fluent-Bit"}
GOOD = b'{"create":{}}\n{"message":"a"}\n'
STATUSES = [{"create": {"status": 201}}, {"delete": {"status": 400}}]
NOT_ALLOWED = "illegal_argument_exception"

pytestmark = pytest.mark.usefixtures("ingest")


def call(route: str, path: str, method: str = "GET", **headers: str) -> dict[str, Any]:
    """The answer to a request without a body."""
    event = drain_event(b"", {name.replace("_", "-"): value for name, value in headers.items()})
    event["requestContext"]["http"]["method"] = method
    return ingesting.handler({**event, "routeKey": route, "rawPath": path}, None)


def post(body: bytes, **more: Any) -> dict[str, Any]:
    headers = {"content-type": NDJSON, **more.pop("headers", {})}
    event = drain_event(body, headers, more.pop("tenant", "acme"))
    event |= {"routeKey": more.pop("route", ROUTE), "queryStringParameters": more.pop("query", {})}
    event["pathParameters"] = more.pop("parameters", {})
    event["requestContext"]["authorizer"]["lambda"] |= more
    return ingesting.handler(event, None)


def items(answer: dict[str, Any]) -> list[tuple[str, int]]:
    """Action and status of each item."""
    assert answer["statusCode"] == 200, answer
    found = json.loads(answer["body"])
    pairs = [next(iter(item.items())) for item in found["items"]]
    assert found["errors"] is any(result["status"] != 201 for _, result in pairs)
    return [(verb, result["status"]) for verb, result in pairs]


def test_a_document_becomes_an_event_by_the_names_of_its_logger(ingest: InMemoryIngest) -> None:
    body = b"""{"create":{"_index":"logs-app-2026.11.29","_id":"7"}}
{"@timestamp":"2026-11-29T10:00:00.123456789Z","message":"hi","log":{"level":"warn"},"trace":{"id":"t1"},"x":1}
"""
    answer = post(body)
    assert json.loads(answer["body"]) == {
        "took": 0,
        "errors": False,
        "items": [{"create": {"_index": "logs-app-2026.11.29", "status": 201}}],
    }
    ((row,),) = ingest.staged()
    assert row.pop("received_at")
    assert row == {
        "tenant_id": "acme",
        "project_id": "default",
        "timestamp": "2026-11-29T10:00:00.123456789Z",
        "level": "warn",
        "service": "logs-app",
        "message": "hi",
        "trace_id": "t1",
        "span_id": "",
        "metadata": {
            "log": {"level": "warn"},
            "trace": {"id": "t1"},
            "x": 1,
            "_id": "7",
            "_index": "logs-app-2026.11.29",
        },
    }


@pytest.mark.parametrize(
    ("document", "service"),
    [
        ({"message": "a"}, "web"),
        ({"message": "a", "service": None}, "web"),
        ({"message": "a", "service": {"name": "shop"}}, "shop"),
        ({"message": "a", "app": "shop"}, "shop"),
        ({"message": "a", "service": "shop", "metadata": {"y": 1}}, "shop"),
    ],
)
def test_the_index_of_the_path_is_the_service_of_a_document_without_one(
    ingest: InMemoryIngest, document: dict[str, Any], service: str
) -> None:
    body = b'{"index":{}}\n' + json.dumps(document).encode()
    assert items(post(body, route="ANY /{index}/_bulk", parameters={"index": "web"})) == [("index", 201)]
    ((row,),) = ingest.staged()
    assert (row["service"], row["metadata"]["_index"]) == (service, "web")


@pytest.mark.parametrize(
    ("index", "service"),
    [
        ("logstash-2026.11.29", "logstash"),
        ("app-2026.11", "app"),
        (".ds-logs-nginx-default-2026.11.29-000001", ".ds-logs-nginx-default"),
        ("logs-000007", "logs"),
        ("port-8080", "port-8080"),
        ("2026.11.29", "2026.11.29"),
        ("x" * 201, ""),
    ],
)
def test_date_and_number_of_an_index_are_not_of_the_service(index: str, service: str) -> None:
    assert service_of(index) == service


def test_an_event_of_its_own_index_and_id_keeps_them(ingest: InMemoryIngest) -> None:
    post(b'{"index":{"_index":"i","_id":1}}\n{"message":"a","_index":"mine","_id":"x"}\n')
    ((row,),) = ingest.staged()
    assert row["metadata"] == {"_index": "mine", "_id": "x"}


def test_each_document_has_a_result_of_its_own(ingest: InMemoryIngest) -> None:
    lines = [
        b'{"create":{}}', b'{"message":"first"}',
        b'{"delete":{"_id":"1"}}',
        b'{"update":{"_id":"1"}}', b'{"doc":{"message":"a"}}',
        b'{"create":{}}', b"no JSON",
        b'{"create":{}}', b'["an array"]',
        b'{"create":{}}', b"{}",
        b'{"create":{}}', b'{"message":"bad \xff"}',
        b'{"create":{}}', b'{"message":"a","service":7}',
        b'{"index":{}}', b'{"msg":"second"}',
        b'{"create":{}}',
    ]  # fmt: skip
    answer = post(b"\n".join(lines))
    assert items(answer) == [
        ("create", 201), ("delete", 400), ("update", 400), ("create", 400), ("create", 400), ("create", 400),
        ("create", 400), ("create", 400), ("index", 201), ("create", 400),
    ]  # fmt: skip
    reasons = [next(iter(item.values())).get("error") for item in json.loads(answer["body"])["items"]]
    assert reasons[1] == {
        "type": "illegal_argument_exception",
        "reason": "Events can be appended only: use 'create' or 'index'. (append_only)",
    }
    assert reasons[3]["type"] == "document_parsing_exception"
    (rows,) = ingest.staged()
    assert [row["message"] for row in rows] == ["first", "second"]


def test_lines_may_end_in_crlf_and_blank_ones_are_skipped(ingest: InMemoryIngest) -> None:
    body = b'\r\n{"create":{}}\r\n{"message":"a"}\r\n\r\n\n{"create":{}}\n{"message":"b"}'
    assert items(post(body)) == [("create", 201)] * 2
    (rows,) = ingest.staged()
    assert [row["message"] for row in rows] == ["a", "b"]


def test_a_line_longer_than_a_document_may_be_harms_no_other() -> None:
    large = b'{"create":{}}\n{"message":"' + b"x" * (5 * 1024 * 1024) + b'"}\n'
    body = gzip.compress(GOOD + large + GOOD)
    answer = post(body, headers={"content-encoding": "gzip"})
    assert items(answer) == [("create", 201), ("create", 400), ("create", 201)]
    assert "event_too_large" in answer["body"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n",
        b'{\n  "create": {}\n}\n{"message":"a"}\n',
        GOOD + b'{"message":"a"}\n',
        GOOD + b"nonsense\n{}\n",
        GOOD + b'{"create":{},"index":{}}\n{}\n',
        GOOD + b"{}\n{}\n",
        GOOD + b'{"create":null}\n{}\n',
        GOOD + b'{"create":{"_index":7}}\n{}\n',
        GOOD + b'{"upsert":{}}\n{}\n',
        GOOD + b'["create"]\n{}\n',
        GOOD + b"[" * 100_000,
    ],
)
def test_a_line_that_is_no_action_fails_the_whole_request_and_stores_nothing(
    ingest: InMemoryIngest, body: bytes
) -> None:
    answer = post(body)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["error"]["type"] == "illegal_argument_exception"
    assert ingest.staged() == []


def test_fluent_bit_finds_what_it_looks_for_in_a_short_answer(ingest: InMemoryIngest) -> None:
    answer = post(gzip.compress(GOOD * 40_000), headers=FLUENT_BIT)
    assert answer["statusCode"] == 200
    assert '"errors":false,"items":[' in answer["body"][:100]
    assert len(answer["body"]) <= 512_000
    assert sum(map(len, ingest.staged())) == 40_000


@pytest.mark.parametrize(
    "agent",
    [
        "elasticsearch-py/9.5.1",
        "opensearch-py/3.2.0",
        "Elastic-filebeat/9.2",
        "OpenTelemetry Collector Contrib/0.158.0 (linux/amd64)",
        "",
    ],
)
def test_clients_that_match_items_with_documents_get_one_for_each(agent: str) -> None:
    body = GOOD * 30_000 + b'{"create":{}}\n{}\n' * 30_000
    sent = {"content-encoding": "gzip", "user-agent": agent}
    answer = post(gzip.compress(body), headers=sent)
    assert items(answer) == [("create", 201)] * 30_000 + [("create", 400)] * 30_000
    assert len(json.dumps(answer)) < 6_000_000


def test_fluent_bit_gets_the_failed_items_of_a_request_too_large_for_all() -> None:
    body = GOOD * 30_000 + b'{"delete":{}}\n' * 3
    answer = post(gzip.compress(body), headers=FLUENT_BIT)
    assert items(answer) == [("delete", 400)] * 3
    many = post(gzip.compress(GOOD + b'{"delete":{}}\n' * 60_000), headers=FLUENT_BIT)
    assert set(items(many)) == {("delete", 400)}
    assert len(many["body"]) <= MAX_ANSWER_BYTES + 100


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ("errors", {"errors": True}),
        ("took,items.*.error.type", {"took": 0, "items": [{"delete": {"error": {"type": NOT_ALLOWED}}}]}),
        ("errors,items.*.status", {"errors": True, "items": STATUSES}),
        ("**.status", {"items": STATUSES}),
        ("items.cr*e.status", {"items": [{"create": {"status": 201}}]}),
        ("-took,-items", {"errors": True}),
        ("nothing", {}),
    ],
)  # fmt: skip
def test_an_answer_has_what_filter_path_asks_for(asked: str, left: dict[str, Any]) -> None:
    answer = post(GOOD + b'{"delete":{}}\n', query={"filter_path": asked})
    assert json.loads(answer["body"]) == left


def test_a_filter_that_is_made_to_be_slow_is_not() -> None:
    filters = FilterPath.parse(",".join([".".join(["**", "*a*a*a*"] * 20)] * 20))
    assert filters.left_of({"a" * 50: {"a" * 50: 1}}) == {}


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        ({"verdict": "unknown_key"}, 401),
        ({"scopes": "read"}, 403),
        ({"refusal": "quota_exceeded"}, 429),
        ({"refusal": "payment_overdue"}, 429),
        ({"refusal": "subscription_ended"}, 403),
        ({"refusal": "account_closing"}, 403),
        ({"bytes_per_second": "0"}, 429),
    ],
)
def test_a_client_sends_again_what_a_wait_would_save_and_nothing_else(
    ingest: InMemoryIngest, verdict: dict[str, str], status: int
) -> None:
    answer = post(GOOD, **verdict)
    error = json.loads(answer["body"])
    assert (answer["statusCode"], error["status"]) == (status, status)
    assert error["error"]["root_cause"][0]["type"] == error["error"]["type"]
    assert answer["headers"]["x-elastic-product"] == "Elasticsearch"
    assert ingest.staged() == []


def test_a_fault_on_our_side_is_503_because_clients_do_not_send_again_after_500(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for fault in (ValueError("a bug"), RetryableError("S3")):
        monkeypatch.setattr(ingesting, "_put", lambda *_given, fault=fault: (_ for _ in ()).throw(fault))
        assert post(GOOD)["statusCode"] == 503


def test_the_root_says_what_clients_want_to_see_and_401_to_a_bad_key() -> None:
    answer = call("ANY /", "/")
    found = json.loads(answer["body"])
    assert answer["headers"]["x-elastic-product"] == "Elasticsearch"
    assert found["tagline"] == "You Know, for Search"
    assert int(found["version"]["number"].partition(".")[0]) >= 8
    assert call("ANY /", "/", "HEAD")["statusCode"] == 200
    event = drain_event(b"")
    event["requestContext"]["authorizer"]["lambda"] = {"verdict": "unknown_key"}
    event["requestContext"]["http"]["method"] = "GET"
    assert ingesting.handler({**event, "routeKey": "ANY /"}, None)["statusCode"] == 401


@pytest.mark.parametrize(
    ("route", "method", "allow"),
    [("ANY /", "POST", "GET, HEAD"), ("ANY /", "DELETE", "GET, HEAD"), (ROUTE, "GET", "POST, PUT")],
)
def test_other_methods_of_its_routes_are_405(route: str, method: str, allow: str) -> None:
    answer = call(route, route.split()[1], method)
    assert (answer["statusCode"], answer["headers"]["allow"]) == (405, allow)


@pytest.mark.parametrize(
    ("method", "path", "member"),
    [
        ("GET", "/_license", "license"),
        ("GET", "/_xpack", "features"),
        ("GET", "/_cluster/health", "status"),
        ("HEAD", "/_cat/health", "status"),
        ("GET", "/_nodes/http", "nodes"),
        ("GET", "/_index_template/filebeat-9.2.0", "index_templates"),
        ("GET", "/_component_template/logs", "component_templates"),
        ("GET", "/_template/logstash", "logstash"),
        ("GET", "/_ilm/policy/filebeat", "filebeat"),
        ("GET", "/_data_stream/filebeat-9.2.0", "data_streams"),
        ("GET", "/_ingest/pipeline/nginx", "nginx"),
        ("HEAD", "/_alias/logs", "logs"),
        ("PUT", "/_ilm/policy/filebeat", "acknowledged"),
        ("PUT", "/_index_template/x", "acknowledged"),
        ("POST", "/pino/_refresh", "_shards"),
        ("GET", "/pino/_refresh", "_shards"),
    ],
)
def test_what_a_client_would_set_up_is_there_already(method: str, path: str, member: str) -> None:
    answer = call("$default", path, method)
    assert answer["statusCode"] == 200
    assert answer["headers"]["x-elastic-product"] == "Elasticsearch"
    assert member in json.loads(answer["body"])


def test_a_client_that_looks_for_nodes_finds_the_address_it_came_by() -> None:
    for host, address in (("logs.example", "logs.example:443"), ("127.0.0.1:8080", "127.0.0.1:8080")):
        (node,) = json.loads(call("$default", "/_nodes/http", host=host)["body"])["nodes"].values()
        assert node["http"]["publish_address"] == address


def test_an_index_exists_for_its_clients_and_for_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingesting, "_route_table", lambda: RouteTable({}))
    assert call("$default", "/logs", "HEAD", user_agent="elasticsearch-py/9.5.1")["statusCode"] == 200
    assert call("$default", "/logs", "PUT", x_elastic_client_meta="es=9")["statusCode"] == 200
    answer = call("$default", "/logs", "GET", user_agent="curl/8")
    assert (answer["statusCode"], "x-elastic-product" in answer["headers"]) == (404, False)


@pytest.mark.parametrize(("method", "path"), [("POST", "/logs/_search"), ("DELETE", "/_index_template/x")])
def test_what_is_not_there_says_what_to_use_instead(method: str, path: str) -> None:
    answer = call("$default", path, method)
    assert answer["statusCode"] == 404
    assert "/_bulk" in json.loads(answer["body"])["error"]["reason"]


def test_two_tenants_sharing_an_environment_keep_their_rows_apart(ingest: InMemoryIngest) -> None:
    for tenant in ("acme", "globex"):
        post(b'{"create":{"_index":"i"}}\n{"message":"of %b"}\n' % tenant.encode(), tenant=tenant)
    for tenant in ("acme", "globex"):
        assert [[row["message"], row["tenant_id"]] for row in ingest.staged(tenant)[0]] == [
            [f"of {tenant}", tenant]
        ]


@pytest.mark.measured
@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_stays_within_5_cpu_seconds_and_a_quarter_of_the_memory(name: str) -> None:
    cost = cost_of(
        "tests.unit.ingest.elastic_bodies:send", {"name": name}, memory_mb=1024, within_cpu_seconds=5
    )
    assert cost.result in (200, 400, 413)
    assert cost.cpu_seconds <= 5, cost
    assert cost.peak_mb <= 256, cost
