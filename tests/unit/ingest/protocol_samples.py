"""The same event as each protocol sends it, and its answers: a new protocol adds a row to each table."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import msgpack
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

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

CASES = ("no key", "wrong", "revoked", "wrong scope", "over rate", "over quota", "closed", "too large")

OWN = (401, 401, 401, 403, 429, 402, 402, 413)
WAITING = (401, 401, 401, 403, 429, 429, 403, 413)
AXIOM = (401, 401, 401, 403, 503, 429, 403, 413)
ALWAYS_503 = (401, 401, 401, 403, 503, 503, 403, 413)

STATUSES: dict[str, tuple[int, ...]] = {
    "json": OWN,
    "ndjson": OWN,
    "fluent": OWN,
    "otlp": WAITING,
    "elastic": WAITING,
    "loki": WAITING,
    "splunk": ALWAYS_503,
    "splunk, fields": ALWAYS_503,
    "splunk, raw": ALWAYS_503,
    "datadog": WAITING,
    "logtail": ALWAYS_503,
    "axiom": AXIOM,
    "axiom, edge": AXIOM,
    "firehose": WAITING,
    "heroku": WAITING,
    "syslog": WAITING,
    "vercel": WAITING,
    "cloudflare": WAITING,
    "github": WAITING,
    "journald": WAITING,
}
"""Protocol -> the status for each of CASES."""

MALFORMED = {
    "json": (b"{", 400),
    "ndjson": (b"{", 400),
    "fluent": (b"\xc1", 400),
    "otlp": (b"\x0b", 400),
    "elastic": (b"{", 400),
    "loki": (b"{", 400),
    "splunk": (b"{", 400),
    "splunk, fields": (b"}", 400),
    "splunk, raw": (b"{", 200),
    "datadog": (b"{", 400),
    "logtail": (b"{", 400),
    "axiom": (b"{", 400),
    "axiom, edge": (b"{", 400),
    "firehose": (b"{", 400),
    "heroku": (b"9 <", 400),
    "syslog": (b"9 <", 400),
    "vercel": (b"[", 400),
    "cloudflare": (b"{", 400),
    "github": (b"{", 400),
    "journald": (b"MESSAGE", 400),
}
"""Protocol -> a body that is not in its form, and the status; a raw line is text, whatever it is."""

EMPTY = {
    **dict.fromkeys(SENDERS, 400),
    **dict.fromkeys(("otlp", "axiom", "axiom, edge", "vercel", "cloudflare", "journald"), 200),
    **dict.fromkeys(("datadog", "syslog", "github"), 202),
    "heroku": 204,
}
"""Protocol -> the status for an empty body."""
