"""Vercel's log drains: logs become rows, signatures are checked, and the probe gets its value."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import said, send

pytestmark = pytest.mark.usefixtures("ingest")

KEY = "ast_sk_live_secret"
URL = f"POST /v1/vercel?key={KEY}"
LOG = {
    "id": "1573817187330377061717300000",
    "message": "done",
    "timestamp": 1795946400123,
    "source": "lambda",
    "level": "error",
    "projectId": "p1",
    "projectName": "shop",
    "deploymentId": "dpl_1",
    "traceId": "t1",
    "spanId": "s1",
}
EDGE = {
    "id": "2",
    "timestamp": 1795946400123,
    "source": "static",
    "proxy": {
        "method": "GET",
        "host": "example.com",
        "path": "/a?b",
        "statusCode": 404,
        "clientIp": "192.0.2.1",
    },
}


def signed(body: bytes, key: str = KEY) -> dict[str, str]:
    return {"x-vercel-signature": hmac.new(key.encode(), body, hashlib.sha1).hexdigest()}


@pytest.mark.parametrize(
    "body",
    [json.dumps([LOG, EDGE]).encode(), (json.dumps(LOG) + "\n" + json.dumps(EDGE) + "\n").encode()],
)
def test_logs_of_deployments_and_of_the_edge_become_rows(ingest: InMemoryIngest, body: bytes) -> None:
    assert said(send(URL, body, signed(body)))[0] == 200
    ((log, edge),) = ingest.staged()
    assert (log["message"], log["level"], log["service"], log["timestamp"]) == (
        "done",
        "error",
        "shop",
        "2026-11-29T10:00:00.123000000Z",
    )
    assert (log["trace_id"], log["span_id"], log["metadata"]["deploymentId"]) == ("t1", "s1", "dpl_1")
    assert (edge["message"], edge["metadata"]["proxy"]) == ("GET example.com/a?b 404", EDGE["proxy"])


@pytest.mark.parametrize("key", ["another", ""])
def test_a_signature_by_another_secret_is_refused(ingest: InMemoryIngest, key: str) -> None:
    body = json.dumps([LOG]).encode()
    status, answer = said(send(URL, body, signed(body, key)))
    assert (status, answer["code"]) == (401, "unauthorized")
    assert said(send(URL, body + b" ", signed(body)))[0] == 401
    assert said(send(URL, body, {"x-vercel-signature": "é"}))[0] == 401
    assert ingest.staged() == []
    assert said(send(URL, body, {"authorization": f"Bearer {KEY}", **signed(body)}))[0] == 200


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        (URL, {"x-vercel-verify": "abc-123"}),
        (f"{URL}&verify=abc-123", {}),
        ("POST /v1/vercel?verify=abc-123", {}),
    ],
)
def test_the_probe_gets_its_value_with_and_without_logs(url: str, headers: dict[str, str]) -> None:
    probe = send(url, b"", headers, verdict="missing_key")
    assert (probe["statusCode"], probe["headers"]["x-vercel-verify"]) == (200, "abc-123")
    test = send(url, json.dumps([LOG]).encode(), headers)
    assert (test["statusCode"], test["headers"]["x-vercel-verify"]) == (200, "abc-123")


def test_a_value_that_is_no_word_is_not_repeated() -> None:
    assert "x-vercel-verify" not in send(f"{URL}&verify=a%0Ab", b"[]")["headers"]


def test_a_bad_log_harms_no_other(ingest: InMemoryIngest) -> None:
    status, answer = said(send(URL, json.dumps([LOG, 7, LOG]).encode()))
    assert (status, answer["accepted"], answer["errors"][0]["index"]) == (200, 2, 1)
    assert len(ingest.staged()[0]) == 2


def test_two_tenants_keep_their_logs_apart(ingest: InMemoryIngest) -> None:
    for tenant in ("acme", "globex"):
        sent: list[dict[str, Any]] = [{**LOG, "message": f"of {tenant}"}]
        send(URL, json.dumps(sent).encode(), tenant=tenant)
    for tenant in ("acme", "globex"):
        assert [(row["message"], row["tenant_id"]) for row in ingest.staged(tenant)[0]] == [
            (f"of {tenant}", tenant)
        ]
