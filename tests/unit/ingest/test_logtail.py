"""Better Stack's logtail: its libraries' logs become rows, and overload is 503, which they retry."""

import json
from typing import Any

import msgpack
import pytest

from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import said, send

pytestmark = pytest.mark.usefixtures("ingest")

ROOT = "POST /"
JSON = {"content-type": "application/json"}
MSGPACK = {"content-type": "application/msgpack"}
FRAME = {
    "dt": "2026-11-29T10:00:00.123456+00:00",
    "level": "warn",
    "severity": 4,
    "message": "disk full",
    "context": {"runtime": {"line": 7}, "system": {"pid": 1}},
}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (msgpack.packb([FRAME, FRAME]), MSGPACK),
        (msgpack.packb([FRAME, FRAME, FRAME])[:1] + msgpack.packb(FRAME) * 3, MSGPACK),
        (msgpack.packb(FRAME), {"content-type": "application/x-msgpack"}),
        (json.dumps([FRAME, FRAME]).encode(), JSON),
        (json.dumps(FRAME).encode(), JSON),
        (
            json.dumps(FRAME).encode() + b"\n" + json.dumps(FRAME).encode(),
            {"content-type": "application/x-ndjson"},
        ),
    ],
)
def test_logs_become_rows_in_either_encoding(
    ingest: InMemoryIngest, body: bytes, headers: dict[str, str]
) -> None:
    assert send(ROOT, body, headers)["statusCode"] == 202
    for row in ingest.staged()[0]:
        assert (row["message"], row["level"], row["timestamp"]) == (
            "disk full",
            "warn",
            "2026-11-29T10:00:00.123456000Z",
        )
        assert row["metadata"] == {"severity": 4, "context": FRAME["context"]}


def test_a_message_may_be_an_object(ingest: InMemoryIngest) -> None:
    sent: dict[str, Any] = {"message": {"msg": "inner", "n": 1}, "level": "info"}
    for body, headers in ((json.dumps(sent).encode(), JSON), (msgpack.packb(sent), MSGPACK)):
        send(ROOT, body, headers)
    assert [(rows[0]["message"], rows[0]["metadata"]) for rows in ingest.staged()] == [
        ("inner", {"n": 1})
    ] * 2


@pytest.mark.parametrize(
    ("verdict", "status", "waits"),
    [
        ({"bytes_per_second": "0"}, 503, True),
        ({"refusal": "quota_exceeded"}, 503, True),
        ({"refusal": "account_closing"}, 403, False),
        ({"verdict": "unknown_key"}, 401, False),
    ],
)
def test_overload_is_503_and_never_429(verdict: dict[str, str], status: int, waits: bool) -> None:
    answer = send(ROOT, json.dumps(FRAME).encode(), JSON, **verdict)
    assert (answer["statusCode"], "retry-after" in answer["headers"]) == (status, waits)


def test_a_bad_log_harms_no_other(ingest: InMemoryIngest) -> None:
    status, answer = said(send(ROOT, b'[{"message":"a"},{"message":"b","dt":7e99},7]', JSON))
    assert (status, answer["accepted"], answer["rejected"]) == (202, 2, 1)
    assert [row["message"] for row in ingest.staged()[0]] == ["a", "b"]


def test_two_tenants_keep_their_logs_apart(ingest: InMemoryIngest) -> None:
    for tenant in ("acme", "globex"):
        send(ROOT, msgpack.packb([{"message": f"of {tenant}"}]), MSGPACK, tenant=tenant)
    for tenant in ("acme", "globex"):
        assert [(row["message"], row["tenant_id"]) for row in ingest.staged(tenant)[0]] == [
            (f"of {tenant}", tenant)
        ]
