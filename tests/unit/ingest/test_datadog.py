"""Datadog's log intake: logs of the agent and of its libraries become rows, with the statuses it retries."""

import json
import zlib
from typing import Any

import pytest
from backports import zstd

from functions.ingest.protocols.datadog import MAX_TAGS_CHARACTERS, tags_of
from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import said, send

pytestmark = pytest.mark.usefixtures("ingest")

LOGS = "POST /api/v2/logs"
JSON = {"content-type": "application/json"}


def log(message: Any, **more: Any) -> dict[str, Any]:
    return {"message": message, "timestamp": 1795946400123, **more}


@pytest.mark.parametrize("url", [LOGS, "POST /v1/input"])
@pytest.mark.parametrize("encoding", ["", "gzip", "deflate", "zstd"])
def test_logs_of_the_agent_become_rows(ingest: InMemoryIngest, url: str, encoding: str) -> None:
    sent = log(
        "disk full",
        status="error",
        service="shop",
        hostname="h1",
        ddsource="python",
        ddtags="env:prod,v:1:2,x",
    )
    body = json.dumps([sent, log("two")]).encode()
    packed = {
        "": body,
        "gzip": zlib.compress(body, wbits=31),
        "deflate": zlib.compress(body),
        "zstd": zstd.compress(body),
    }[encoding]
    headers = JSON | ({"content-encoding": encoding} if encoding else {})
    assert said(send(url, packed, headers)) == (202, {})
    ((first, second),) = ingest.staged()
    assert (first["message"], first["level"], first["service"], first["timestamp"]) == (
        "disk full",
        "error",
        "shop",
        "2026-11-29T10:00:00.123000000Z",
    )
    assert first["metadata"] == {
        "hostname": "h1",
        "ddsource": "python",
        "ddtags": "env:prod,v:1:2,x",
        "tags": {"env": "prod", "v": "1:2"},
    }
    assert (second["message"], second["level"]) == ("two", "info")


@pytest.mark.parametrize(
    ("sent", "row", "metadata"),
    [
        (
            log({"msg": "inner", "level": "warn", "n": 1.50}),
            {"message": "inner", "level": "warn"},
            {"n": 1.5},
        ),
        (
            log('{"level":30,"time":1795946400123,"pid":7,"msg":"pino"}', service="shop"),
            {"message": "pino", "level": "info", "service": "shop"},
            {"pid": 7, "time": 1795946400123},
        ),
        (log("{not json"), {"message": "{not json"}, {}),
        (
            log("a", ddtags="service:cart"),
            {"service": "cart"},
            {"ddtags": "service:cart", "tags": {"service": "cart"}},
        ),
        (log("a", status=200), {"level": "info"}, {"status": 200}),
        (
            log("a", dd={"trace_id": "12", "span_id": "7"}),
            {"trace_id": "12", "span_id": "7"},
            {"dd": {"trace_id": "12", "span_id": "7"}},
        ),
        ({"ddsource": "x"}, {"message": ""}, {"ddsource": "x"}),
    ],
)
def test_a_log_becomes_a_row(
    ingest: InMemoryIngest, sent: dict[str, Any], row: dict[str, Any], metadata: dict[str, Any]
) -> None:
    assert said(send(LOGS, json.dumps(sent).encode(), JSON)) == (202, {})
    ((found,),) = ingest.staged()
    assert {name: found[name] for name in row} == row
    assert found["metadata"] == metadata


def test_the_query_has_what_a_log_has_not(ingest: InMemoryIngest) -> None:
    url = f"{LOGS}?ddsource=nginx&service=web&hostname=h&ddtags=env:dev&dd-api-key=secret"
    send(url, json.dumps([log("a"), log("b", service="own", ddtags="env:prod")]).encode(), JSON)
    ((first, second),) = ingest.staged()
    assert (first["service"], first["metadata"]["tags"]) == ("web", {"env": "dev"})
    assert (second["service"], second["metadata"]["tags"]) == ("own", {"env": "prod"})
    assert "secret" not in json.dumps([first, second])


def test_plain_text_is_one_event_a_line(ingest: InMemoryIngest) -> None:
    answer = send(f"{LOGS}?service=web", b'one\n{"msg":"two"}\n\n', {"content-type": "text/plain"})
    assert said(answer) == (202, {})
    (rows,) = ingest.staged()
    assert [(row["message"], row["service"]) for row in rows] == [("one", "web"), ("two", "web")]


@pytest.mark.parametrize("body", [b"", b"{}", b"{ }", b"[]", b"[{}]", b"\n"])
def test_the_agents_empty_body_is_a_good_connection(ingest: InMemoryIngest, body: bytes) -> None:
    assert said(send(LOGS, body, JSON)) == (202, {})
    assert ingest.staged() == []
    assert said(send(LOGS, body, JSON, verdict="unknown_key"))[0] == 401


def test_a_key_can_be_validated() -> None:
    assert said(send("GET /api/v1/validate")) == (200, {"valid": True})
    status, answer = said(send("GET /api/v1/validate", verdict="unknown_key"))
    assert (status, answer["errors"][0]["status"]) == (403, "403")


def test_a_bad_log_harms_no_other_and_is_counted() -> None:
    status, answer = said(send(LOGS, b'[{"message":"a"},7,{"message":"b","timestamp":"x"}]', JSON))
    assert (status, answer["accepted"]) == (202, 1)
    assert [each["code"] for each in answer["errors"]] == ["not_an_object", "invalid_timestamp"]


def test_only_bad_logs_are_a_bad_request_with_the_first_reason(ingest: InMemoryIngest) -> None:
    status, answer = said(send(LOGS, b'[{"message":"b","timestamp":"x"}]', JSON))
    assert (status, answer["errors"][0]["title"]) == (400, "Bad Request")
    assert "'timestamp' is neither" in answer["errors"][0]["detail"]
    assert ingest.staged() == []


def test_two_tenants_keep_their_logs_apart(ingest: InMemoryIngest) -> None:
    for tenant in ("acme", "globex"):
        send(LOGS, json.dumps(log(f"of {tenant}")).encode(), JSON, tenant=tenant)
    for tenant in ("acme", "globex"):
        assert [(row["message"], row["tenant_id"]) for row in ingest.staged(tenant)[0]] == [
            (f"of {tenant}", tenant)
        ]


def test_a_very_long_list_of_tags_is_kept_as_it_is() -> None:
    assert tags_of("a:1," * MAX_TAGS_CHARACTERS) == {}
    assert tags_of("") == {}
