"""What ordinary loggers write is read as it is: a line of each, as it is documented, and its row."""

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import pytest

from functions.ingest.accept import accept
from functions.ingest.protocols.contract import Window
from functions.shared.events.aliases import MAX_NESTED_BYTES, read_as_event
from functions.shared.events.judge import RejectedEvent, judge
from functions.shared.events.row import ReceiptContext, Row
from functions.shared.tenancy import TenantId
from tests.measured import cpu_seconds_of

RECEIPT = ReceiptContext(TenantId("acme"), "default", datetime(2026, 11, 29, 12, 30, tzinfo=UTC), 30)
TEN = "2026-11-29T10:00:00"


@dataclass(frozen=True)
class Line:
    logger: str
    sent: str
    message: str = "disk is full"
    timestamp: str = f"{TEN}.123000000Z"
    level: str = "error"
    service: str = ""
    trace_id: str = ""
    span_id: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


LINES = [
    Line(
        "pino",
        '{"level":50,"time":1795946400123,"pid":7,"hostname":"h1","msg":"disk is full"}',
        metadata={"pid": 7, "hostname": "h1"},
    ),
    Line(
        "pino with ISO times and names of levels",
        '{"level":"error","time":"2026-11-29T10:00:00.123Z","msg":"disk is full"}',
    ),
    Line(
        "bunyan",
        '{"name":"shop","hostname":"h1","pid":7,"level":50,"msg":"disk is full",'
        '"time":"2026-11-29T10:00:00.123Z","v":0}',
        metadata={"name": "shop", "hostname": "h1", "pid": 7, "v": 0},
    ),
    Line(
        "winston",
        '{"level":"error","message":"disk is full","service":"shop","timestamp":"2026-11-29T10:00:00.123Z"}',
        service="shop",
    ),
    Line(
        "winston, npm's level http",
        '{"level":"http","message":"GET /","timestamp":"2026-11-29T10:00:00.123Z"}',
        message="GET /",
        level="debug",
    ),
    Line(
        "zap, production",
        '{"level":"error","ts":1795946400.123,"caller":"a/b.go:7","msg":"disk is full","stacktrace":"main"}',
        metadata={"caller": "a/b.go:7", "stacktrace": "main"},
    ),
    Line("zap, dpanic", '{"level":"dpanic","ts":1795946400.123,"msg":"disk is full"}', level="fatal"),
    Line(
        "zerolog",
        '{"level":"error","time":1795946400,"message":"disk is full"}',
        timestamp=f"{TEN}.000000000Z",
    ),
    Line(
        "zerolog, panic, milliseconds",
        '{"level":"panic","time":1795946400123,"message":"disk is full","error":"EIO"}',
        level="fatal",
        metadata={"error": "EIO"},
    ),
    Line(
        "logrus",
        '{"animal":"walrus","level":"error","msg":"disk is full","time":"2026-11-29T12:00:00.123+02:00"}',
        metadata={"animal": "walrus"},
    ),
    Line(
        "slog",
        '{"time":"2026-11-29T10:00:00.123456789Z","level":"ERROR","msg":"disk is full"}',
        timestamp=f"{TEN}.123456789Z",
    ),
    Line(
        "slog with a source",
        '{"time":"2026-11-29T10:00:00.123Z","level":"WARN","source":{"function":"main",'
        '"line":7},"msg":"disk is full"}',
        level="warn",
        metadata={"source": {"function": "main", "line": 7}},
    ),
    Line(
        "structlog",
        '{"user":"u1","event":"disk is full","level":"error","timestamp":"2026-11-29T10:00:00.123000Z"}',
        metadata={"user": "u1"},
    ),
    Line(
        "python-json-logger",
        '{"asctime":"2026-11-29 10:00:00,123","levelname":"ERROR","name":"shop.cart",'
        '"message":"disk is full"}',
        metadata={"name": "shop.cart"},
    ),
    Line(
        "python-json-logger with OpenTelemetry's ids",
        '{"asctime":"2026-11-29 10:00:00,123","levelname":"ERROR","message":"disk is full",'
        '"otelTraceID":"0af7","otelSpanID":"b7ad"}',
        trace_id="0af7",
        span_id="b7ad",
    ),
    Line(
        "ddtrace in JSON logs",
        '{"timestamp":"2026-11-29T10:00:00.123Z","level":"error","message":"disk is full",'
        '"dd.trace_id":"77","dd.span_id":"88","dd.service":"shop"}',
        service="shop",
        trace_id="77",
        span_id="88",
    ),
    Line(
        "loguru, flattened",
        '{"time":"2026-11-29T10:00:00.123+00:00","level":"ERROR","message":"disk is full","function":"main"}',
        metadata={"function": "main"},
    ),
    Line(
        "Serilog, compact",
        '{"@t":"2026-11-29T10:00:00.1230000Z","@m":"disk is full","@l":"Error","@i":"8e6c","Disk":"sda"}',
        metadata={"@i": "8e6c", "Disk": "sda"},
    ),
    Line(
        "Serilog, template only",
        '{"@t":"2026-11-29T10:00:00.1230000Z","@mt":"disk {Disk} is full","@l":"Warning","Disk":"sda"}',
        message="disk {Disk} is full",
        level="warn",
        metadata={"Disk": "sda"},
    ),
    Line(
        "NLog",
        '{"time":"2026-11-29 10:00:00.1230","level":"ERROR","message":"disk is full"}',
    ),
    Line(
        "log4j2 JsonLayout",
        '{"instant":{"epochSecond":1795946400,"nanoOfSecond":123000000},"thread":"main",'
        '"level":"ERROR","loggerName":"a.B","message":"disk is full","endOfBatch":false}',
        metadata={
            "instant": {"epochSecond": 1795946400, "nanoOfSecond": 123000000},
            "thread": "main",
            "loggerName": "a.B",
            "endOfBatch": False,
        },
    ),
    Line(
        "log4j 1 JSON",
        '{"timeMillis":1795946400123,"level":"ERROR","loggerName":"a.B","message":"disk is full"}',
        metadata={"loggerName": "a.B"},
    ),
    Line(
        "logback with logstash-logback-encoder",
        '{"@timestamp":"2026-11-29T10:00:00.123Z","@version":"1","message":"disk is full",'
        '"logger_name":"a.B","level":"ERROR","level_value":40000}',
        metadata={"@version": "1", "logger_name": "a.B", "level_value": 40000},
    ),
    Line(
        "java.util.logging, Quarkus",
        '{"timestamp":"2026-11-29T10:00:00.123Z","sequence":7,"loggerName":"a.B",'
        '"level":"SEVERE","message":"disk is full"}',
        metadata={"sequence": 7, "loggerName": "a.B"},
    ),
    Line(
        "ECS loggers, dotted",
        '{"@timestamp":"2026-11-29T10:00:00.123Z","log.level":"error",'
        '"message":"disk is full","ecs.version":"1.6.0","service.name":"shop",'
        '"trace.id":"0af7","span.id":"b7ad"}',
        service="shop",
        trace_id="0af7",
        span_id="b7ad",
        metadata={"ecs.version": "1.6.0"},
    ),
    Line(
        "ECS, nested (Filebeat)",
        '{"@timestamp":"2026-11-29T10:00:00.123Z","log":{"level":"error","offset":7},'
        '"message":"disk is full","service":{"name":"shop"},"trace":{"id":"0af7"},'
        '"span":{"id":"b7ad"}}',
        service="shop",
        trace_id="0af7",
        span_id="b7ad",
        metadata={
            "log": {"level": "error", "offset": 7},
            "service.object": {"name": "shop"},
            "trace": {"id": "0af7"},
            "span": {"id": "b7ad"},
        },
    ),
    Line(
        "GELF",
        '{"version":"1.1","host":"h1","short_message":"disk is full",'
        '"timestamp":1795946400.123,"level":3,"_disk":"sda"}',
        metadata={"version": "1.1", "host": "h1", "_disk": "sda"},
    ),
    Line(
        "journald as JSON",
        '{"MESSAGE":"disk is full","PRIORITY":"3","__REALTIME_TIMESTAMP":"1795946400123000",'
        '"SYSLOG_IDENTIFIER":"kernel","_PID":"1"}',
        service="kernel",
        metadata={"PRIORITY": "3", "_PID": "1"},
    ),
    Line(
        "journald, a unit",
        '{"MESSAGE":"disk is full","PRIORITY":"6","__REALTIME_TIMESTAMP":"1795946400123000",'
        '"_SYSTEMD_UNIT":"shop.service"}',
        level="info",
        service="shop.service",
        metadata={"PRIORITY": "6"},
    ),
    Line(
        "Google Cloud LogEntry, text",
        '{"textPayload":"disk is full","timestamp":"2026-11-29T10:00:00.123Z",'
        '"severity":"ERROR","trace":"projects/p/traces/0af7","spanId":"b7ad","insertId":"i1"}',
        trace_id="0af7",
        span_id="b7ad",
        metadata={"trace": "projects/p/traces/0af7", "insertId": "i1"},
    ),
    Line(
        "Google Cloud LogEntry, JSON",
        '{"jsonPayload":{"message":"disk is full","user":"u1"},'
        '"timestamp":"2026-11-29T10:00:00.123Z","severity":"CRITICAL"}',
        level="fatal",
        metadata={"jsonPayload": {"message": "disk is full", "user": "u1"}},
    ),
    Line(
        "structured logging for Google Cloud",
        '{"severity":"ERROR","message":"disk is full","time":"2026-11-29T10:00:00.123Z",'
        '"logging.googleapis.com/trace":"projects/p/traces/0af7",'
        '"logging.googleapis.com/spanId":"b7ad"}',
        trace_id="0af7",
        span_id="b7ad",
        metadata={"logging.googleapis.com/trace": "projects/p/traces/0af7"},
    ),
    Line(
        "AWS Lambda, JSON logs",
        '{"timestamp":"2026-11-29T10:00:00.123Z","level":"ERROR","message":"disk is full","requestId":"r1"}',
        metadata={"requestId": "r1"},
    ),
    Line(
        "AWS Lambda Powertools",
        '{"level":"ERROR","location":"handler:7","message":"disk is full",'
        '"timestamp":"2026-11-29 10:00:00,123+0000","service":"shop"}',
        service="shop",
        metadata={"location": "handler:7"},
    ),
    Line(
        "AWS Lambda, a platform event without a message",
        '{"time":"2026-11-29T10:00:00.123Z","type":"platform.start","record":{"requestId":"r1"}}',
        message="",
        level="info",
        metadata={"type": "platform.start", "record": {"requestId": "r1"}},
    ),
    Line(
        "OpenTelemetry's file exporter, one record",
        '{"timestamp":"2026-11-29T10:00:00.123Z","severityText":"Error","severityNumber":17,'
        '"body":"disk is full","traceId":"0af7","spanId":"b7ad"}',
        trace_id="0af7",
        span_id="b7ad",
        metadata={"severityNumber": 17},
    ),
    Line(
        "OpenTelemetry without a severity text",
        '{"timestamp":"2026-11-29T10:00:00.123Z","severity_number":13,"body":"disk is full"}',
        level="warn",
        metadata={"severity_number": 13},
    ),
    Line(
        "Docker, json-file",
        '{"log":"disk is full","stream":"stderr","time":"2026-11-29T10:00:00.123Z"}',
        level="info",
        metadata={"stream": "stderr"},
    ),
    Line(
        "fluent-bit with Kubernetes' metadata",
        '{"date":1795946400.123,"log":"disk is full","stream":"stderr",'
        '"kubernetes":{"pod_name":"shop-1","labels":{"app":"shop"}}}',
        level="info",
        service="shop",
        metadata={"stream": "stderr", "kubernetes": {"pod_name": "shop-1", "labels": {"app": "shop"}}},
    ),
    Line(
        "Kubernetes' recommended label",
        '{"date":1795946400.123,"log":"disk is full",'
        '"kubernetes":{"labels":{"app.kubernetes.io/name":"cart","app":"shop"}}}',
        level="info",
        service="cart",
        metadata={"kubernetes": {"labels": {"app.kubernetes.io/name": "cart", "app": "shop"}}},
    ),
    Line(
        "Vector",
        '{"timestamp":"2026-11-29T10:00:00.123Z","message":"disk is full","host":"h1","source_type":"file"}',
        level="info",
        metadata={"host": "h1", "source_type": "file"},
    ),
    Line(
        "Rails with lograge",
        '{"method":"GET","path":"/","status":500,"@timestamp":"2026-11-29T10:00:00.123Z",'
        '"message":"disk is full"}',
        level="info",
        metadata={"method": "GET", "path": "/", "status": 500},
    ),
    Line(
        "Datadog's JSON, a level as status",
        '{"date":"2026-11-29T10:00:00.123Z","status":"error","message":"disk is full","service":"shop"}',
        service="shop",
    ),
    Line(
        "monolog",
        '{"message":"disk is full","context":{"disk":"sda"},"level":400,"level_name":"ERROR",'
        '"channel":"app","datetime":"2026-11-29T10:00:00.123000+00:00"}',
        metadata={"context": {"disk": "sda"}, "original_level": 400, "channel": "app"},
    ),
]


@pytest.mark.parametrize("line", LINES, ids=[each.logger for each in LINES])
def test_a_line_of_the_logger_becomes_the_row_that_a_person_expects(line: Line) -> None:
    row = judge(line.sent.encode(), RECEIPT, read_as_event)
    assert isinstance(row, Row), row
    assert (row.message, row.timestamp, row.level) == (line.message, line.timestamp, line.level)
    assert (row.service, row.trace_id, row.span_id) == (line.service, line.trace_id, line.span_id)
    assert msgspec.json.decode(row.metadata) == line.metadata
    assert (row.tenant_id, row.project_id) == ("acme", "default")


def test_forty_loggers_are_covered() -> None:
    assert len({each.logger for each in LINES}) == len(LINES) >= 40


def test_a_body_of_all_of_them_is_accepted_line_by_line() -> None:
    body = "\n".join(each.sent for each in LINES).encode()
    accepted = accept([Window(body, ndjson=True)], RECEIPT)
    assert (accepted.result.rows, accepted.result.rejected) == (len(LINES), 0)


@pytest.mark.parametrize("line", LINES, ids=[each.logger for each in LINES])
def test_one_line_alone_in_a_json_body_is_an_event_if_it_has_a_message(line: Line) -> None:
    if not line.message:
        return
    accepted = accept([Window(line.sent.encode(), ndjson=False)], RECEIPT)
    assert accepted.result.rows == 1


@pytest.mark.parametrize(
    ("record", "level", "kept"),
    [
        ({"status": 200}, "info", {"status": 200}),
        ({"status": "error"}, "error", {}),
        ({"status": "shipped"}, "info", {"status": "shipped"}),
        ({"priority": "9"}, "info", {"priority": "9"}),
        ({"priority": "high"}, "info", {"priority": "high"}),
        ({"severityNumber": 25}, "info", {"severityNumber": 25}),
        ({"severityNumber": 24}, "fatal", {"severityNumber": 24}),
        ({"severity": "shipped", "lvl": "warn"}, "warn", {"severity": "shipped"}),
        ({"level": "shipped"}, "info", {"level": "shipped"}),
        ({"level": "shipped", "severity": "error"}, "error", {"original_level": "shipped"}),
        ({"level": "warn", "severity": "error"}, "warn", {"severity": "error"}),
        ({"app": {"name": "x"}}, "info", {"app": {"name": "x"}}),
        ({"time": "soon"}, "info", {"time": "soon"}),
        ({"instant": {"epochSecond": -1}}, "info", {"instant": {"epochSecond": -1}}),
        ({"instant": {"epochSecond": "x"}}, "info", {"instant": {"epochSecond": "x"}}),
        ({"trace": 7}, "info", {"trace": 7}),
    ],
)
def test_a_value_that_cannot_be_what_its_name_says_stays_in_the_metadata(
    record: dict[str, Any], level: str, kept: dict[str, Any]
) -> None:
    row = judge(json.dumps({"message": "m", **record}).encode(), RECEIPT, read_as_event)
    assert isinstance(row, Row), row
    assert (row.level, msgspec.json.decode(row.metadata)) == (level, kept)


def test_an_empty_object_is_no_event() -> None:
    assert judge(b"{}", RECEIPT, read_as_event) == RejectedEvent(
        "message_missing", "The event has no 'message'."
    )


@pytest.mark.parametrize(
    "record",
    [
        b'{"kubernetes":' + b'{"labels":' * 500 + b"1" + b"}" * 501,
        b'{"kubernetes":{"labels":{' + b",".join(b'"k%d":1' % n for n in range(80_000)) + b"}}}",
        b'{"log":' + b'{"a":"' + b"x" * 2 * MAX_NESTED_BYTES + b'"}}',
        b"{" + b",".join(b'"%s%d":1' % (b"n" * 60, n) for n in range(12_000)) + b"}",
        b'{"' + b"N" * 900_000 + b'":1}',
    ],
    ids=["deep", "wide", "large", "many names", "a long name"],
)
def test_a_hostile_record_costs_no_more_than_reading_it(record: bytes) -> None:
    def five_times(*reading: Any) -> None:
        for _ in range(5):
            judge(record, RECEIPT, *reading)

    most = 3 * cpu_seconds_of(five_times, within=math.inf) + 0.1
    assert cpu_seconds_of(partial(five_times, read_as_event), within=most) <= most
