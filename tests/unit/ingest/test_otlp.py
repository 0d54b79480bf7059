"""OpenTelemetry's logs: both encodings give the same rows, and answers by which exporters keep a batch."""

import base64
import gzip
import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from functions.ingest import handler as ingesting
from functions.ingest.protocols.otlp.json_form import MAX_BYTES
from functions.ingest.protocols.otlp.protobuf import MAX_MESSAGES
from functions.shared.errors import RetryableError
from tests.integration.http_events import drain_event
from tests.measured import cost_of
from tests.unit.ingest.protocols import InMemoryIngest

ROUTE = "POST /v1/logs"
NOW = 1_795_946_400_123_456_789
TRACE, SPAN = bytes(range(16)), bytes(range(8))
PROTOBUF = "application/x-protobuf"


def request(count: int = 1) -> ExportLogsServiceRequest:
    """`count` records of one scope, the first with all that a record can have."""
    made = ExportLogsServiceRequest()
    logs = made.resource_logs.add()
    for name, value in (("service.name", "shop"), ("k8s.pod.name", "shop-7"), ("host.name", "h1")):
        logs.resource.attributes.add(key=name).value.string_value = value
    scope = logs.scope_logs.add()
    scope.scope.name, scope.scope.version = "shop.cart", "1.2"
    for number in range(count):
        record = scope.log_records.add(time_unix_nano=NOW + number, severity_number=9, severity_text="INFO")
        record.body.string_value = f"line {number}"
    full = scope.log_records[0]
    full.observed_time_unix_nano = NOW + 1000
    full.severity_number, full.severity_text = 18, "Error2"
    full.trace_id, full.span_id, full.flags, full.event_name = TRACE, SPAN, 1, "disk.full"
    full.dropped_attributes_count = 2
    full.attributes.add(key="text").value.string_value = "é"
    full.attributes.add(key="yes").value.bool_value = True
    full.attributes.add(key="whole").value.int_value = -(2**63)
    full.attributes.add(key="double").value.double_value = 1.5
    full.attributes.add(key="nan").value.double_value = float("nan")
    full.attributes.add(key="bytes").value.bytes_value = b"\x00\xff"
    full.attributes.add(key="host.name").value.string_value = "the record's own"
    full.attributes.add(key="nothing")
    array = full.attributes.add(key="array").value.array_value
    array.values.add().int_value = 1
    array.values.add().string_value = "two"
    pairs = full.attributes.add(key="pairs").value.kvlist_value
    pairs.values.add(key="inner").value.int_value = 7
    return made


def as_json(message: ExportLogsServiceRequest) -> dict[str, Any]:
    """OTLP's JSON: protobuf's, with ids in hexadecimal."""
    found: dict[str, Any] = MessageToDict(message)
    for logs in found["resourceLogs"]:
        for scope in logs["scopeLogs"]:
            for record in scope["logRecords"]:
                for name in ("traceId", "spanId"):
                    if name in record:
                        record[name] = base64.b64decode(record[name]).hex()
    return found


def post(_ingest: InMemoryIngest, body: bytes, media_type: str = PROTOBUF, **more: Any) -> dict[str, Any]:
    event = drain_event(
        body, {"content-type": media_type, **more.pop("headers", {})}, more.pop("tenant", "acme")
    )
    event["requestContext"]["authorizer"]["lambda"] |= more
    return ingesting.handler({**event, "routeKey": ROUTE}, None)


def content(answer: dict[str, Any]) -> bytes:
    return base64.b64decode(answer["body"]) if answer.get("isBase64Encoded") else answer["body"].encode()


def partial_success(answer: dict[str, Any]) -> ExportLogsServiceResponse:
    return ExportLogsServiceResponse.FromString(content(answer))


EXPECTED = {
    "timestamp": "2026-11-29T10:00:00.123456789Z",
    "level": "error",
    "service": "shop",
    "message": "line 0",
    "trace_id": TRACE.hex(),
    "span_id": SPAN.hex(),
    "metadata": {
        "text": "é",
        "yes": True,
        "whole": -(2**63),
        "double": 1.5,
        "nan": "nan",
        "bytes": "AP8=",
        "host.name": "the record's own",
        "resource.host.name": "h1",
        "nothing": None,
        "array": [1, "two"],
        "pairs": {"inner": 7},
        "k8s.pod.name": "shop-7",
        "scope.name": "shop.cart",
        "scope.version": "1.2",
        "observed_timestamp": "2026-11-29T10:00:00.123457789Z",
        "severity_text": "Error2",
        "severity_number": 18,
        "trace_flags": 1,
        "event_name": "disk.full",
        "dropped_attributes_count": 2,
    },
}


def test_a_record_in_protobuf_becomes_a_row_with_all_that_it_has(ingest: InMemoryIngest) -> None:
    answer = post(ingest, request(3).SerializeToString())
    assert (answer["statusCode"], content(answer)) == (200, b"")
    assert answer["headers"]["content-type"] == PROTOBUF
    ((first, second, third),) = ingest.staged()
    assert {name: first[name] for name in EXPECTED} == EXPECTED
    assert (second["level"], second["timestamp"][-4:], third["message"]) == ("info", "790Z", "line 2")
    assert second["metadata"] == {
        "host.name": "h1",
        "k8s.pod.name": "shop-7",
        "scope.name": "shop.cart",
        "scope.version": "1.2",
    }


@pytest.mark.parametrize("ids", ["hexadecimal", "base64"])
def test_json_gives_the_same_rows_as_protobuf(ingest: InMemoryIngest, ids: str) -> None:
    sent = MessageToDict(request(3)) if ids == "base64" else as_json(request(3))
    answer = post(ingest, json.dumps(sent).encode(), "application/json", tenant="globex")
    assert (answer["statusCode"], content(answer)) == (200, b"{}")
    post(ingest, request(3).SerializeToString())
    (in_json,), (in_protobuf,) = ingest.staged("globex"), ingest.staged("acme")
    for theirs, ours in zip(in_json, in_protobuf, strict=True):
        assert {**theirs, "tenant_id": "", "received_at": ""} == {**ours, "tenant_id": "", "received_at": ""}


@pytest.mark.parametrize("identifier", ["!" * 24, "é" * 24, "z" * 7])
def test_an_id_that_is_none_is_kept_as_it_was_sent(ingest: InMemoryIngest, identifier: str) -> None:
    sent = as_json(request(1))
    sent["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["traceId"] = identifier
    for tenant in ("acme", "globex"):
        assert post(ingest, json.dumps(sent).encode(), "application/json", tenant=tenant)["statusCode"] == 200
        assert [row["trace_id"] for row in ingest.staged(tenant)[0]] == [identifier]


@pytest.mark.parametrize(
    ("body", "message", "kept"),
    [
        ({"stringValue": "text"}, "text", None),
        ({"intValue": "7"}, "7", 7),
        ({"intValue": 7}, "7", 7),
        ({"intValue": "99999999999999999999"}, "99999999999999999999", None),
        ({"boolValue": False}, "false", False),
        ({"kvlistValue": {"values": [{"key": "a", "value": {"intValue": "1"}}]}}, '{"a":1}', {"a": 1}),
        ({"arrayValue": {"values": [{"stringValue": "x"}, {}]}}, '["x",null]', ["x", None]),
        ({"arrayValue": {}}, "[]", []),
        ({"bytesValue": "AP8="}, "AP8=", None),
        ({}, "", None),
        (None, "", None),
    ],
)
def test_a_body_of_any_type_is_the_message_and_stays_in_the_metadata(
    ingest: InMemoryIngest, body: Any, message: str, kept: Any
) -> None:
    record = {"timeUnixNano": str(NOW), "body": body, "severityNumber": "SEVERITY_NUMBER_WARN2"}
    sent = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    assert post(ingest, json.dumps(sent).encode(), "application/json")["statusCode"] == 200
    (((row),),) = ingest.staged()
    assert (row["message"], row["level"], row["metadata"].get("body")) == (message, "warn", kept)
    assert row["metadata"]["severity_number"] == 14


def test_without_a_time_of_its_own_a_record_has_the_one_when_it_was_observed(ingest: InMemoryIngest) -> None:
    made = request(2)
    records = made.resource_logs[0].scope_logs[0].log_records
    records[0].time_unix_nano = records[1].time_unix_nano = 0
    post(ingest, made.SerializeToString())
    ((first, second),) = ingest.staged()
    assert first["timestamp"] == "2026-11-29T10:00:00.123457789Z"
    assert second["timestamp"] == second["received_at"]
    assert "observed_timestamp" not in first["metadata"]


def test_a_bad_record_harms_no_other_and_is_counted_in_the_partial_success(ingest: InMemoryIngest) -> None:
    made = request(3)
    made.resource_logs[0].scope_logs[0].log_records[1].body.string_value = "x" * (1024 * 1024 + 1)
    answer = post(ingest, made.SerializeToString())
    assert answer["statusCode"] == 200
    partial = partial_success(answer).partial_success
    assert (partial.rejected_log_records, partial.error_message) == (
        1,
        "Record 1: The log record is larger than 1 MiB.",
    )
    (rows,) = ingest.staged()
    assert [row["message"] for row in rows] == ["line 0", "line 2"]


def test_text_that_is_no_utf8_rejects_its_record_alone(ingest: InMemoryIngest) -> None:
    body = request(3).SerializeToString().replace(b"line 1", b"line \xff")
    partial = partial_success(post(ingest, body)).partial_success
    assert (partial.rejected_log_records, "valid UTF-8" in partial.error_message) == (1, True)
    (rows,) = ingest.staged()
    assert [row["message"] for row in rows] == ["line 0", "line 2"]


def test_a_bad_record_in_json_is_counted_too(ingest: InMemoryIngest) -> None:
    sent = as_json(request(3))
    sent["resourceLogs"][0]["scopeLogs"][0]["logRecords"][1]["timeUnixNano"] = "soon"
    answer = post(ingest, json.dumps(sent).encode(), "application/json")
    partial = json.loads(content(answer))["partialSuccess"]
    assert partial == {
        "rejectedLogRecords": "1",
        "errorMessage": "Record 1: The log record is not one of OTLP/JSON.",
    }


@pytest.mark.parametrize("media_type", [PROTOBUF, "application/json"])
def test_an_empty_request_is_a_success(ingest: InMemoryIngest, media_type: str) -> None:
    body = b"{}" if media_type != PROTOBUF else b""
    assert post(ingest, body, media_type)["statusCode"] == 200
    assert ingest.staged() == []


@pytest.mark.parametrize("media_type", [PROTOBUF, "application/json"])
@pytest.mark.parametrize(
    ("verdict", "status", "waits"),
    [
        ({"verdict": "unknown_key"}, 401, False),
        ({"scopes": "read"}, 403, False),
        ({"refusal": "quota_exceeded"}, 429, True),
        ({"refusal": "trial_quota_exceeded"}, 429, True),
        ({"refusal": "payment_overdue"}, 429, True),
        ({"refusal": "subscription_ended"}, 403, False),
        ({"refusal": "account_closing"}, 403, False),
        ({"bytes_per_second": "0"}, 429, True),
    ],
)
def test_an_exporter_retries_what_a_wait_would_save_and_nothing_else(
    ingest: InMemoryIngest, media_type: str, verdict: dict[str, str], status: int, waits: bool
) -> None:
    body = b"{}" if media_type != PROTOBUF else b""
    answer = post(ingest, body, media_type, **verdict)
    assert answer["statusCode"] == status
    assert ("retry-after" in answer["headers"]) is waits
    if waits:
        assert int(answer["headers"]["retry-after"]) <= 2
    assert answer["headers"]["content-type"] == media_type
    text = content(answer)
    assert json.loads(text)["code"] if media_type != PROTOBUF else text[0] == 0x08


def test_a_fault_on_our_side_is_503_because_an_exporter_drops_a_batch_at_500(
    ingest: InMemoryIngest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fault in (ValueError("a bug"), RetryableError("S3")):
        monkeypatch.setattr(ingesting, "_put", lambda *_given, fault=fault: (_ for _ in ()).throw(fault))
        answer = post(ingest, request().SerializeToString())
        assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "2")


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"\x0a\xff\xff\xff\xff\x0f", PROTOBUF, 400),
        (b"\x0a\x05ab", PROTOBUF, 400),
        (b"\x0b", PROTOBUF, 400),
        (b"\xff" * 11, PROTOBUF, 400),
        (b"\x0a\x02\x0a\x05", PROTOBUF, 400),
        (b"not json", "application/json", 400),
        (b'{"resourceLogs":{}}', "application/json", 400),
        (b'{"resourceLogs":[{"scopeLogs":[{"logRecords":7}]}]}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"\x0a\x00" * (MAX_MESSAGES + 1), PROTOBUF, 413),
        (b'{"a":"' + b"x" * MAX_BYTES + b'"}', "application/json", 413),
    ],
)
def test_a_body_that_is_no_request_is_refused_whole(
    ingest: InMemoryIngest, body: bytes, media_type: str, status: int
) -> None:
    answer = post(ingest, gzip.compress(body), media_type, headers={"content-encoding": "gzip"})
    assert answer["statusCode"] == status
    assert ingest.staged() == []


def test_attributes_of_a_resource_cannot_multiply_a_body_without_bound(ingest: InMemoryIngest) -> None:
    made = request(1)
    made.resource_logs[0].resource.attributes.add(key="large").value.string_value = "x" * 500_000
    for _ in range(200):
        made.resource_logs[0].scope_logs[0].log_records.add()
    answer = post(ingest, made.SerializeToString())
    assert answer["statusCode"] == 413
    assert ingest.staged() == []


def test_two_tenants_sharing_an_environment_keep_their_rows_apart(ingest: InMemoryIngest) -> None:
    for tenant in ("acme", "globex"):
        made = request(1)
        made.resource_logs[0].scope_logs[0].log_records[0].body.string_value = f"of {tenant}"
        post(ingest, made.SerializeToString(), tenant=tenant)
    for tenant in ("acme", "globex"):
        assert [[row["message"], row["tenant_id"]] for row in ingest.staged(tenant)[0]] == [
            [f"of {tenant}", tenant]
        ]


HOSTILE = ["empty records", "deep values", "many values", "empty messages", "empty records in JSON", "commas"]


@pytest.mark.measured
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_stays_within_5_cpu_seconds_and_a_quarter_of_the_memory(name: str) -> None:
    cost = cost_of("tests.unit.ingest.otlp_bodies:send", {"name": name}, memory_mb=1024, within_cpu_seconds=5)
    assert cost.result in (200, 400, 413)
    assert cost.cpu_seconds <= 5, cost
    assert cost.peak_mb <= 256, cost
