"""Amazon Data Firehose: records of any kind become rows, a delivery is stored once, answers are its own."""

import base64
import gzip
import json
import time
from typing import Any

import pytest

from functions.ingest.protocols.firehose import MAX_RECORDS
from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import said, send

pytestmark = pytest.mark.usefixtures("ingest")

URL = "POST /v1/firehose"
ID = "ed4acda5-034f-9f42-bba1-f29aea6d7d8f"
HEADERS = {
    "content-type": "application/json",
    "x-amz-firehose-protocol-version": "1.0",
    "x-amz-firehose-request-id": ID,
    "x-amz-firehose-source-arn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/logs",
    "x-amz-firehose-common-attributes": '{"commonAttributes":{"env":"prod","service":"shop"}}',
}
CONTROL = {"messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "", "logStream": ""}


def subscription(*messages: str) -> dict[str, Any]:
    return {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": "/aws/lambda/shop",
        "logStream": "2026/11/29/[$LATEST]a",
        "subscriptionFilters": ["all"],
        "logEvents": [
            {"id": f"{number:056d}", "timestamp": 1795946400123, "message": message}
            for number, message in enumerate(messages)
        ],
    }


def delivery(*records: bytes, at: int = 1578090901599) -> bytes:
    encoded = [{"data": base64.b64encode(record).decode()} for record in records]
    return json.dumps({"requestId": ID, "timestamp": at, "records": encoded}).encode()


def zipped(*values: Any) -> bytes:
    return gzip.compress("".join(map(json.dumps, values)).encode())


def test_a_subscription_of_cloudwatch_becomes_rows(ingest: InMemoryIngest) -> None:
    inner = '{"timestamp":"2026-11-29T10:00:00.120Z","level":"ERROR","message":"boom","requestId":"r"}\n'
    control = {**CONTROL, "logEvents": [{"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE"}]}
    body = delivery(zipped(control), zipped(subscription("START\n", inner), subscription("last")))
    began = time.time_ns() // 1_000_000
    status, answer = said(send(URL, body, HEADERS))
    assert (status, answer["requestId"], sorted(answer)) == (200, ID, ["requestId", "timestamp"])
    assert began <= answer["timestamp"] <= time.time_ns() // 1_000_000
    ((start, lambda_json, last),) = ingest.staged()
    assert (start["message"], start["timestamp"], start["service"]) == (
        "START",
        "2026-11-29T10:00:00.123000000Z",
        "shop",
    )
    assert start["metadata"] == {
        "id": "0" * 56,
        "env": "prod",
        "logGroup": "/aws/lambda/shop",
        "logStream": "2026/11/29/[$LATEST]a",
        "owner": "123456789012",
        "subscriptionFilters": ["all"],
    }
    assert (lambda_json["message"], lambda_json["level"]) == ("boom", "error")
    assert lambda_json["metadata"]["content.timestamp"] == "2026-11-29T10:00:00.120Z"
    assert last["message"] == "last"


@pytest.mark.parametrize(
    ("record", "messages"),
    [
        (b"one\ntwo\n", ["one", "two"]),
        (b'{"msg":"one"}{"msg":"two"}', ["one", "two"]),
        (b'{"msg":"one"}\n{"msg":"two"}\n', ["one", "two"]),
        (b'[{"msg":"one"},{"msg":"two"}]', ["one", "two"]),
        (gzip.compress(b"one", mtime=0) + gzip.compress(b"\ntwo", mtime=0), ["one", "two"]),
        (b"{broken\none", ["{broken", "one"]),
        (b"", []),
    ],
)
def test_other_records_are_json_or_lines(ingest: InMemoryIngest, record: bytes, messages: list[str]) -> None:
    assert said(send(URL, delivery(record), HEADERS))[0] == 200
    assert [row["message"] for rows in ingest.staged() for row in rows] == messages


def test_the_body_may_be_compressed(ingest: InMemoryIngest) -> None:
    send(URL, gzip.compress(delivery(b"one")), {**HEADERS, "content-encoding": "gzip"})
    assert ingest.staged()[0][0]["message"] == "one"


def test_control_messages_alone_are_a_success(ingest: InMemoryIngest) -> None:
    assert said(send(URL, delivery(zipped({**CONTROL, "logEvents": []})), HEADERS))[0] == 200
    assert said(send(URL, delivery(), HEADERS))[0] == 200
    assert ingest.staged() == []


def test_a_delivery_that_is_sent_again_at_another_time_is_stored_once(ingest: InMemoryIngest) -> None:
    for at in (1, 2):
        for tenant in ("acme", "globex"):
            body = delivery(f"of {tenant}".encode(), at=at)
            assert said(send(URL, body, HEADERS, tenant=tenant))[0] == 200
    for tenant in ("acme", "globex"):
        assert [[row["message"] for row in rows] for rows in ingest.staged(tenant)] == [[f"of {tenant}"]]
    assert said(send(URL, delivery(b"other"), HEADERS))[0] == 409
    assert said(send(URL, delivery(b"other"), {**HEADERS, "x-amz-firehose-request-id": "2"}))[0] == 200


def test_a_bad_record_harms_no_other(ingest: InMemoryIngest) -> None:
    body = json.dumps(
        {
            "records": [
                {"data": "!"},
                {"data": "é" * 4},
                {"data": base64.b64encode(b"\x1f\x8bbroken").decode()},
                {"data": base64.b64encode(b'{"msg":"a"}{').decode()},
            ]
        }
    )
    assert said(send(URL, body.encode(), HEADERS))[0] == 200
    assert [row["message"] for row in ingest.staged()[0]] == ["a"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "not a delivery"),
        (b"[]", 400, "not a delivery"),
        (b'{"records":[{}]}', 400, "not a delivery"),
        (b'{"records":[{"data":"!"}]}', 400, "not base64"),
        ('{"records":[{"data":"\ufeff"}]}'.encode(), 400, "not base64"),
        (b'{"records":[' + b'{"data":""},' * MAX_RECORDS + b'{"data":""}]}', 413, "more than"),
    ],
)
def test_an_error_has_firehoses_form(body: bytes, status: int, words: str) -> None:
    answer = send(URL, gzip.compress(body), {**HEADERS, "content-encoding": "gzip"})
    assert said(answer)[0] == status
    assert said(answer)[1]["requestId"] == ID
    assert words in said(answer)[1]["errorMessage"]


def test_records_cannot_decode_to_more_than_64_mb_together(ingest: InMemoryIngest) -> None:
    bomb = gzip.compress(b" " * (15 * 2**20))
    assert said(send(URL, delivery(*[bomb] * 5), HEADERS))[0] == 413
    assert ingest.staged() == []


def test_a_record_that_decodes_to_too_much_harms_no_other(ingest: InMemoryIngest) -> None:
    bomb = gzip.compress(b" " * (17 * 2**20))
    assert said(send(URL, delivery(bomb, b"a"), HEADERS))[0] == 200
    assert [row["message"] for row in ingest.staged()[0]] == ["a"]


def test_attributes_that_are_no_json_are_ignored(ingest: InMemoryIngest) -> None:
    for sent in ("no json", "[]", '{"commonAttributes":7}'):
        headers = {**HEADERS, "x-amz-firehose-common-attributes": sent, "x-amz-firehose-request-id": sent}
        assert said(send(URL, delivery(b"a"), headers))[0] == 200
    assert {row["service"] for rows in ingest.staged() for row in rows} == {""}


def test_a_request_id_that_is_too_long_is_refused() -> None:
    headers = {**HEADERS, "x-amz-firehose-request-id": "x" * 256}
    assert said(send(URL, delivery(b"a"), headers))[0] == 400
