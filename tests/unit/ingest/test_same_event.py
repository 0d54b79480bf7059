"""The same event through all protocols gives the same row, where the protocol can carry it."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import msgpack
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from functions.ingest.protocols.table import ProtocolTable
from functions.shared.events import timestamps
from infra.topology import function
from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import send

MS = 1_795_946_400_123
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

EXPECTED = {
    "timestamp": "2026-11-29T10:00:00.123000000Z",
    "level": "error",
    "service": "shop",
    "message": "disk full",
    "trace_id": TRACE,
    "span_id": SPAN,
}
ORDER = {"order": 42}
"""The metadata of the event."""


@dataclass(frozen=True)
class Sent:
    """A request with the event. `without`: what the protocol cannot carry; `order`: how it carries ORDER."""

    url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    order: Any = None


IDS = frozenset({"trace_id", "span_id"})
LOGGED = {
    "message": "disk full",
    "level": "error",
    "service": "shop",
    "trace_id": TRACE,
    "span_id": SPAN,
    **ORDER,
}


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def without_service(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "service"}


def otlp() -> bytes:
    request = ExportLogsServiceRequest()
    logs = request.resource_logs.add()
    logs.resource.attributes.add(key="service.name").value.string_value = "shop"
    record = logs.scope_logs.add().log_records.add(time_unix_nano=MS * 10**6, severity_number=17)
    record.body.string_value = "disk full"
    record.trace_id, record.span_id = bytes.fromhex(TRACE), bytes.fromhex(SPAN)
    record.attributes.add(key="order").value.int_value = 42
    return request.SerializeToString()


def firehose() -> bytes:
    log = {
        "messageType": "DATA_MESSAGE",
        "logGroup": "g",
        "logStream": "s",
        "logEvents": [{"id": "1", "timestamp": MS, "message": json.dumps(LOGGED)}],
    }
    return as_json({"records": [{"data": base64.b64encode(as_json(log)).decode()}]})


SYSLOG = b'<11>1 2026-11-29T10:00:00.123Z h shop - - [m order="42"] disk full'
JOURNAL = f"""__REALTIME_TIMESTAMP={MS}000
PRIORITY=3
SYSLOG_IDENTIFIER=shop
MESSAGE=disk full
TRACE_ID={TRACE}
SPAN_ID={SPAN}
order=42

""".encode()

SENDERS = {
    "json": Sent("POST /v1/drain", as_json([{**LOGGED, "timestamp": MS}])),
    "ndjson": Sent(
        "POST /v1/drain", as_json({**LOGGED, "time": MS}), {"content-type": "application/x-ndjson"}
    ),
    "fluent": Sent(
        "POST /v1/drain", msgpack.packb([MS / 1000, LOGGED]), {"content-type": "application/msgpack"}
    ),
    "otlp": Sent("POST /v1/logs", otlp(), {"content-type": "application/x-protobuf"}),
    "elastic": Sent(
        "POST /_bulk",
        b'{"create":{"_index":"shop"}}\n'
        + as_json(
            {
                "@timestamp": "2026-11-29T10:00:00.123Z",
                "message": "disk full",
                "log.level": "error",
                "service": {"name": "shop"},
                "trace.id": TRACE,
                "span.id": SPAN,
                **ORDER,
            }
        )
        + b"\n",
        {"content-type": "application/x-ndjson"},
    ),
    "loki": Sent(
        "POST /loki/api/v1/push",
        as_json(
            {
                "streams": [
                    {
                        "stream": {"service_name": "shop", "level": "error"},
                        "values": [
                            [
                                f"{MS}000000",
                                "disk full",
                                {"trace_id": TRACE, "span_id": SPAN, "order": "42"},
                            ]
                        ],
                    }
                ]
            }
        ),
        {"content-type": "application/json"},
        order="42",
    ),
    "splunk": Sent("POST /services/collector", as_json({"time": f"{MS / 1000:.3f}", "event": LOGGED})),
    "splunk, fields": Sent(
        "POST /services/collector/event/1.0",
        as_json(
            {
                "time": MS / 1000,
                "event": "disk full",
                "fields": {name: value for name, value in LOGGED.items() if name != "message"},
            }
        ),
    ),
    "splunk, raw": Sent("POST /services/collector/raw", as_json({**LOGGED, "time": MS})),
    "datadog": Sent(
        "POST /api/v2/logs",
        as_json(
            [
                {
                    "message": "disk full",
                    "status": "error",
                    "service": "shop",
                    "timestamp": MS,
                    "dd": {"trace_id": TRACE, "span_id": SPAN},
                    **ORDER,
                }
            ]
        ),
    ),
    "logtail": Sent("POST /", as_json([{**LOGGED, "dt": "2026-11-29T10:00:00.123Z"}])),
    "axiom": Sent(
        "POST /v1/datasets/shop/ingest",
        as_json([{**without_service(LOGGED), "_time": "2026-11-29T10:00:00.123Z"}]),
        {"content-type": "application/json"},
    ),
    "axiom, edge": Sent(
        "POST /v1/ingest/shop?timestamp-field=at",
        as_json([{**without_service(LOGGED), "at": MS}]),
        {"content-type": "application/json"},
    ),
    "firehose": Sent("POST /v1/firehose", firehose()),
    "heroku": Sent(
        "POST /v1/heroku?service=shop",
        b"52 <11>1 2026-11-29T10:00:00.123Z h app web.1 - disk full".replace(
            b"52", str(len("<11>1 2026-11-29T10:00:00.123Z h app web.1 - disk full")).encode()
        ),
        without=IDS | {"order"},
    ),
    "syslog": Sent("POST /v1/syslog", SYSLOG, without=IDS | {"order"}),
    "vercel": Sent(
        "POST /v1/vercel",
        as_json(
            [
                {
                    "message": "disk full",
                    "level": "error",
                    "projectName": "shop",
                    "timestamp": MS,
                    "traceId": TRACE,
                    "spanId": SPAN,
                    **ORDER,
                }
            ]
        ),
    ),
    "cloudflare": Sent("POST /v1/cloudflare", as_json({**LOGGED, "Datetime": "2026-11-29T10:00:00.123Z"})),
    "github": Sent(
        "POST /v1/github",
        as_json({"repository": {"full_name": "shop"}, **ORDER}),
        {"x-github-event": "disk full"},
        IDS | {"timestamp", "level", "order", "message"},
    ),
    "journald": Sent("POST /v1/journald/upload", JOURNAL, order="42"),
}


@pytest.mark.parametrize("name", SENDERS)
def test_the_same_event_gives_the_same_row(ingest: InMemoryIngest, name: str) -> None:
    sent = SENDERS[name]
    for tenant in ("acme", "globex"):
        assert send(sent.url, sent.body, sent.headers, tenant=tenant)["statusCode"] in (200, 202, 204)
        ((row,),) = ingest.staged(tenant)
        carried = EXPECTED.keys() - sent.without
        row["timestamp"] = timestamps.to_text(timestamps.from_text(row["timestamp"]) or 0)
        assert {column: row[column] for column in carried} == {column: EXPECTED[column] for column in carried}
        if "order" not in sent.without:
            assert row["metadata"]["order"] == (sent.order or ORDER["order"])
        assert row["tenant_id"] == tenant


def test_every_protocol_is_among_them() -> None:
    table = ProtocolTable.parse(function("ingest").settings["protocols"])
    named = {name for names in table._modules.values() for name in names}
    assert named == {name.partition(",")[0] for name in SENDERS}
